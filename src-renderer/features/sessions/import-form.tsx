import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import type { Project } from '#shared/projects/model.ts';
import type { ImportReport } from '#shared/sessions/model.ts';
import { countText } from './retention-words.ts';

/** What came of an import, in words. */
function resultText({ added, present, torn }: ImportReport): string {
  const parts = [`${countText(added, 'message')} added`];
  if (present > 0) parts.push(`${countText(present, 'message')} ${present === 1 ? 'was' : 'were'} here before`);
  if (torn.length > 0) parts.push(`a last line was cut off and left out (${torn.join(', ')})`);
  return `${parts.join('; ')}.`;
}

/** Reads messages from a folder or a file of the core's machine into an earlier session. */
export function ImportForm({ project }: { readonly project: Project }): ReactNode {
  const session = useSession();
  const command = useCommand();
  const [path, setPath] = useState('');
  const [report, setReport] = useState<ImportReport>();
  const read = async (): Promise<void> => {
    setReport(undefined);
    setReport(await session.client.sessions.import({ path: path.trim(), projectId: project.id }));
    setPath('');
  };
  return (
    <form
      aria-label="Import messages"
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (path.trim() !== '' && !command.isRunning) command.run(read);
      }}
    >
      <div className="flex flex-wrap items-start gap-2">
        <TextField
          label="Import from"
          isCode
          value={path}
          onChange={setPath}
          placeholder="/home/me/project/.crowd/sessions/1730000000000"
          hint="A session’s folder, of Quarterdeck or crowd-mcp, or one exported .jsonl file, by its absolute path on the machine of the core. It becomes an earlier session; nobody is handed anything."
          className="min-w-0 flex-1 basis-80"
        />
        <Button type="submit" disabled={path.trim() === '' || command.isRunning} className="mt-5">
          {command.isRunning ? 'Reading…' : 'Import'}
        </Button>
      </div>
      {command.problem === undefined ? null : <Notice title="Nothing was imported." detail={command.problem} />}
      {report === undefined ? null : <Notice tone="info" title={resultText(report)} />}
    </form>
  );
}
