/** The search: its thread beside the reader's, and what tells it of messages that come and go. Only composes. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { SessionId } from '#shared/kernel/ids.ts';
import type { Journal } from './journal/journal.ts';
import type { DataPaths } from './paths.ts';
import { SearchService } from './search/search-service.ts';

/** What it is made of. */
export interface ComposeSearchOptions {
  readonly paths: DataPaths;
  /** Module of the reader's thread: that of the search lies beside it. */
  readonly readerModule: URL;
  readonly journal: Journal;
  readonly currentSession: () => SessionId;
  readonly log: Logger;
  readonly onEnd: (end: () => Promise<void>) => void;
}

/** Makes the search; it follows from now on. */
export function composeSearch(o: ComposeSearchOptions): SearchService {
  const search = new SearchService({
    database: o.paths.database,
    index: join(o.paths.dataDir, 'search.db'),
    module: new URL(o.readerModule.pathname.endsWith('.ts') ? './search-worker.ts' : './search-worker.js', o.readerModule),
    currentSession: o.currentSession,
    log: (message, facts) => o.log.warn(facts, message),
  });
  const following = o.journal.onCommitted((events) => {
    if (events.some(({ kind }) => kind === 'message.sent')) search.onCommitted();
    // Once for a whole run, which removes messages in many small steps: they are not found from the first of these on.
    if (events.some(({ kind }) => kind === 'retention.applied')) search.onErased();
  });
  search.open();
  o.onEnd(async () => {
    following.dispose();
    await search.dispose();
  });
  return search;
}
