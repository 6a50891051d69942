/**
 * Fleets for pictures, sweeps and measurements: 0, 3, 40 and 500 agents of a real core. What they print and say is what
 * they do. Knows no browser.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { McpSocket } from '#e2e/bench/drivers/mcp-socket.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { Agent } from '#shared/agents/model.ts';
import { InboxMessage } from '#shared/messages/model.ts';
import { CREW, SPOKEN_FOR } from './crew.ts';
import type { CrewMember } from './crew.ts';
import { makeHarbor } from './harbor.ts';

/** The fleets by the number of their agents. */
export const FLEETS = [0, 3, 40, 500] as const;
/** The fleets by the number of their agents. */
export type FleetSize = (typeof FLEETS)[number];

/** A fleet stands as it should after at most this long, in milliseconds: ten times what it needs on a quiet machine. */
const READY_TIMEOUT_MS = 120_000;
const LOOK_EVERY_MS = 100;
/** Agents that are made at one time. */
const AT_ONCE = 8;
/** The places of the fleet of 500 that were never started. */
const SPARE = 460;

const WORK_LOG = new URL('./work-log.sh', import.meta.url).pathname;
const ASKING_AGENT = new URL('../asking-agent.ts', import.meta.url).pathname;

const Inbox = z.object({ messages: z.array(InboxMessage) });
const Sent = z.object({ messageId: z.string() });

/** Makes a fleet on a core that has no agents yet, and waits until it stands as it should. */
export async function makeFleet(core: TestCore, size: FleetSize): Promise<void> {
  const rest = new RestClient(core);
  if (size === 0) return;
  if (size === 3) {
    await rest.ok('POST', '/teams:sample', { asksOperator: true });
    await until('the sample crew asks its question', async () => (await questions(rest)) === 1);
    return;
  }
  await makeCrew(core, rest);
  if (size === 500) await makeSpare(rest, join(core.dataDir, 'harbor'));
}

/** Ends a core with its fleet and removes what it kept. One that was killed is started again for that: paused agents end by no other hand. */
export async function endFleet(core: TestCore): Promise<void> {
  if ((await core.stop()) === null) await (await startCore({ dataDir: core.dataDir })).stop();
  removeDataDir(core.dataDir);
}

async function questions(rest: RestClient): Promise<number> {
  const { messages } = Inbox.parse(await rest.ok('GET', '/inbox'));
  return messages.filter(({ kind }) => kind === 'request').length;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${READY_TIMEOUT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Some at a time, in order. */
async function inGroups<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < items.length; from += AT_ONCE) await Promise.all(items.slice(from, from + AT_ONCE).map(act));
}

async function makeCrew(core: TestCore, rest: RestClient): Promise<void> {
  const folder = join(core.dataDir, 'harbor');
  const tokens = join(core.dataDir, 'tokens');
  mkdirSync(folder);
  mkdirSync(tokens);
  makeHarbor(folder);
  await rest.ok('POST', '/projects', { folder });
  await inGroups(CREW, (member) => rest.ok('POST', '/agents', draftOf(member, folder, tokens)));
  const crew = new Map(CREW.map((member) => [member.id, member]));
  // Work goes to workers as it does from an operator: by message.
  for (const { id, task, subject } of CREW)
    if (task !== undefined) await rest.ok('POST', '/messages', { to: id, kind: 'task', subject, body: subject, data: task });
  await talk(core, rest, tokens);
  await until('all agents do what they are there for', async () => {
    const { agents } = z.object({ agents: z.array(Agent) }).parse(await rest.ok('GET', '/agents?limit=500'));
    return agents.every(({ id, state }) => {
      const wanted = crew.get(id)?.becomes ?? 'running';
      if (wanted === 'paused' || wanted === 'put-away' || wanted === 'running')
        return !['created', 'starting'].includes(state.status);
      return state.status === wanted;
    });
  });
  for (const { id, becomes } of CREW) {
    if (becomes === 'paused') await rest.ok('POST', `/agents/${id}/pause`, {});
    if (becomes === 'put-away') await rest.ok('POST', `/agents/${id}/stop`, {});
  }
  await until('two agents ask the operator', async () => (await questions(rest)) === 2);
}

function draftOf(member: CrewMember, projectFolder: string, tokens: string): Record<string, unknown> {
  const { id, description, capabilities = [], job, asks, becomes } = member;
  const shared = { id, description, capabilities, projectFolder, start: becomes !== 'created' };
  if (asks !== undefined)
    return { ...shared, type: 'command', command: [process.execPath, ASKING_AGENT, JSON.stringify([asks])] };
  if (job === undefined) return { ...shared, type: 'worker' };
  const speaks = SPOKEN_FOR.includes(id) ? [join(tokens, id)] : [];
  return { ...shared, type: 'command', command: ['bash', WORK_LOG, job, ...speaks] };
}

