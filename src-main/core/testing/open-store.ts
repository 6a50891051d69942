/** For tests: a real store with a real journal in a temporary folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import { Store } from '#core/store/store.ts';

/** A store to be tested with, and its folder. */
export interface TestStore {
  readonly dir: string;
  readonly store: AppStore;
  readonly journal: Journal;
  readonly auditKey: Uint8Array;
  /** What the store and the journal told the operator. */
  readonly warnings: readonly string[];
  /** Closes both, keeps the folder. */
  close(): Promise<void>;
  /** Closes both and removes the folder. */
  dispose(): Promise<void>;
}

/** Opens a store in `dir`, or in a new temporary folder. */
export function openTestStore(options: { dir?: string; now?: () => number; maxBatchMs?: number } = {}): TestStore {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'qd-store-'));
  const auditKey = new Uint8Array(32).fill(7);
  const warnings: string[] = [];
  const store: AppStore = new Store({
    file: join(dir, 'quarterdeck.db'),
    backupFile: (version) => join(dir, `backup-${version}.db`),
    readerModule: new URL('../read-worker.ts', import.meta.url),
    ...(options.maxBatchMs === undefined ? {} : { maxBatchMs: options.maxBatchMs }),
    warn: (message) => warnings.push(message),
  });
  store.open();
  const journal = new Journal({
    headFile: join(dir, 'audit-head'),
    auditKey,
    warn: (message) => warnings.push(message),
    ...(options.now ? { now: options.now } : {}),
  });
  store.peek((db) => journal.open(db));
  store.connect(journal);
  const close = async (): Promise<void> => {
    await store.close();
    journal.close();
  };
  return {
    dir,
    store,
    journal,
    auditKey,
    warnings,
    close,
    dispose: async () => {
      await close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
