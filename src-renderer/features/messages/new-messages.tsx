import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { Message } from '#shared/messages/model.ts';
import { nameOf, namesOf } from './message-words.ts';

/** What came is said at most this often, in milliseconds: a screen reader must be able to end a sentence. */
const SAY_EVERY_MS = 2_500;
/** Of one message so many characters are read. */
const READ_CHARS = 120;

interface NewMessagesProps {
  readonly messages: readonly Message[];
  /** Whether the messages reach the newest: only then what is added at their end is new. */
  readonly isLive: boolean;
}

/** Tells screen readers what came: one message whole, several by their number. */
export function NewMessages({ messages, isLive }: NewMessagesProps): ReactNode {
  const [said, setSaid] = useState('');
  const heard = useRef<string>(undefined);
  const newest = useRef(messages);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    newest.current = messages;
    const last = messages.at(-1)?.id;
    if (!isLive || heard.current === undefined || last === undefined) {
      heard.current = last;
      return;
    }
    if (last === heard.current || timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      const all = newest.current;
      const from = all.findLastIndex(({ id }) => id === heard.current);
      const came = all.slice(from + 1);
      heard.current = all.at(-1)?.id;
      const [only] = came;
      if (only === undefined) return;
      setSaid(
        came.length === 1
          ? `${nameOf(only.from.id)} to ${namesOf(only.to)}: ${visibleText(only.subject ?? only.body).slice(0, READ_CHARS)}`
          : `${came.length} new messages`,
      );
    }, SAY_EVERY_MS);
  }, [messages, isLive]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <div aria-live="polite" className="sr-only">
      {said}
    </div>
  );
}