/** What the crew has said to one another by now, with everything acknowledged but the last. */
async function talk(core: TestCore, rest: RestClient, tokens: string): Promise<void> {
  const sockets = new Map<string, McpSocket>();
  for (const id of SPOKEN_FOR) {
    let token = '';
    await until(`${id} handed over its token`, async () => {
      token = tokenIn(join(tokens, id));
      return token !== '';
    });
    sockets.set(id, await McpSocket.open(core.run.agentWsUrl, token));
  }
  const as = (id: string): McpSocket => {
    const socket = sockets.get(id);
    if (socket === undefined) throw new Error(`nobody speaks for ${id}`);
    return socket;
  };
  const send = async (from: string, to: string, body: string, more: Record<string, unknown> = {}): Promise<string> =>
    Sent.parse(await as(from).call('send_message', { to, body, ...more })).messageId;
  const read = async (id: string): Promise<void> => {
    const { messages } = Inbox.parse(await as(id).call('wait_for_messages', { timeoutMs: 0, limit: 50 }));
    if (messages.length > 0) await as(id).call('mark_messages_read', { messageIds: messages.map((message) => message.id) });
  };
  const [ada = '', ben = '', cleo = '', dora = ''] = SPOKEN_FOR;
  await publish({ as, send, crew: [ada, ben, cleo, dora] });
  await letDie(rest, [ada, ben]);
  await send(ada, ben, 'I take `src/fee.mjs`. Please stay out of it until I say so.');
  await read(ben);
  const tables = await send(ben, ada, 'Which tide tables are right for 2027?', {
    kind: 'request',
    subject: 'Tide tables',
    priority: 'high',
  });
  await read(ada);
  await send(ada, ben, 'Those in `docs/pilots.md`; the ones in `src/tide.mjs` end with 2026.', {
    kind: 'reply',
    inReplyTo: tables,
  });
  await read(ben);
  const links = await send(cleo, dora, 'One link in `docs/index.md` leads nowhere: fees.md. Can you write that page?', {
    kind: 'request',
    subject: 'A missing page',
  });
  await read(dora);
  await send(dora, cleo, 'Yes. It will say:\n\n1. what a berth costs,\n2. what a pilot costs,\n3. when a fee is paid back.', {
    kind: 'reply',
    inReplyTo: links,
  });
  await read(cleo);
  await send(dora, '*', 'docs/fees.md is being written. Please send me what has to stand in it.');
  await read(ada);
  await send(ada, 'operator', 'The fees are rounded half to even now; 10 tests hold it.');
  await send(cleo, ben, 'Names of files are all in kebab-case.', { priority: 'low' });
  for (const socket of sockets.values()) socket.close();
}

interface Voices {
  readonly as: (id: string) => McpSocket;
  readonly send: (from: string, to: string, body: string) => Promise<string>;
  readonly crew: readonly [string, string, string, string];
}

/** Some of them say what they hear of topics; the operator hears nothing of it but by looking. */
async function publish({ as, send, crew: [ada, ben, cleo, dora] }: Voices): Promise<void> {
  await as(ben).call('subscribe_topics', { patterns: ['tests.#'] });
  await as(cleo).call('subscribe_topics', { patterns: ['tests.fee', 'docs.*'] });
  await send(ada, 'topic:tests.fee', 'Ten of ten hold after 3f2c1a9.');
  await send(dora, 'topic:docs.fees', 'The page stands; the last table is still empty.');
  await send(ada, 'topic:tests.tide', 'Two of eight fail: the tables of 2027 are missing.');
}

/** Two messages end as dead letters: one of which the time is up, and one that is taken back. */
async function letDie(rest: RestClient, [ada, ben]: readonly [string, string]): Promise<void> {
  // Whoever is not started does not read it.
  const [idle = ada] = CREW.filter(({ becomes }) => becomes === 'created').map(({ id }) => id);
  await rest.ok('POST', '/messages', { to: idle, body: 'Only if you are up just now: rebase onto main.', ttlMs: 1_000 });
  const { messageId } = Sent.parse(
    await rest.ok('POST', '/messages', { to: ben, body: 'Delete `src/old` too.', delayMs: 3_600_000 }),
  );
  await rest.ok('POST', `/messages/${messageId}/cancel`, {});
  await until('the time of a message is up', async () => {
    const { messages } = z
      .object({ messages: z.array(z.unknown()) })
      .parse(await rest.ok('GET', '/messages:dead?reason=expired'));
    return messages.length > 0;
  });
}

function tokenIn(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    return text.endsWith('\n') ? text.trim() : '';
  } catch {
    // Not written yet.
    return '';
  }
}

/** Agents that were made and never started: what a fleet costs by its number alone. */
async function makeSpare(rest: RestClient, projectFolder: string): Promise<void> {
  const numbers = Array.from({ length: SPARE }, (_, index) => String(index + 1).padStart(3, '0'));
  await inGroups(numbers, (number) =>
    rest.ok('POST', '/agents', {
      id: `spare-${number}`,
      type: Number(number) % 3 === 0 ? 'worker' : 'command',
      ...(Number(number) % 3 === 0 ? {} : { command: ['bash', WORK_LOG, 'lines'] }),
      capabilities: [Number(number) % 2 === 0 ? 'review' : 'testing'],
      description: `Waits for share ${Number(number)} of ${SPARE}`,
      projectFolder,
      start: false,
    }),
  );
}
