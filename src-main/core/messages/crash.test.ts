/** kill -9 in the middle of sending and acknowledging: what was acknowledged holds after the store is opened again. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import * as z from 'zod';
import { effort, isDeep } from '#e2e/support/effort.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { InboxMessage } from '#shared/messages/model.ts';
import { PRIORITIES } from '#shared/messages/model.ts';
import { CRASH_AGENTS } from './testing/crash-agents.ts';
import type { TestMessages } from './testing/open-messages.ts';
import { agentCaller, openMessages, OPERATOR_CALLER } from './testing/open-messages.ts';

const CHILD = fileURLToPath(new URL('./testing/crash-child.ts', import.meta.url));
/** Rounds in one folder, and in how many folders one after the other: what is checked grows with each round. */
const ROUNDS_PER_FOLDER = 30;
const ROUNDS = isDeep ? 300 : ROUNDS_PER_FOLDER;
const BUDGET_MS = isDeep ? 240_000 : effort.roundsBudgetMs;
/** Longest time a child works before it is killed, in ms. */
const MAX_WORK_MS = 350;
/** How long a child may take to start on a busy machine, in ms. */
const START_DEADLINE_MS = 30_000;

const folders: string[] = [];

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-crash-'));
  folders.push(dir);
  return dir;
}

afterEach(() => {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** What clients were told, over all rounds. Deliveries are named `<message> <recipient>`. */
interface Told {
  readonly sent: Set<string>;
  readonly acknowledging: Set<string>;
  readonly acknowledged: Set<string>;
}

/** Runs the child until it is killed, so long after the first line of a sort; returns its lines. */
async function runAndKill(dir: string, workMs: number, from: 'ready' | 'acknowledged'): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  let killTimer: NodeJS.Timeout | undefined;
  const deadline = setTimeout(() => child.kill('SIGKILL'), START_DEADLINE_MS);
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    // The moment of the kill is what is random here, so it goes by the clock.
    if (from === 'ready' || output.includes(`\n${from} `)) killTimer ??= setTimeout(() => child.kill('SIGKILL'), workMs);
  });
  const signal = await new Promise((resolve) => child.on('close', (_code, by) => resolve(by)));
  clearTimeout(deadline);
  clearTimeout(killTimer);
  expect([signal, errors]).toEqual(['SIGKILL', '']);
  // The last piece is empty, or a line that the kill cut off.
  return output.split('\n').slice(0, -1);
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

async function wholeInbox(t: TestMessages, agent: string): Promise<InboxMessage[]> {
  const all: InboxMessage[] = [];
  for (;;) {
    const after = all.at(-1)?.id;
    const page = await t.service.inbox(
      { unreadOnly: true, limit: 200, agentId: AgentId.parse(agent), ...(after ? { after } : {}) },
      OPERATOR_CALLER,
    );
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

const Row = z.object({ id: z.string(), recipient: z.string(), isRead: z.number(), isHeld: z.number() });

async function checkStore(t: TestMessages, told: Told): Promise<void> {
  const rows = t.test.store.peek((db) =>
    db
      .prepare(
        'SELECT m.id, d.recipient, d.read_at IS NOT NULL AS isRead, d.held_until IS NOT NULL AS isHeld FROM deliveries d JOIN messages m ON m.seq = d.message_seq',
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
  for (const agent of CRASH_AGENTS) {
    const inbox = await wholeInbox(t, agent);
    // What is held back after its lease ended comes later.
    const unread = rows.filter((row) => row.recipient === agent && row.isRead === 0 && row.isHeld === 0).map((row) => row.id);
    expect(inbox.map((message) => message.id).sort()).toEqual(unread.sort());
    expect(t.service.unreadOf(agent)).toBe(unread.length);
    checkOrder(inbox);
    // What waits for the agent is what was never handed out: none of it is acknowledged.
    const page = await t.service.wait({ timeoutMs: 0, limit: 200 }, agentCaller(agent), new AbortController().signal);
    checkOrder(page.messages);
    expect(page.messages.filter((message) => told.acknowledged.has(`${message.id} ${agent}`))).toEqual([]);
  }
}

it(
  'loses nothing that was acknowledged, and shows nothing acknowledged again',
  async () => {
    const endsAt = performance.now() + BUDGET_MS;
    let rounds = 0;
    let [sent, acknowledged] = [0, 0];
    while (rounds < ROUNDS && performance.now() < endsAt) {
      const told: Told = { sent: new Set(), acknowledging: new Set(), acknowledged: new Set() };
      const dir = newFolder();
      for (let round = 0; round < ROUNDS_PER_FOLDER && performance.now() < endsAt; round += 1) {
        const [first, ...lines] = await runAndKill(
          dir,
          Math.random() * MAX_WORK_MS,
          // Every other one has done some work at least, however slow the machine is.
          round % 2 === 0 ? 'acknowledged' : 'ready',
        );
        expect(first).toBe('ready');
        expect(follow(lines, told), 'lines that should not be there: unknown, or handed out after it was acknowledged').toEqual(
          [],
        );
        await checkFolder(dir, told);
        rounds += 1;
      }
      sent += told.sent.size;
      acknowledged += told.acknowledged.size;
    }
    process.stdout.write(`messages: ${rounds} kills, ${sent} sends and ${acknowledged} acknowledgements answered\n`);
    expect(rounds).toBeGreaterThanOrEqual(effort.leastRounds);
    expect(sent).toBeGreaterThan(0);
    expect(acknowledged).toBeGreaterThan(0);
  },
  BUDGET_MS + 90_000,
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
