import { MessageSquareText, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { Progress } from '#renderer/ui/progress.tsx';
import type { AgentAction } from './agent-actions.ts';
import { ACTION_WORDS, AGENT_ACTIONS, canDo } from './agent-actions.ts';
import { ACTION_ICONS } from './agent-menu-items.tsx';
import type { FleetAgent } from './fleet-agent.ts';
import type { ActionProgress } from './use-agent-actions.ts';

interface SelectionBarProps {
  readonly rows: readonly FleetAgent[];
  /** Selected agents that the filter hides: nothing is done with them unseen. */
  readonly hidden: number;
  readonly progress: ActionProgress | undefined;
  readonly onAction: (action: AgentAction) => void;
  readonly onMessage: () => void;
  readonly onClear: () => void;
}

/** What can be done with all that are selected. Each button says how many it would reach. */
export function SelectionBar({ rows, hidden, progress, onAction, onMessage, onClear }: SelectionBarProps): ReactNode {
  return (
    <section
      aria-label="Selected agents"
      className="flex min-h-11 flex-none flex-wrap items-center gap-x-1.5 gap-y-1 border-t border-hair-strong bg-bg-1 px-4 py-1.5"
    >
      <p aria-live="polite" className="text-12 whitespace-nowrap">
        <strong className="figures font-strong">{rows.length}</strong> selected
        {hidden === 0 ? null : <span className="text-tx-3">, {hidden} more hidden by the filter</span>}
      </p>
      {/* At the left: toasts come at the right. */}
      <IconButton label="Clear the selection" shortcut="escape" icon={<X aria-hidden className="size-3.5" />} onClick={onClear} />
      <span aria-hidden className="mr-1 h-4 border-l border-hair-strong" />
      {AGENT_ACTIONS.map((action) => {
        const reached = rows.filter(({ agent }) => canDo(action, agent)).length;
        return (
          <Button
            key={action}
            icon={ACTION_ICONS[action]}
            disabled={reached === 0 || progress !== undefined}
            title={`${ACTION_WORDS[action].verb} ${reached} of ${rows.length}`}
            onClick={() => onAction(action)}
          >
            {ACTION_WORDS[action].verb}
            {reached === rows.length || reached === 0 ? null : <span className="figures text-tx-3">{reached}</span>}
          </Button>
        );
      })}
      <Button icon={<MessageSquareText aria-hidden className="size-3.5" />} disabled={rows.length === 0} onClick={onMessage}>
        Message
      </Button>
      {progress === undefined ? null : (
        <div className="w-48">
          <Progress
            label={`${ACTION_WORDS[progress.action].verb} agents`}
            value={progress.done / progress.total}
            detail={`${progress.done} of ${progress.total}`}
          />
        </div>
      )}
    </section>
  );
}
