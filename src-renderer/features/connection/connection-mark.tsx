import type { ReactNode } from 'react';
import type { ConnectionStatus } from '#renderer/connection/connection.ts';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import type { StateLook } from '#renderer/ui/state-mark.tsx';

const LOOKS: Readonly<Record<ConnectionStatus['kind'], StateLook>> = {
  connecting: { shape: 'dashes', tone: 'idle', word: 'Connecting' },
  online: { shape: 'dot', tone: 'working', word: 'Connected' },
  offline: { shape: 'cross', tone: 'failed', word: 'Reconnecting' },
  'signed-out': { shape: 'ring', tone: 'stopped', word: 'Logged out' },
};

/** How things stand between this window and the core. */
export function ConnectionMark({ status }: { readonly status: ConnectionStatus }): ReactNode {
  const look = LOOKS[status.kind];
  return (
    <span role="status" className="flex items-center gap-1.5 text-12">
      <StateMark look={look} />
      {/* Calm while all is well: the word has a colour only when there is something to see to. */}
      {status.kind === 'online' ? <span className="text-tx-2">{look.word}</span> : <StateWord look={look} />}
    </span>
  );
}
