import { uuidv7 } from '#shared/kernel/ids.ts';

/** A message that is being written. */
export interface Draft {
  readonly text: string;
  /** The same for every try of one draft: a message whose answer was lost on the way is not sent twice. */
  readonly key: string;
}

/** Drafts by what they answer: beginning a reply must not cost what was being written before. */
export type Drafts = Readonly<Record<string, Draft>>;

/** A draft in which nothing is written yet. */
export function newDraft(): Draft {
  return { text: '', key: uuidv7() };
}
