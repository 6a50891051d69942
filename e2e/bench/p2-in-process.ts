/** The in-process part of P2: the router and the store without a door, against the bare statements in batches of the same size. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { Caller } from '#core/caller.ts';
import { handlersFrom } from '#core/http/testing/open-doors.ts';
import { messagesHandlers } from '#core/messages/handlers.ts';
import { agentCaller, openMessages } from '#core/messages/testing/open-messages.ts';
import { createRouter } from '#core/rpc/router.ts';
import { openDatabase } from '#core/store/database.ts';
import { removeFolder, scratchFolder } from '#core/runtimes/testing/support.ts';
import * as z from 'zod';

const MESSAGES = 10_000;
/** Calls at the same time, and statements of one transaction. */
const AT_ONCE = 50;
const BODY = 'x'.repeat(500);

const Sent = z.object({ messageId: z.string() });

/** Messages a second, sent, handed out and acknowledged: through the router, and as bare statements. A value for each run. */
export async function measureInProcess(runs: number): Promise<{ readonly router: number[]; readonly raw: number[] }> {
  const router: number[] = [];
  const raw: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    router.push(await throughRouter());
    raw.push(bareStatements());
  }
  return { router, raw };
}

async function throughRouter(): Promise<number> {
  const messages = await openMessages();
  try {
    const callers: Caller[] = Array.from({ length: AT_ONCE }, (_, index) => messages.addAgent(`agent-${index}`));
    const rpc = createRouter({
      handlers: handlersFrom({ messages: messagesHandlers(messages.service) }),
      store: messages.test.store,
      log: { error: (facts) => console.error(facts) },
      metrics: new Registry(),
    });
    const startedAt = performance.now();
    await Promise.all(
      callers.map(async (caller, index) => {
        const to = `agent-${(index + 1) % AT_ONCE}`;
        const receiver = agentCaller(to);
        for (let n = 0; n < MESSAGES / AT_ONCE; n += 1) {
          const { messageId } = Sent.parse(await rpc.invoke('messages.send', { to, body: BODY }, caller));
          await rpc.invoke('messages.wait', { timeoutMs: 0, limit: 1 }, receiver);
          await rpc.invoke('messages.markRead', { messageIds: [messageId] }, receiver);
        }
      }),
    );
    return (MESSAGES / (performance.now() - startedAt)) * 1_000;
  } finally {
    await messages.dispose();
  }
}

/** The rows that a message cannot do without, with one commit for a batch of sends, one of hand-outs, one of acknowledgements. */
function bareStatements(): number {
  const folder = scratchFolder();
  const db = openDatabase(join(folder, 'raw.db'));
  try {
    db.exec(`CREATE TABLE messages (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sender TEXT NOT NULL, body TEXT NOT NULL) STRICT;
      CREATE TABLE deliveries (seq INTEGER NOT NULL, recipient TEXT NOT NULL, delivered_at INTEGER, read_at INTEGER, PRIMARY KEY (seq, recipient)) STRICT, WITHOUT ROWID;
      CREATE INDEX queued ON deliveries(recipient, seq) WHERE read_at IS NULL;`);
    const message = db.prepare('INSERT INTO messages (seq, id, sender, body) VALUES (?, ?, ?, ?)');
    const delivery = db.prepare('INSERT INTO deliveries (seq, recipient) VALUES (?, ?)');
    const first = db.prepare(
      'SELECT m.seq, m.body FROM deliveries d JOIN messages m USING (seq) WHERE d.recipient = ? AND d.read_at IS NULL ORDER BY d.seq LIMIT 1',
    );
    const deliver = db.prepare('UPDATE deliveries SET delivered_at = ? WHERE seq = ? AND recipient = ?');
    const read = db.prepare('UPDATE deliveries SET read_at = ? WHERE seq = ? AND recipient = ?');
    const inBatch = (work: (lane: number) => void): void => {
      db.exec('BEGIN IMMEDIATE');
      for (let lane = 0; lane < AT_ONCE; lane += 1) work(lane);
      db.exec('COMMIT');
    };
    const startedAt = performance.now();
    for (let seq = 0; seq < MESSAGES; seq += AT_ONCE) {
      inBatch((lane) => {
        message.run(seq + lane + 1, randomUUID(), `agent-${lane}`, BODY);
        delivery.run(seq + lane + 1, `agent-${lane}`);
      });
      inBatch((lane) => {
        first.get(`agent-${lane}`);
        deliver.run(1, seq + lane + 1, `agent-${lane}`);
      });
      inBatch((lane) => read.run(1, seq + lane + 1, `agent-${lane}`));
    }
    return (MESSAGES / (performance.now() - startedAt)) * 1_000;
  } finally {
    db.close();
    removeFolder(folder);
  }
}
