/** What a timeline shows at one moment. */
import type { MessageFeed } from './message-feed.ts';
import { EMPTY_FEED } from './message-feed.ts';

/** Where the reader is to be taken. Each has a number of its own: the same place can be gone to twice. */
export interface Jump {
  readonly number: number;
  /** null: the end or the start of what is loaded, by `align`. */
  readonly messageId: string | null;
  readonly align: 'start' | 'center' | 'end';
}

/** What a timeline shows. */
export interface TimelineState extends MessageFeed {
  readonly phase: 'loading' | 'ready' | 'failed';
  /** Why it failed, and what to do. */
  readonly problem: string | undefined;
  /** The page in a direction that could not be loaded. */
  readonly pageProblem: string | undefined;
  readonly jump: Jump;
  /** What came since the reader left the end. */
  readonly behind: number;
}

/** Nothing was asked for yet. */
export const START: TimelineState = {
  ...EMPTY_FEED,
  phase: 'loading',
  problem: undefined,
  pageProblem: undefined,
  jump: { number: 0, messageId: null, align: 'end' },
  behind: 0,
};
