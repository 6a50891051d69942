import { useCallback, useState } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { AgentAction } from './agent-actions.ts';
import { ACTION_WORDS, outcomeText, runAction } from './agent-actions.ts';

/** An action on its way. */
export interface ActionProgress {
  readonly action: AgentAction;
  readonly done: number;
  readonly total: number;
}

/** Does things with agents, and says what became of it: with what failed and why, and a way back where there is one. */
export interface AgentActions {
  readonly progress: ActionProgress | undefined;
  readonly run: (action: AgentAction, ids: readonly AgentId[]) => void;
}

/** The lifecycle of one or many agents. What it changes comes back as events; what went well with a single agent is seen there. */
export function useAgentActions(): AgentActions {
  const session = useSession();
  const [progress, setProgress] = useState<ActionProgress>();

  const run = useCallback(
    (action: AgentAction, ids: readonly AgentId[]): void => {
      const go = async (what: AgentAction, whom: readonly AgentId[], isUndo: boolean): Promise<void> => {
        if (whom.length === 0) return;
        setProgress({ action: what, done: 0, total: whom.length });
        const outcome = await runAction(
          () => session.client,
          what,
          whom,
          (done) => setProgress({ action: what, done, total: whom.length }),
        );
        setProgress(undefined);
        const { undo } = ACTION_WORDS[what];
        if (isUndo && outcome.failed.length === 0) return;
        showToast({
          ...outcomeText(what, outcome),
          tone: outcome.failed.length === 0 ? 'info' : 'failed',
          ...(undo === undefined || isUndo || outcome.done.length === 0
            ? {}
            : {
                actions: [
                  {
                    text: undo.text,
                    onClick: () => {
                      go(undo.action, outcome.done, true).catch(() => undefined);
                    },
                  },
                ],
              }),
        });
      };
      go(action, ids, false).catch(() => setProgress(undefined));
    },
    [session],
  );
  return { progress, run };
}
