import type { ReactNode } from 'react';
import { useWindowState } from '#renderer/store/session-context.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';

/** How many questions and tasks wait for the operator; nothing when none does. */
export function NeedsYou(): ReactNode {
  const count = useWindowState((state) => state.inbox.filter(({ kind }) => kind === 'request' || kind === 'task').length);
  if (count === 0) return null;
  const look = { shape: 'triangle', tone: 'needs', word: `${count} ${count === 1 ? 'needs' : 'need'} you` } as const;
  return (
    <span role="status" className="flex items-center gap-1.5 text-12">
      <StateMark look={look} />
      <StateWord look={look} />
    </span>
  );
}
