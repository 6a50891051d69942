import { useCallback } from 'react';
import type { ReactNode } from 'react';
import { STATUS_LOOKS } from '#renderer/features/agents/status-look.ts';
import { MessagesScreen } from '#renderer/features/messages/messages-screen.tsx';
import { useWindowState } from '#renderer/store/session-context.tsx';
import { useQuestions } from '#renderer/store/use-attention.ts';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import { OPERATOR } from '#shared/messages/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';

/** Everything said. */
export function MessagesPage({ messageId }: { readonly messageId?: string }): ReactNode {
  const agents = useWindowState((state) => state.crew.agents);
  const isAsked = useQuestions().size > 0;
  const markOf = useCallback(
    (participant: string): ReactNode => {
      if (participant === OPERATOR) {
        const look = isAsked ? ({ shape: 'triangle', tone: 'needs' } as const) : ({ shape: 'ring', tone: 'stopped' } as const);
        return <StateMark look={{ ...look, word: '' }} />;
      }
      const status = ownEntry(agents, participant)?.state.status;
      return status === undefined ? <span /> : <StateMark look={STATUS_LOOKS[status]} label={STATUS_LOOKS[status].word} />;
    },
    [agents, isAsked],
  );
  return <MessagesScreen messageId={messageId} markOf={markOf} />;
}
