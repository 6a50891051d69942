import { useCallback, useSyncExternalStore } from 'react';

/** One clock per period, however many look at it. */
interface Clock {
  now: number;
  readonly listeners: Set<() => void>;
  timer: ReturnType<typeof setInterval> | undefined;
}

const clocks = new Map<number, Clock>();

function clockOf(everyMs: number): Clock {
  const known = clocks.get(everyMs);
  if (known) return known;
  const clock: Clock = { now: Date.now(), listeners: new Set(), timer: undefined };
  clocks.set(everyMs, clock);
  return clock;
}

function follow(everyMs: number, listener: () => void): () => void {
  const clock = clockOf(everyMs);
  const tick = (): void => {
    if (document.hidden) return;
    clock.now = Date.now();
    for (const each of clock.listeners) each();
  };
  if (clock.listeners.size === 0) {
    clock.now = Date.now();
    clock.timer = setInterval(tick, everyMs);
  }
  clock.listeners.add(listener);
  return () => {
    clock.listeners.delete(listener);
    if (clock.listeners.size === 0) clearInterval(clock.timer);
  };
}

/** The time, renewed every `everyMs` while the page is visible; the same for all that ask with this period. */
export function useNow(everyMs: number): number {
  // The same function each time: a new one would be followed anew, which renews the time, which renders, without end.
  const subscribe = useCallback((listener: () => void) => follow(everyMs, listener), [everyMs]);
  return useSyncExternalStore(subscribe, () => clockOf(everyMs).now);
}
