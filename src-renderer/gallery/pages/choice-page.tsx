import { Columns3, LayoutGrid, Table2 } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Checkbox, Switch } from '#renderer/ui/checkbox.tsx';
import { Combobox, MultiCombobox } from '#renderer/ui/combobox.tsx';
import { RadioCards } from '#renderer/ui/radio-cards.tsx';
import { Segmented } from '#renderer/ui/segmented.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { Specimen } from '../specimen.tsx';

const PRIORITIES = [
  { value: '', text: 'any' },
  { value: 'low', text: 'low' },
  { value: 'normal', text: 'normal' },
  { value: 'high', text: 'high' },
] as const;
const NAMES = [
  'ada',
  'ben',
  'checkout-ui',
  'coordinator',
  'docs-openapi',
  'e2e-nightly',
  'ledger-migrate',
  'reviewer',
  'webhooks',
];
const AGENTS = [
  ...NAMES.map((value) => ({ value, text: value, detail: 'claude-code' })),
  ...Array.from({ length: 40 }, (_, index) => ({ value: `worker-${index}`, text: `worker-${index}`, detail: 'worker' })),
];
const VIEWS = [
  { value: 'grid', text: 'Grid', icon: <LayoutGrid aria-hidden className="size-3.5" /> },
  { value: 'table', text: 'Table', icon: <Table2 aria-hidden className="size-3.5" /> },
  { value: 'wall', text: 'Wall', icon: <Columns3 aria-hidden className="size-3.5" /> },
] as const;

export function ChoicePage(): ReactNode {
  const [priority, setPriority] = useState<(typeof PRIORITIES)[number]['value']>('');
  const [agent, setAgent] = useState<string | null>(null);
  const [agents, setAgents] = useState<string[]>(['webhooks', 'reviewer']);
  const [view, setView] = useState<(typeof VIEWS)[number]['value']>('grid');
  const [place, setPlace] = useState<'box' | 'host' | 'away'>('box');
  const [isOn, setOn] = useState(true);
  const [checked, setChecked] = useState<boolean | 'mixed'>('mixed');
  return (
    <>
      <Specimen title="One of a few" ground="page">
        <div className="row">
          <Select label="Priority" value={priority} options={PRIORITIES} onChange={setPriority} />
          <Select label="Hidden label" isLabelHidden value={priority} options={PRIORITIES} onChange={setPriority} />
          <Select label="Disabled" disabled value={priority} options={PRIORITIES} onChange={setPriority} />
        </div>
      </Specimen>
      <Specimen title="One or more of many" ground="page">
        <div className="row">
          <Combobox label="Agent" value={agent} options={AGENTS} onChange={setAgent} />
          <MultiCombobox label="To" values={agents} options={AGENTS} onChange={setAgents} placeholder="nobody" />
          <Combobox label="Disabled agent" disabled value="ada" options={AGENTS} onChange={setAgent} />
        </div>
      </Specimen>
      <Specimen title="All in sight">
        <div className="row">
          <Segmented label="View" value={view} options={VIEWS} onChange={setView} />
          <Segmented label="View, icons" isIconOnly value={view} options={VIEWS} onChange={setView} />
        </div>
      </Specimen>
      <Specimen title="Each with what it means">
        <RadioCards
          label="Place"
          value={place}
          onChange={setPlace}
          options={[
            { value: 'box', title: 'Container', aside: '20.10', text: 'Contained: it sees its workspace and nothing else.' },
            { value: 'host', title: 'This machine', text: 'Not contained: it can do whatever you can.' },
            {
              value: 'away',
              title: 'Elsewhere',
              aside: 'not available here',
              text: 'No other machine is known.',
              isDisabled: true,
              below: <code className="font-code text-12">connect elsewhere</code>,
            },
          ]}
        />
      </Specimen>
      <Specimen title="Checkboxes">
        <div className="row">
          <Checkbox label="Files" checked={checked} onChange={setChecked} />
          <Checkbox label="Conversation" checked onChange={() => undefined} />
          <Checkbox label="Mailbox" checked={false} onChange={() => undefined} />
          <Checkbox label="Container" checked={false} disabled onChange={() => undefined} />
          <Checkbox label="Always kept" checked disabled onChange={() => undefined} />
          <Checkbox label="Select ada" isLabelHidden checked={false} onChange={() => undefined} />
        </div>
      </Specimen>
      <Specimen title="Switches">
        <div className="stack">
          <Switch label="Notifications" checked={isOn} onChange={setOn} hint="Only for what a person can act on." />
          <Switch label="Close to tray" checked={false} onChange={() => undefined} />
          <Switch label="Set by the administrator" checked disabled onChange={() => undefined} />
        </div>
      </Specimen>
    </>
  );
}
