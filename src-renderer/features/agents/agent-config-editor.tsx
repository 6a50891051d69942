import { Pencil } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { problemOf } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import type { Agent, AgentDraft } from '#shared/agents/model.ts';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import type { AgentFormParts } from './agent-form-parts.ts';
import { AgentForm } from './agent-form.tsx';
import { fieldsOf } from './agent-form-state.ts';
import { configChanges } from './config-changes.ts';
import { useAgentForm } from './use-agent-form.ts';

interface AgentConfigEditorProps {
  readonly agent: Agent;
  readonly parts: AgentFormParts;
  /** The configuration to be read, shown while it is not changed. */
  readonly children: ReactNode;
}

/** An agent's configuration: read, and changed with the same form that agents are made with. */
export function AgentConfigEditor({ agent, parts, children }: AgentConfigEditorProps): ReactNode {
  const [isEditing, setEditing] = useState(false);
  // What it states of itself it changes itself, and nothing else is ours to set.
  if (isExternal(agent)) return children;
  if (isEditing) return <Editor agent={agent} parts={parts} onDone={() => setEditing(false)} />;
  return (
    <>
      <div className="flex items-center gap-3 border-b border-hair px-4 py-2">
        <p className="text-12 text-pretty text-tx-3">Most of it counts from the next start on.</p>
        <span className="ml-auto">
          <Button size="small" icon={<Pencil aria-hidden className="size-3" />} onClick={() => setEditing(true)}>
            Edit
          </Button>
        </span>
      </div>
      {children}
    </>
  );
}

interface EditorProps extends Omit<AgentConfigEditorProps, 'children'> {
  readonly onDone: () => void;
}

function Editor({ agent, parts, onDone }: EditorProps): ReactNode {
  const session = useSession();
  const form = useAgentForm(fieldsOf(agent.config));
  const { id } = agent;
  const restart = (): void => {
    session.client.agents.restart({ id }).catch((error: unknown) => {
      showToast({ title: `${id} was not restarted.`, detail: problemOf(error), tone: 'failed' });
    });
  };
  const save = async (draft: AgentDraft): Promise<void> => {
    await session.client.agents.update({ id, changes: configChanges(draft, agent.config) });
    onDone();
    showToast({
      title: `The configuration of ${id} was changed.`,
      ...(isAlive(agent.state.status)
        ? { detail: 'It runs with the old one until it is started again.', actions: [{ text: 'Restart it', onClick: restart }] }
        : {}),
    });
  };
  return (
    <form
      className="flex flex-col gap-4 p-4"
      aria-label={`Configuration of ${id}`}
      onSubmit={(event) => {
        event.preventDefault();
        form.submit(save);
      }}
    >
      <AgentForm isExisting fields={form.fields} errors={form.errors} onChange={form.change} parts={parts} />
      {form.command.problem === undefined ? null : <Notice title="It was not changed." detail={form.command.problem} />}
      <div className="flex justify-end gap-2">
        <Button look="quiet" onClick={onDone}>
          Cancel
        </Button>
        <Button look="ink" type="submit" disabled={form.command.isRunning}>
          Save
        </Button>
      </div>
    </form>
  );
}
