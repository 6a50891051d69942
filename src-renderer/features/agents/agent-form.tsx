import { useId } from 'react';
import type { ReactNode } from 'react';
import { RadioCards } from '#renderer/ui/radio-cards.tsx';
import { Segmented } from '#renderer/ui/segmented.tsx';
import { TextArea, TextField } from '#renderer/ui/text-field.tsx';
import type { AgentFormParts } from './agent-form-parts.ts';
import type { AgentField, AgentFields, FieldErrors } from './agent-form-state.ts';
import type { AgentType } from '#shared/agents/model.ts';
import { AGENT_TYPES, formBoundary, helpOf } from './agent-form-state.ts';

const TYPE_WORDS = { worker: 'Worker', command: 'Command' } as const;

/** Fields that are a line of text. */
type LineField = Exclude<AgentField, 'type' | 'runtime' | 'sandbox' | 'workspace' | 'login' | 'egressMode'>;

interface AgentFormProps {
  readonly fields: AgentFields;
  readonly errors: FieldErrors;
  readonly onChange: (changes: Partial<AgentFields>) => void;
  readonly parts: AgentFormParts;
  /** Of an agent that is there: its id and type stay. */
  readonly isExisting?: boolean;
}

/** Every field of an agent's configuration, with what it means as help, and what is wrong at the field. */
export function AgentForm({ fields, errors, onChange, parts, isExisting = false }: AgentFormProps): ReactNode {
  const typeId = useId();
  const { Place, Reach } = parts;
  const text = (
    field: LineField,
    label: string,
    more: { hint?: string; placeholder?: string; isCode?: boolean } = {},
  ): ReactNode => (
    <TextField
      label={label}
      value={fields[field]}
      onChange={(value) => onChange({ [field]: value })}
      hint={more.hint ?? helpOf(field)}
      error={errors[field]}
      isCode={more.isCode ?? false}
      placeholder={more.placeholder}
    />
  );
  const isBoxed = formBoundary(fields) !== 'host';
  return (
    <div className="flex flex-col gap-6">
      <Group title="What it is">
        {isExisting ? null : (
          <>
            <div className="flex flex-col gap-1">
              <span id={typeId} className="text-12 font-medium">
                Type
              </span>
              <div className="self-start">
                <Segmented<AgentType>
                  label="Type"
                  value={fields.type}
                  options={AGENT_TYPES.map((value) => ({ value, text: TYPE_WORDS[value] }))}
                  onChange={(type) => onChange({ type })}
                />
              </div>
              <p className="text-12 text-pretty text-tx-3">{helpOf('type')}</p>
            </div>
            {text('id', 'Name', {
              isCode: true,
              placeholder: 'made for you',
              hint: 'A short name such as “reviewer”; it stays for good and is never used again.',
            })}
          </>
        )}
        {fields.type === 'command'
          ? text('command', 'Command', {
              isCode: true,
              placeholder: 'bash -l',
              hint: 'The program and its arguments, quoted as in a shell; it is run without one.',
            })
          : null}
        {text('description', 'Description')}
        {text('capabilities', 'Capabilities', { placeholder: 'review, testing' })}
      </Group>
      <Group title="Where it runs">
        <Place fields={fields} errors={errors} onChange={onChange} />
      </Group>
      <Group title="What it works on">
        <WorkspaceChoice fields={fields} isBoxed={isBoxed} onChange={onChange} />
        {errors.workspace === undefined ? null : (
          <p role="alert" className="text-12 text-st-failed">
            {errors.workspace}
          </p>
        )}
      </Group>
      <Group title="What it reaches">
        <Reach fields={fields} errors={errors} onChange={onChange} />
      </Group>
      <Group title="Limits">
        <p className="-mt-1 text-12 text-pretty text-tx-3">
          {fields.runtime === 'docker'
            ? 'Its container holds it to all of them.'
            : 'The time is kept to. How the others are held on this machine stands on the agent’s boundary page.'}
        </p>
        <div className="grid grid-cols-2 gap-4 max-[480px]:grid-cols-1">
          {text('memory', 'Memory', { placeholder: '2GB', hint: 'For example 512MB or 2GB' })}
          {text('cpu', 'CPU', { placeholder: '2', hint: 'Cores, for example 2 or 0.5' })}
          {text('timeout', 'Longest time', { placeholder: '0', hint: 'Of one piece of work, for example 10m; 0 is no limit' })}
          {text('maxConcurrentTasks', 'Tasks at once', { placeholder: '1' })}
          {text('processes', 'Processes', { placeholder: '512', hint: 'Processes and threads at once: what stops a fork bomb' })}
          {text('openFiles', 'Open files', { placeholder: '4096', hint: 'Of one process' })}
          {text('disk', 'Disk', { placeholder: '10GB', hint: 'Of workspace and home; it is paused when it uses more' })}
          {isBoxed ? text('tmp', 'Size of /tmp', { placeholder: '256MB', hint: 'It is in memory, and gone at the end' }) : null}
        </div>
      </Group>
      <Group title="Before it starts">
        <TextArea
          label="Set-up script"
          isCode
          rows={2}
          value={fields.setup}
          onChange={(setup) => onChange({ setup })}
          placeholder="npm ci"
          hint="A shell script that runs in the workspace before each start, under the same boundary. Its output is in the terminal."
          error={errors.setup}
        />
        <TextArea
          label="Variables"
          isCode
          rows={3}
          value={fields.environment}
          onChange={(environment) => onChange({ environment })}
          hint="One NAME=value in each line. Secrets do not belong here: every program of the agent can read them."
          error={errors.environment}
        />
      </Group>
    </div>
  );
}

interface WorkspaceChoiceProps extends Pick<AgentFormProps, 'fields' | 'onChange'> {
  readonly isBoxed: boolean;
}

function WorkspaceChoice({ fields, isBoxed, onChange }: WorkspaceChoiceProps): ReactNode {
  return (
    <RadioCards
      label="Workspace"
      value={fields.workspace === '' ? 'auto' : fields.workspace}
      onChange={(workspace) => onChange({ workspace })}
      options={[
        {
          value: 'auto',
          title: 'Automatic',
          text: 'A branch of its own where the folder is a git repository, else the folder itself.',
        },
        {
          value: 'own',
          title: 'A branch of its own',
          text: isBoxed
            ? 'A copy of the repository that it alone sees. Its commits come in when you fetch them.'
            : 'A folder beside the project (a git worktree). Agents do not overwrite each other.',
        },
        {
          value: 'shared',
          title: 'The folder itself',
          text: isBoxed
            ? 'It changes your own files, at once. The history in .git stays out of its reach.'
            : 'It changes your own files, at once, and may change the history in .git.',
        },
      ]}
    />
  );
}

function Group({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <fieldset className="flex min-w-0 flex-col gap-3">
      <legend className="mb-2 text-13 font-strong">{title}</legend>
      {children}
    </fieldset>
  );
}
