import { useId } from 'react';
import type { ReactNode } from 'react';
import { Segmented } from '#renderer/ui/segmented.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { TextArea, TextField } from '#renderer/ui/text-field.tsx';
import type { RuntimeAvailability } from '#shared/runtimes/model.ts';
import type { AgentField, AgentFields, FieldErrors } from './agent-form-state.ts';
import { AGENT_TYPES, helpOf, RUNTIMES } from './agent-form-state.ts';

const TYPE_WORDS = { worker: 'Worker', command: 'Command' } as const;
const RUNTIME_WORDS = { docker: 'Docker', tmux: 'tmux', pty: 'Plain terminal' } as const;

interface AgentFormProps {
  readonly fields: AgentFields;
  readonly errors: FieldErrors;
  readonly onChange: (changes: Partial<AgentFields>) => void;
  /** What is known of the runtimes; empty before it is known. */
  readonly runtimes: readonly RuntimeAvailability[];
  /** Of an agent that is there: its id and type stay. */
  readonly isExisting?: boolean;
}

/** Every field of an agent's configuration, with the contract's own words as help, and what is wrong at the field. */
export function AgentForm({ fields, errors, onChange, runtimes, isExisting = false }: AgentFormProps): ReactNode {
  const typeId = useId();
  const text = (
    field: Exclude<AgentField, 'type' | 'runtime'>,
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
  const chosen = runtimes.find(({ kind }) => kind === fields.runtime);
  return (
    <div className="flex flex-col gap-5">
      <Group title="What it is">
        {isExisting ? null : (
          <>
            <div className="flex flex-col gap-1">
              <span id={typeId} className="text-12 font-medium">
                Type
              </span>
              <div className="self-start">
                <Segmented
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
        <div className="flex flex-col gap-1">
          <div className="self-start">
            <Select
              label="Runtime"
              value={fields.runtime}
              options={[
                { value: '', text: 'as the default: tmux' },
                ...RUNTIMES.map((value) => ({
                  value,
                  text: `${RUNTIME_WORDS[value]}${runtimes.find(({ kind }) => kind === value)?.isAvailable === false ? ', not available here' : ''}`,
                })),
              ]}
              onChange={(runtime) => onChange({ runtime })}
            />
          </div>
          {chosen?.isAvailable === false ? (
            <p role="alert" className="text-12 text-st-failed">
              {chosen.problem} {chosen.remedy === undefined ? '' : `Put it right with: ${chosen.remedy}`}
            </p>
          ) : (
            <p className="text-12 text-pretty text-tx-3">{helpOf('runtime')}. Both run on the host: they are not contained.</p>
          )}
        </div>
      </Group>
      <Group title="Limits">
        <p className="-mt-1 text-12 text-pretty text-tx-3">
          The time is kept to. Memory and CPU are written down with the agent; nothing holds it to them yet.
        </p>
        <div className="grid grid-cols-2 gap-4">
          {text('memory', 'Memory', { placeholder: '2GB', hint: 'For example 512MB or 2GB' })}
          {text('cpu', 'CPU', { placeholder: '2', hint: 'Cores, for example 2 or 0.5' })}
          {text('timeout', 'Longest time', { placeholder: '0', hint: 'Of one piece of work, for example 10m; 0 is no limit' })}
          {text('maxConcurrentTasks', 'Tasks at once', { placeholder: '1' })}
        </div>
      </Group>
      <Group title="Environment">
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

function Group({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <fieldset className="flex min-w-0 flex-col gap-3">
      <legend className="mb-2 text-13 font-strong">{title}</legend>
      {children}
    </fieldset>
  );
}
