import { Download } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { changeQuery, goTo } from '#renderer/navigation/use-route.tsx';
import { chooseProject, useProject, useProjects } from '#renderer/store/project-scope.ts';
import { useSession } from '#renderer/store/session-context.tsx';
import { useAsked } from '#renderer/store/use-asked.ts';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { fullTime, momentText } from '#renderer/ui/format-time.ts';
import { Menu, MenuItem } from '#renderer/ui/menu.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { SettingsGroup } from '#renderer/ui/settings-group.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import type { SessionId } from '#shared/kernel/ids.ts';
import type { Project } from '#shared/projects/model.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { ExportFormat } from '#shared/sessions/export-filter.ts';
import type { SessionSummary } from '#shared/sessions/model.ts';
import { exportMessages } from './export-messages.ts';
import { ImportForm } from './import-form.tsx';
import { countText } from './retention-words.ts';

/** So many are asked for; older ones are reached by their id (`quarterdeck sessions`). */
const ASKED = 500;
/** So many are shown at first. */
const SHOWN = 8;

/** The sessions of a project: read again, saved into files, and brought in from files. */
export function SessionList({ project }: { readonly project: Project }): ReactNode {
  const session = useSession();
  const command = useCommand();
  const { answer, problem } = useAsked('sessions', (client) => client.sessions.list({ limit: ASKED }), {
    isChangedBy: ({ kind }) => kind.startsWith('session.') || kind.startsWith('messages.') || kind.startsWith('retention.'),
  });
  const [isWhole, setWhole] = useState(false);
  const sessions = answer?.sessions.filter(({ projectId }) => projectId === project.id || projectId === SYSTEM_PROJECT_ID);
  const shown = isWhole ? sessions : sessions?.slice(0, SHOWN);
  const save = (format: ExportFormat, sessionId: SessionId | undefined): void =>
    command.run(() => exportMessages(() => session.client, { format, projectId: project.id, sessionId }));
  return (
    <SettingsGroup
      title="Sessions"
      note="One run of the crew each. Messages go into the present one; every other one is read-only."
    >
      {problem === undefined ? null : <Notice title="The sessions are not known." detail={problem} />}
      {command.problem === undefined ? null : <Notice title="The file was not saved." detail={command.problem} />}
      {shown === undefined ? (
        <SkeletonText lines={4} />
      ) : (
        <ul aria-label="Sessions" className="rounded-2 border border-hair">
          {shown.map((each) => (
            <SessionRow
              key={each.id}
              project={project}
              session={each}
              isBusy={command.isRunning}
              onSave={(format) => save(format, each.id)}
            />
          ))}
          {shown.length === 0 ? <li className="px-3 py-2 text-12 text-tx-3">There is none yet.</li> : null}
        </ul>
      )}
      <div className="flex flex-wrap items-center gap-2">
        {sessions !== undefined && shown !== undefined && sessions.length > shown.length ? (
          <Button onClick={() => setWhole(true)}>Show {sessions.length - shown.length} older ones</Button>
        ) : null}
        <SaveMenu label="Export all messages" isBusy={command.isRunning} onSave={(format) => save(format, undefined)}>
          <Button icon={<Download aria-hidden className="size-3.5" />}>Export all messages</Button>
        </SaveMenu>
      </div>
      <ImportForm project={project} />
    </SettingsGroup>
  );
}

interface SaveMenuProps {
  readonly label: string;
  readonly isBusy: boolean;
  readonly onSave: (format: ExportFormat) => void;
  /** The button that opens it. */
  readonly children: Parameters<typeof Menu>[0]['trigger'];
}

function SaveMenu({ label, isBusy, onSave, children }: SaveMenuProps): ReactNode {
  return (
    <Menu label={label} align="end" trigger={children}>
      <MenuItem disabled={isBusy} onSelect={() => onSave('jsonl')}>
        JSON lines, exact, can be imported again
      </MenuItem>
      <MenuItem disabled={isBusy} onSelect={() => onSave('csv')}>
        CSV, for spreadsheets
      </MenuItem>
    </Menu>
  );
}

interface SessionRowProps {
  readonly project: Project;
  readonly session: SessionSummary;
  readonly isBusy: boolean;
  readonly onSave: (format: ExportFormat) => void;
}

function SessionRow({ project, session, isBusy, onSave }: SessionRowProps): ReactNode {
  const windowProject = useProject()?.id;
  const isOneOfSeveral = useProjects().length > 1;
  const { id, startedAt, endedAt, isCurrent, importedFrom, messages, participants, mirrors } = session;
  const open = (): void => {
    if (windowProject !== undefined && windowProject !== project.id) chooseProject(project.id);
    goTo({ page: 'messages' });
    // The present one is what the screen shows by itself.
    if (!isCurrent) changeQuery({ session: id });
  };
  const [first] = mirrors;
  const name = momentText(startedAt);
  return (
    <li className="flex min-h-12 items-center gap-3 border-b border-hair px-3 py-1.5 text-12 last:border-b-0">
      <div className="min-w-0 flex-1">
        <p className="flex min-w-0 flex-wrap items-baseline gap-x-2">
          <strong className="font-medium text-tx-1" title={fullTime(startedAt)}>
            {name}
          </strong>
          <span className="text-tx-2">
            {isCurrent
              ? 'the present one'
              : importedFrom !== null
                ? `imported from ${importedFrom}`
                : endedAt === null
                  ? 'not ended cleanly'
                  : `to ${momentText(endedAt)}`}
          </span>
        </p>
        <p className="truncate text-tx-3" title={first?.folder}>
          {countText(messages, 'message')}
          {isOneOfSeveral && importedFrom === null ? ' of all projects' : ''}
          {participants.length === 0 ? '' : `, ${countText(participants.length, 'participant')}`}
          {first === undefined ? '' : ` · ${first.folder}`}
        </p>
      </div>
      <Button size="small" aria-label={`Read the session of ${name}`} disabled={messages === 0} onClick={open}>
        Read
      </Button>
      <SaveMenu label={`Export the session of ${name}`} isBusy={isBusy} onSave={onSave}>
        <IconButton
          size="small"
          label={`Export the session of ${name}`}
          disabled={messages === 0}
          icon={<Download aria-hidden className="size-3.5" />}
        />
      </SaveMenu>
    </li>
  );
}
