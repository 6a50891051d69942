/** Every named query of the reader. Only composes. */
import { journalReads } from '#core/journal/journal-repository.ts';
import type { Store } from '#core/store/store.ts';

/** Every named query of the reader. */
export const reads = { ...journalReads };
/** Every named query of the reader. */
export type Reads = typeof reads;
/** The store with the product's queries. */
export type AppStore = Store<Reads>;
