/**
 * Following the journal: every event after a number, in order and without gaps. Each follower holds only its position and
 * pulls pages when it is asked for the next item, so that a slow window costs nothing but its own delay.
 */
import type { FollowItem, JournalEvent } from '#shared/journal/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';

/** At most this many events in one item. */
const PAGE = 200;
/** After this long without news the link is shown to be alive, in milliseconds. */
const HEARTBEAT_MS = 15_000;
/** More changed deliveries than this are dropped for a follower: it reads them anew with the next page of messages. */
const MAX_DELIVERIES = 2_000;

/** A delivery that changed. */
export type DeliveryChange = Extract<FollowItem, { type: 'deliveries' }>['changes'][number];

/** Where followers read from. */
export interface FollowSource {
  /** Number of the last committed event. */
  seq(): number;
  /** The events after a number if memory still has them. */
  recentAfter(seq: number, limit: number): readonly JournalEvent[] | undefined;
  /** The events after a number from the database. */
  readAfter(seq: number, limit: number): Promise<{ events: readonly JournalEvent[]; lastSeq: number }>;
  onCommitted(listener: () => void): Disposable;
  onDeliveries(listener: (changes: readonly DeliveryChange[]) => void): Disposable;
  /** Counts followers, for the figures. */
  onFollower(delta: 1 | -1): void;
}

/** Follows from `after` until `signal` aborts. CONFLICT when `after` is ahead of the journal: the window belongs to another data folder or time. */
export function follow(source: FollowSource, after: number, signal: AbortSignal): AsyncGenerator<FollowItem, void, void> {
  if (after > source.seq()) {
    throw new AppError('CONFLICT', `The journal ends at ${source.seq()}, before ${after}: take a new snapshot.`, {
      data: { seq: source.seq() },
    });
  }
  return generate(source, after, signal);
}

async function* generate(source: FollowSource, after: number, signal: AbortSignal): AsyncGenerator<FollowItem, void, void> {
  let seq = after;
  let wake: (() => void) | undefined;
  const deliveries = new Map<string, DeliveryChange>();
  const subscriptions = [
    source.onCommitted(() => wake?.()),
    source.onDeliveries((changes) => {
      for (const change of changes) {
        const key = `${change.messageId} ${change.recipient}`;
        // The newest state of each delivery is enough.
        if (deliveries.size < MAX_DELIVERIES || deliveries.has(key)) deliveries.set(key, change);
      }
      wake?.();
    }),
  ];
  source.onFollower(1);
  try {
    while (!signal.aborted) {
      if (seq < source.seq()) {
        const recent = source.recentAfter(seq, PAGE);
        const page = recent ? { events: recent, lastSeq: recent.at(-1)?.seq ?? seq } : await source.readAfter(seq, PAGE);
        seq = page.lastSeq;
        if (page.events.length > 0) yield { type: 'events', events: [...page.events] };
      } else if (deliveries.size > 0) {
        const changes = [...deliveries.values()];
        deliveries.clear();
        yield { type: 'deliveries', changes };
      } else if (!(await newsOrTimeout(signal, (callback) => (wake = callback)))) {
        if (!signal.aborted) yield { type: 'heartbeat', seq };
      }
    }
  } finally {
    for (const subscription of subscriptions) subscription.dispose();
    source.onFollower(-1);
  }
}

/** Waits for news; false after the heartbeat's time or an abort. */
function newsOrTimeout(signal: AbortSignal, listen: (callback: (() => void) | undefined) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (isNews: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      listen(undefined);
      resolve(isNews);
    };
    const onAbort = (): void => finish(false);
    const timer = setTimeout(() => finish(false), HEARTBEAT_MS);
    timer.unref();
    signal.addEventListener('abort', onAbort, { once: true });
    listen(() => finish(true));
  });
}
