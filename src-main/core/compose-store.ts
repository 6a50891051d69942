/** The store, the journal on it, and the watch over the event loop. Only composes; nothing is open before `open`. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Journal } from './journal/journal.ts';
import type { DataPaths } from './paths.ts';
import type { AppStore } from './reads.ts';
import { loadAuditKey } from './secrets/key-file.ts';
import { Store } from './store/store.ts';
import { EventLoopMonitor } from './system/event-loop.ts';

/** What the rest of the core stands on. */
export interface StoreParts {
  readonly store: AppStore;
  readonly journal: Journal;
  readonly auditKey: Uint8Array;
  readonly loop: EventLoopMonitor;
}

/** Opens the store and its journal; both are closed at the end. */
export function composeStore(
  paths: DataPaths,
  { readerModule, log }: { readonly readerModule: URL; readonly log: Logger },
  onEnd: (end: () => void | Promise<void>) => void,
): StoreParts {
  const warn = (message: string): void => log.warn(message);
  const store: AppStore = new Store({
    file: paths.database,
    backupFile: (version) => join(paths.backups, `before-upgrade-from-${version}-${Date.now()}.db`),
    readerModule,
    warn,
    onFault: (error) => log.error({ err: error }, 'after a commit'),
  });
  const loop = new EventLoopMonitor({ commitMs: () => store.commitMs });
  loop.start();
  onEnd(() => loop.dispose());
  const auditKey = loadAuditKey(paths.secrets, warn);
  const journal = new Journal({ headFile: paths.auditHead, auditKey, warn });
  store.open();
  onEnd(async () => {
    await store.close();
    journal.close();
  });
  store.peek((db) => journal.open(db));
  store.connect(journal);
  return { store, journal, auditKey, loop };
}
