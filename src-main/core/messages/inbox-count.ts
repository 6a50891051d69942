/** Where copies stand in an inbox, and what they count there. Pure. */

/** Where a copy that is not settled stands in its inbox: held back, to be handed out, or handed out. */
export type Place = 'delayed' | 'queued' | 'delivered';

/** What is in one inbox. */
export interface InboxCount {
  /** To be handed out. */
  readonly queued: number;
  /** Held back: delayed, given back, or not acknowledged in time. */
  readonly delayed: number;
  /** Not acknowledged, handed out or not; without what is held back, and without the dead. */
  readonly unread: number;
  /** Tasks and requests that were handed out and not acknowledged: what the recipient is working on. */
  readonly held: number;
  /** Characters of what is not acknowledged, held back or not. */
  readonly chars: number;
}

/** A copy, as far as counting goes. */
export interface Copy {
  readonly messageId: string;
  readonly recipient: string;
  readonly projectId: string;
  readonly isWork: boolean;
  readonly chars: number;
}

/** Where a row's times say a copy stands; undefined when it is settled. */
export function placeOf(row: {
  delivered_at: number | null;
  read_at: number | null;
  dead_at: number | null;
  held_until: number | null;
}): Place | undefined {
  if (row.read_at !== null || row.dead_at !== null) return undefined;
  if (row.delivered_at !== null) return 'delivered';
  return row.held_until === null ? 'queued' : 'delayed';
}

/** Where a count belongs. */
export interface CountedInbox {
  readonly recipient: string;
  readonly projectId: string;
  readonly count: InboxCount;
}
