import { useState } from 'react';
import type { ReactNode } from 'react';
import { TabPanel, Tabs } from '#renderer/ui/tabs.tsx';
import { Specimen } from '../specimen.tsx';

const TABS = [
  { value: 'overview', text: 'Overview' },
  { value: 'messages', text: 'Messages', count: 2 },
  { value: 'changes', text: 'Changes', count: 9 },
  { value: 'health', text: 'Health' },
  { value: 'activity', text: 'Activity' },
  { value: 'config', text: 'Config' },
] as const;
type Value = (typeof TABS)[number]['value'];

export function TabsPage(): ReactNode {
  const [tab, setTab] = useState<Value>('overview');
  const [folded, setFolded] = useState<Value>('overview');
  return (
    <>
      <Specimen title="All in the row" isFlush>
        <div style={{ padding: '0 16px', borderBottom: '1px solid var(--color-hair)' }}>
          <Tabs label="Of ada" value={tab} onChange={setTab} tabs={TABS} />
        </div>
        {TABS.map(({ value, text }) => (
          <TabPanel key={value} value={value} current={tab}>
            <p style={{ padding: '12px 16px' }}>What {text} shows.</p>
          </TabPanel>
        ))}
      </Specimen>
      <Specimen title="The last three folded" isFlush>
        <div style={{ padding: '0 16px', borderBottom: '1px solid var(--color-hair)' }}>
          <Tabs group="folded" label="Of ben" value={folded} onChange={setFolded} tabs={TABS} more={3} />
        </div>
        <TabPanel group="folded" value={folded} current={folded}>
          <p style={{ padding: '12px 16px' }}>What {folded} shows.</p>
        </TabPanel>
      </Specimen>
      <Specimen title="In too little room" isFlush>
        <div style={{ padding: '0 16px', width: 240 }}>
          <Tabs group="narrow" label="Of a narrow panel" value={tab} onChange={setTab} tabs={TABS} />
        </div>
        <TabPanel group="narrow" value={tab} current={tab}>
          <p style={{ padding: '12px 16px' }}>What {tab} shows.</p>
        </TabPanel>
      </Specimen>
    </>
  );
}
