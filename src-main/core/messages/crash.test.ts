/** kill -9 in the middle of sending and acknowledging: what was acknowledged holds after the store is opened again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import * as z from 'zod';
import { effort } from '#e2e/support/effort.ts';
import type { InboxMessage } from '#shared/messages/model.ts';
import { PRIORITIES } from '#shared/messages/model.ts';
import { CRASH_AGENTS } from './testing/crash-agents.ts';
import type { KillAfter } from './testing/crash-children.ts';
import { CrashChildren } from './testing/crash-children.ts';
import type { TestMessages } from './testing/open-messages.ts';
import { agentCaller, openMessages } from './testing/open-messages.ts';

/** Rounds in one folder: what is checked grows with each round. */
const ROUNDS_PER_FOLDER = 30;
/** Longest time a child works before it is killed, in ms. */
const MAX_WORK_MS = 500;
/** The same where the time runs from the order to open, so that a kill is likely to hit the opening of a store. */
const MAX_OPENING_MS = 60;
/** More messages than a child can number. */
const NUMBERS_PER_ROUND = 1_000_000_000;

const FOREVER = new AbortController().signal;
const folders: string[] = [];

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-crash-'));
  folders.push(dir);
  return dir;
}

let children: CrashChildren | undefined;

afterEach(async () => {
  await children?.dispose();
  children = undefined;
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** What clients were told, over all rounds. Deliveries are named `<message> <recipient>`. */
interface Told {
  readonly sent: Set<string>;
  readonly acknowledging: Set<string>;
  readonly acknowledged: Set<string>;
}

/** Adds what the child's clients were told; returns what they should not have been told. */
function follow(lines: readonly string[], told: Told): string[] {
  const faults: string[] = [];
  for (const line of lines) {
    const space = line.indexOf(' ');
    const what = line.slice(space + 1);
    const verb = line.slice(0, space);
    if (verb === 'sent') told.sent.add(what);
    else if (verb === 'acknowledging') told.acknowledging.add(what);
    else if (verb === 'acknowledged') told.acknowledged.add(what);
    else if (verb !== 'taken' || told.acknowledged.has(what)) faults.push(line);
  }
  return faults;
}

/** All that an agent has not acknowledged and could be handed, as it lists it itself. */
async function wholeInbox(t: TestMessages, agent: string): Promise<InboxMessage[]> {
  const all: InboxMessage[] = [];
  for (;;) {
    const after = all.at(-1)?.id;
    const input = { unreadOnly: true, limit: 200, ...(after ? { after } : {}) };
    const page = await t.service.inbox(input, agentCaller(agent));
    all.push(...page.messages);
    if (page.messages.length === 0) return all;
  }
}

const Numbered = z.object({ number: z.number() });

/** Most urgent first; inside one priority in the order in which each sender sent. */
function checkOrder(inbox: readonly InboxMessage[]): void {
  const ranks = inbox.map((message) => PRIORITIES.indexOf(message.priority));
  expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  const last = new Map<string, number>();
  for (const message of inbox) {
    const { number } = Numbered.parse(message.data);
    const stream = `${message.priority} ${message.from.id}`;
    expect(number).toBeGreaterThan(last.get(stream) ?? 0);
    last.set(stream, number);
  }
}

const Row = z.object({ id: z.string(), recipient: z.string(), isRead: z.number(), isHeld: z.number(), isDead: z.number() });

async function checkStore(t: TestMessages, told: Told): Promise<void> {
  const rows = t.test.store.peek((db) =>
    db
      .prepare(
        'SELECT m.id, d.recipient, d.read_at IS NOT NULL AS isRead, d.held_until IS NOT NULL AS isHeld, d.dead_at IS NOT NULL AS isDead FROM deliveries d JOIN messages m ON m.seq = d.message_seq',
      )
      .all()
      .map((row) => Row.parse(row)),
  );
  const ids = new Set(rows.map((row) => row.id));
  expect(
    [...told.sent].filter((id) => !ids.has(id)),
    'sends that were answered and are missing',
  ).toEqual([]);
  const read = new Set(rows.filter((row) => row.isRead === 1).map((row) => `${row.id} ${row.recipient}`));
  expect(
    [...told.acknowledged].filter((delivery) => !read.has(delivery)),
    'acknowledgements that were answered and are missing',
  ).toEqual([]);
  expect(
    [...read].filter((delivery) => !told.acknowledging.has(delivery)),
    'acknowledged although nobody did',
  ).toEqual([]);
  // Together: their writes share commits.
  await Promise.all(
    CRASH_AGENTS.map(async (agent) => {
      // What waits for the agent is what was never handed out, or came back: none of it is acknowledged.
      const page = await t.service.wait({ timeoutMs: 0, limit: 200 }, agentCaller(agent), FOREVER);
      checkOrder(page.messages);
      expect(page.messages.filter((message) => told.acknowledged.has(`${message.id} ${agent}`))).toEqual([]);
      const inbox = await wholeInbox(t, agent);
      // What is held back after its lease ended comes later; what was handed out ten times, never.
      const unread = rows.filter((row) => row.recipient === agent && row.isRead + row.isHeld + row.isDead === 0);
      expect(inbox.map((message) => message.id).sort()).toEqual(unread.map((row) => row.id).sort());
      checkOrder(inbox);
    }),
  );
}

/** When a round's kill may come: while a store is opened, at any moment after, or after some work at least. */
function killOf(round: number): { from: KillAfter; mostMs: number } {
  if (round % 3 === 2) return { from: 'told', mostMs: MAX_OPENING_MS };
  // Every other one of these has done some work at least, however slow the machine is.
  return { from: round % 3 === 0 ? 'acknowledged' : 'ready', mostMs: MAX_WORK_MS };
}

it(
  'loses nothing that was acknowledged, and shows nothing acknowledged again',
  async () => {
    const startedAt = performance.now();
    const isInTime = (): boolean => performance.now() - startedAt < effort.crashBudgetMs;
    children = new CrashChildren(newFolder());
    let rounds = 0;
    let [sent, acknowledged] = [0, 0];
    while (rounds < effort.crashRounds && isInTime()) {
      const told: Told = { sent: new Set(), acknowledging: new Set(), acknowledged: new Set() };
      const dir = newFolder();
      for (let round = 0; round < ROUNDS_PER_FOLDER && rounds < effort.crashRounds && isInTime(); round += 1) {
        const { from, mostMs } = killOf(round);
        const order = { dir, after: round * NUMBERS_PER_ROUND };
        const [first, ...lines] = await children.runAndKill(order, Math.random() * mostMs, from);
        expect(from === 'told' ? (first ?? 'ready') : first).toBe('ready');
        expect(follow(lines, told), 'lines that should not be there: unknown, or handed out after it was acknowledged').toEqual(
          [],
        );
        await checkFolder(dir, told);
        rounds += 1;
      }
      sent += told.sent.size;
      acknowledged += told.acknowledged.size;
    }
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    process.stdout.write(
      `messages: ${rounds} kills in ${seconds} s, ${sent} sends and ${acknowledged} acknowledgements answered\n`,
    );
    expect(rounds, `rounds done in ${seconds} s`).toBeGreaterThanOrEqual(effort.leastCrashRounds);
    expect(sent).toBeGreaterThan(0);
    expect(acknowledged).toBeGreaterThan(0);
  },
  effort.crashBudgetMs + 90_000,
);

async function checkFolder(dir: string, told: Told): Promise<void> {
  // In one moment: nothing comes due while it is looked at. Nobody has a turn before more urgent ones.
  const now = Date.now();
  const t = await openMessages({ dir, now: () => now, extend: async () => ({ fairAfterMs: Number.POSITIVE_INFINITY }) });
  try {
    for (const agent of CRASH_AGENTS) t.addAgent(agent);
    await t.service.settle();
    await checkStore(t, told);
  } finally {
    await t.close();
  }
}
