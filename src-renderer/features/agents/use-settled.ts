/**
 * Keeps the second press of a double click, and one that was meant for what stood there a moment before, from answering a
 * question that nobody has read: when one question takes the place of another, its answers wait.
 */
import { useEffect, useLayoutEffect, useState } from 'react';

/**
 * So long, in milliseconds, a question has to stand before it is answered by one press: longer than systems take two clicks
 * for a double click (500 by default), and than it takes to notice that the text is another one.
 */
export const SETTLE_MS = 900;

interface Shown {
  readonly messageId: string;
  /** Until when it stood there, in milliseconds of `performance.now()`; Infinity while it does. */
  readonly until: number;
}

/** What stands in each place, or stood there last. */
const shown = new Map<string, Shown>();

/** Whether a question that comes now takes the place of another. */
export function isReplacing(before: Shown | undefined, messageId: string, now: number): boolean {
  return before !== undefined && before.messageId !== messageId && now - before.until < SETTLE_MS;
}

/** Whether this question may be answered by one press. Give the component that asks the message as its key. */
export function useSettled(place: string, messageId: string): boolean {
  const [isSettled, setSettled] = useState(() => !isReplacing(shown.get(place), messageId, performance.now()));
  useLayoutEffect(() => {
    shown.set(place, { messageId, until: Infinity });
    return () => {
      if (shown.get(place)?.messageId === messageId) shown.set(place, { messageId, until: performance.now() });
    };
  }, [place, messageId]);
  useEffect(() => {
    if (isSettled) return undefined;
    const timer = setTimeout(() => setSettled(true), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [isSettled]);
  return isSettled;
}
