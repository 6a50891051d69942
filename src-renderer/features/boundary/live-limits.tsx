import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { PanelSection } from '#renderer/ui/panel.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import type { Agent } from '#shared/agents/model.ts';
import { ResourceLimits } from '#shared/agents/model.ts';
import { MECHANISM_WORDS } from './proof-words.ts';
import { useBoundary } from './use-boundary.ts';

/** What can be changed while it runs. */
interface LiveFields {
  readonly memory: string;
  readonly cpu: string;
  readonly processes: string;
}

const FIELDS: readonly { readonly name: keyof LiveFields; readonly label: string }[] = [
  { name: 'memory', label: 'Memory' },
  { name: 'cpu', label: 'Cores' },
  { name: 'processes', label: 'Processes' },
];

function fieldsOf({ memory, cpu, processes }: Agent['config']['resourceLimits']): LiveFields {
  return { memory, cpu, processes: String(processes) };
}

/** Why a field cannot be taken; undefined when it can. */
function problemOf(name: keyof LiveFields, text: string): string | undefined {
  const value = name === 'processes' ? Number(text) : text.trim();
  if (ResourceLimits.shape[name].safeParse(value).success) return undefined;
  return { memory: 'For example 512MB or 2GB.', cpu: 'Cores, for example 0.5.', processes: 'A whole number from 8.' }[name];
}

/** The limits of an agent that runs: what is in force and by what, changed at once. */
export function LiveLimits({ agent }: { readonly agent: Agent }): ReactNode {
  const session = useSession();
  const command = useCommand();
  const { answer } = useBoundary(agent.id);
  const present = fieldsOf(agent.config.resourceLimits);
  const [typed, setTyped] = useState<Partial<LiveFields>>({});
  const fields = { ...present, ...typed };
  const changed = FIELDS.filter(({ name }) => fields[name].trim() !== present[name]);
  const isWrong = FIELDS.some(({ name }) => problemOf(name, fields[name]) !== undefined);
  const mechanism = answer?.limits.mechanism;
  const apply = (): void => {
    if (changed.length === 0 || isWrong) return;
    command.run(
      () =>
        session.client.agents.update({
          id: agent.id,
          changes: {
            resourceLimits: {
              memory: fields.memory.trim(),
              cpu: fields.cpu.trim(),
              processes: Number(fields.processes),
            },
          },
        }),
      () => setTyped({}),
    );
  };
  return (
    <PanelSection
      title="Limits in force"
      aside={mechanism === undefined ? '' : mechanism === 'none' ? 'not held' : `held ${MECHANISM_WORDS[mechanism]}`}
    >
      <form
        aria-label={`Limits of ${agent.id}`}
        className="flex flex-col gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <div className="grid grid-cols-3 gap-2">
          {FIELDS.map(({ name, label }) => (
            <TextField
              key={name}
              label={label}
              isCode
              value={fields[name]}
              onChange={(value) => setTyped((known) => ({ ...known, [name]: value }))}
              error={problemOf(name, fields[name])}
            />
          ))}
        </div>
        {command.problem === undefined ? null : (
          <p role="alert" className="text-12 text-pretty text-st-failed">
            {command.problem}
          </p>
        )}
        <div className="flex items-center gap-2">
          <p className="min-w-0 flex-1 text-12 text-pretty text-tx-3">
            {mechanism === 'none' ? 'Written down with the agent; nothing holds it to them now.' : 'A change holds at once.'}
          </p>
          {changed.length === 0 ? null : (
            <Button look="quiet" onClick={() => setTyped({})}>
              Cancel
            </Button>
          )}
          <Button type="submit" disabled={changed.length === 0 || isWrong || command.isRunning}>
            Apply
          </Button>
        </div>
      </form>
    </PanelSection>
  );
}
