/** The operator's answer to one question of an agent: what is being written, kept over reloads, and its sending. */
import { useState } from 'react';
import { pageStorage } from '#renderer/store/page-storage.ts';
import { useSession } from '#renderer/store/session-context.tsx';
import type { Command } from '#renderer/store/use-command.ts';
import { useCommand } from '#renderer/store/use-command.ts';
import type { AgentId, MessageId } from '#shared/kernel/ids.ts';

/** Each answer that was begun and not sent has an entry of its own, by the message that it answers. */
const PREFIX = 'quarterdeck.answer.';

/** An answer as a control sees it. */
export interface Answer {
  readonly text: string;
  /** Whether something was written before this was shown. */
  readonly wasBegun: boolean;
  readonly write: (text: string) => void;
  readonly command: Command;
  /** The core has it: nothing more is to be answered. */
  readonly isSent: boolean;
  /** Sends what was written, or a short answer; does nothing while one is on its way. */
  readonly send: (body: string, onDone?: () => void) => void;
}

/** The answer to one question: the same text wherever the question stands. */
export function useAnswer(agentId: AgentId, messageId: MessageId): Answer {
  const session = useSession();
  const command = useCommand();
  const [begun] = useState(() => pageStorage.getItem(PREFIX + messageId) ?? '');
  const [text, setText] = useState(begun);
  const [isSent, setSent] = useState(false);
  const write = (next: string): void => {
    setText(next);
    if (next === '') pageStorage.removeItem(PREFIX + messageId);
    else pageStorage.setItem(PREFIX + messageId, next);
  };
  const send = (written: string, onDone?: () => void): void => {
    const body = written.trim();
    if (body === '' || command.isRunning || isSent) return;
    command.run(async () => {
      await session.client.messages.send({
        to: agentId,
        kind: 'reply',
        inReplyTo: messageId,
        body,
        // One question, one answer: pressed again after a lost one it is the same, and another one, given in another
        // window meanwhile, is refused instead of sent as well.
        idempotencyKey: `answer-${messageId}`,
      });
      setSent(true);
      pageStorage.removeItem(PREFIX + messageId);
      await session.acknowledge([messageId]);
    }, onDone);
  };
  return { text, wasBegun: begun !== '', write, command, isSent, send };
}
