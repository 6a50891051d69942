/** Handlers of the journal's procedures. */
import type { journalContract } from '#shared/journal/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { AppStore } from '#core/reads.ts';
import type { FollowSource } from './follow.ts';
import { follow } from './follow.ts';
import { readHeadFile } from './head-file.ts';
import { verifyJournal } from './verify.ts';

/** What the handlers work with. */
export interface JournalHandlerOptions {
  readonly store: AppStore;
  readonly source: FollowSource;
  readonly headFile: string;
  readonly auditKey: Uint8Array;
}

/** Handlers of the journal's procedures. */
export function journalHandlers(o: JournalHandlerOptions): HandlersOf<typeof journalContract> {
  return {
    snapshot: () => o.store.read('state.snapshot', {}),
    follow: async (input, { signal }) => follow(o.source, input.after, signal),
    list: (input) => o.store.read('journal.page', input),
    verify: async () => {
      const { faults, ...result } = await verifyJournal(o.auditKey, readHeadFile(o.headFile, o.auditKey), (after, limit) =>
        o.store.read('journal.raw', { after, limit }),
      );
      return { ...result, faults: [...faults] };
    },
  };
}
