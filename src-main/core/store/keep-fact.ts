/** Facts that are made once for a data folder and kept. */
import type { AppStore } from '#core/reads.ts';
import { readFact, saveFact } from './facts-repository.ts';

/** The fact of this name; made and stored when there is none. */
export async function keepFact(store: AppStore, name: string, make: () => string): Promise<string> {
  const kept = store.peek((db) => readFact(db, name));
  if (kept !== undefined) return kept;
  const value = make();
  await store.write((tx) => saveFact(tx, name, value));
  return value;
}
