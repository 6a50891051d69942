/** The operator's answer to one question of an agent: what is being written, kept over reloads, and where it is. */
import { useEffect, useState } from 'react';
import { answerKey, answerTo } from '#renderer/store/answer.ts';
import { onKeptElsewhere, pageStorage } from '#renderer/store/page-storage.ts';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useOutbox } from '#renderer/store/use-messages.ts';
import type { MessageId } from '#shared/kernel/ids.ts';

/** Each answer that was begun and not sent has an entry of its own, by the message that it answers. */
const PREFIX = 'quarterdeck.answer.';

/** What is said of an answer that the core has not confirmed because it is away. */
export const ANSWER_WAITS = 'Your answer is kept. It is sent, once, as soon as the core answers.';

/** An answer as a control sees it. */
export interface Answer {
  readonly text: string;
  /** Whether something was written before this was shown. */
  readonly wasBegun: boolean;
  readonly write: (text: string) => void;
  /** open: to be given. sending: on its way. waiting: kept, and sent once the core is back. sent: the core has it. */
  readonly state: 'open' | 'sending' | 'waiting' | 'sent';
  /** Why it was refused, and what to do; undefined when it was not. */
  readonly problem: string | undefined;
  /** Gives what was written, or a short answer; does nothing once one was given. */
  readonly send: (body: string) => void;
}

/**
 * The answer to one question, the same wherever the question stands and in all windows of the browser. It goes by the
 * outbox, as every message does: kept while the core is away, and sent once.
 */
export function useAnswer(messageId: MessageId): Answer {
  const { store, messages } = useSession();
  const [begun] = useState(() => pageStorage.getItem(PREFIX + messageId) ?? '');
  const [text, setText] = useState(begun);
  const entry = useOutbox().find(({ message }) => message.key === answerKey(messageId));
  const isAnswered = useWindowState((state) => state.answered.has(messageId));
  useEffect(() => {
    const listening = onKeptElsewhere((name, written) => {
      if (name === PREFIX + messageId) setText(written ?? '');
    });
    // Between the first paint and this moment nobody listened.
    queueMicrotask(() => setText(pageStorage.getItem(PREFIX + messageId) ?? ''));
    return () => listening.dispose();
  }, [messageId]);
  const write = (next: string): void => {
    setText(next);
    if (next === '') pageStorage.removeItem(PREFIX + messageId);
    else pageStorage.setItem(PREFIX + messageId, next);
  };
  const send = (written: string): void => {
    const question = store.getState().inbox.find(({ id }) => id === messageId);
    if (written.trim() === '' || question === undefined) return;
    messages.outbox
      .send(answerTo(question, written))
      .then(() => {
        const left = messages.outbox.store.getState().entries.find(({ message }) => message.key === answerKey(messageId));
        // What was refused is to be mended; what waits is kept by the outbox.
        if (left?.state !== 'failed') pageStorage.removeItem(PREFIX + messageId);
      })
      .catch(() => undefined);
  };
  const isFailed = entry?.state === 'failed';
  return {
    text,
    wasBegun: begun !== '',
    write,
    state: entry === undefined ? (isAnswered ? 'sent' : 'open') : entry.state === 'failed' ? 'open' : entry.state,
    problem: isFailed ? entry.problem : undefined,
    send,
  };
}
