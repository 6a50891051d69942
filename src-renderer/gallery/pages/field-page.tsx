import { useState } from 'react';
import type { ReactNode } from 'react';
import { SearchField } from '#renderer/ui/search-field.tsx';
import { TextArea, TextField } from '#renderer/ui/text-field.tsx';
import { Specimen } from '../specimen.tsx';

export function FieldPage(): ReactNode {
  const [name, setName] = useState('');
  const [command, setCommand] = useState('pnpm test -- --run != "=>"');
  const [search, setSearch] = useState('');
  const [found, setFound] = useState('webhooks');
  const [prompt, setPrompt] = useState('');
  return (
    <>
      <Specimen title="One line">
        <div className="stack">
          <TextField
            label="Name"
            value={name}
            onChange={setName}
            placeholder="ledger-migrate"
            hint="Letters, digits and dashes."
          />
          <TextField label="Command" isCode value={command} onChange={setCommand} />
          <TextField
            label="Folder"
            isCode
            value="/home/you/harbor pay"
            onChange={() => undefined}
            error="There is no such folder. Choose one that exists, or make it first."
          />
          <TextField label="Disabled" disabled value="cannot be changed" onChange={() => undefined} />
          <TextField label="Hidden label" isLabelHidden placeholder="Reason or note" value="" onChange={() => undefined} />
        </div>
      </Specimen>
      <Specimen title="Several lines">
        <div className="stack">
          <TextArea
            label="Task"
            value={prompt}
            onChange={setPrompt}
            placeholder="What it should do"
            hint="Markdown is kept as it is."
          />
          <TextArea
            label="Policy"
            isCode
            value={'allow: [npm test]\ndeny: [git push]'}
            onChange={() => undefined}
            error="Line 2: unknown key."
          />
        </div>
      </Specimen>
      <Specimen title="To search" ground="page">
        <div className="row">
          <SearchField
            label="Filter agents"
            value={search}
            onChange={setSearch}
            shortcut="/"
            placeholder="Filter by name, type…"
          />
          <SearchField label="Search messages" value={found} onChange={setFound} />
        </div>
      </Specimen>
    </>
  );
}
