/** For tests: the search on a real store, and ways to fill it fast. */
import { join } from 'node:path';
import type { SessionId } from '#shared/kernel/ids.ts';
import { mintId } from '#shared/kernel/ids.ts';
import { PRIORITIES } from '#shared/messages/model.ts';
import type { SearchPage } from '#shared/search/model.ts';
import type { TestMessages } from '#core/messages/testing/open-messages.ts';
import { OPERATOR_CALLER } from '#core/messages/testing/open-messages.ts';
import { SearchService } from '#core/search/search-service.ts';

/** A search, and what it said of its index. */
export interface TestSearch {
  readonly service: SearchService;
  readonly said: readonly string[];
  readonly file: string;
  /** Searches as the operator. */
  find(query: string, options?: Partial<Parameters<SearchService['search']>[0]>): Promise<SearchPage>;
  /** Searches until everything is indexed. */
  findAll(query: string, options?: Partial<Parameters<SearchService['search']>[0]>): Promise<SearchPage>;
}

/** Opens a search beside a test's messages; whoever opens it disposes of its service. */
export function openSearch(t: TestMessages, options: { now?: () => number } = {}): TestSearch {
  const said: string[] = [];
  const file = join(t.test.dir, 'search.db');
  const service = new SearchService({
    database: join(t.test.dir, 'quarterdeck.db'),
    index: file,
    module: new URL('../../search-worker.ts', import.meta.url),
    currentSession: () => sessionOf(t),
    log: (message, facts) => said.push(`${message}: ${String(facts['reason'])}`),
    ...options,
  });
  const find: TestSearch['find'] = (query, more = {}) =>
    service.search({ query, rank: 'newest', limit: 20, ...more }, OPERATOR_CALLER);
  return {
    service,
    said,
    file,
    find,
    findAll: async (query, more) => {
      for (;;) {
        const page = await find(query, more);
        if (page.isComplete) return page;
      }
    },
  };
}

/** The session of a test's messages. */
export function sessionOf(t: TestMessages): SessionId {
  return (t.test.store.peek((db) => db.prepare('SELECT id FROM sessions ORDER BY id LIMIT 1').get()) as { id: SessionId }).id;
}

/** A message to be stored as it is, without a service. */
export interface RawMessage {
  readonly body: string;
  readonly subject?: string;
  readonly from?: string;
  readonly to?: string;
  readonly kind?: string;
  readonly priority?: (typeof PRIORITIES)[number];
  readonly sentAt?: number;
}

/** Stores messages as they are, many in one transaction; returns their ids. */
export async function store(t: TestMessages, messages: readonly RawMessage[]): Promise<string[]> {
  const session = sessionOf(t);
  const ids: string[] = [];
  for (let at = 0; at < messages.length; at += 1_000) {
    const part = messages.slice(at, at + 1_000);
    await t.test.store.write((tx) => {
      const insert = tx.prepare(
        `INSERT INTO messages (id, project_id, session_id, from_kind, from_id, recipients, addressed_to, kind, priority, subject, body, thread_id, originator, sent_at)
         VALUES (?, ?, ?, 'agent', ?, ?, ?, ?, ?, ?, ?, ?, '{"kind":"agent","id":"a","boundary":"host"}', ?)`,
      );
      for (const message of part) {
        const id = mintId('msg');
        const to = JSON.stringify([message.to ?? 'operator']);
        ids.push(id);
        insert.run(
          id,
          t.projectId,
          session,
          message.from ?? 'a',
          to,
          to,
          message.kind ?? 'note',
          PRIORITIES.indexOf(message.priority ?? 'normal'),
          message.subject ?? null,
          message.body,
          id,
          message.sentAt ?? Date.now(),
        );
      }
    });
  }
  return ids;
}
