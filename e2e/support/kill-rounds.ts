/** For specs: `kill -9` of the core in the middle of the sample crew's job, in any runtime. */
import { rm } from 'node:fs/promises';
import { expect } from 'vitest';
import * as z from 'zod';
import type { RuntimeKind } from '#shared/runtimes/model.ts';
import type { TestCore } from './core.ts';
import { makeDataDir, removeDataDir, startCore } from './core.ts';
import { awaitReply, restTools, startSample } from './crew-door.ts';
import { effort } from './effort.ts';
import { expectReport } from './expect-survey.ts';
import type { Facts } from './facts.ts';
import { surveyFacts } from './facts.ts';
import { RestClient } from './rest-client.ts';
import { copyThisRepository } from './this-repository.ts';

const AgentList = z.object({
  agents: z.array(
    z.object({
      id: z.string(),
      boundary: z.string(),
      state: z.object({ status: z.string() }),
      run: z.object({ id: z.string(), pid: z.number() }).nullable(),
    }),
  ),
});
const History = z.object({
  messages: z.array(
    z.object({ id: z.string(), kind: z.string(), inReplyTo: z.string().nullable(), from: z.object({ id: z.string() }) }),
  ),
});
const Verified = z.object({ isIntact: z.boolean(), faults: z.array(z.unknown()) });

/** How rounds are done. */
export interface KillRounds {
  readonly runtime: RuntimeKind;
  /** So many are done, whatever time they take. */
  readonly least: number;
  /** What they may take together, in ms, once so many are done; no further one begins after it. */
  readonly budgetMs: number;
  /** What is besides the same before and after: containers. */
  readonly placesOf?: (dataDir: string) => Promise<readonly string[]>;
  /** Called when the core is dead; what it returns is awaited when the next one is there. */
  readonly whileDead?: (dataDir: string) => Promise<() => Promise<void>>;
  /** Called before a data folder is removed. */
  readonly cleanUp?: (dataDir: string) => Promise<void>;
}

/** How far the job was when the core was killed: after this many messages of the history. */
async function untilMessages(core: TestCore, count: number): Promise<void> {
  const rest = new RestClient(core);
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (History.parse(await rest.ok('GET', '/messages')).messages.length >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`there were never ${count} messages`);
}

/** One round. Resolves with what is left to be done after it, which the next round need not wait for: ending its crew, removing it. */
async function killRound(o: KillRounds, round: number, folder: string, facts: Facts): Promise<() => Promise<void>> {
  const dataDir = makeDataDir();
  let core = await startCore({ dataDir });
  const end = async (): Promise<void> => {
    await core.stop();
    await o.cleanUp?.(dataDir);
    removeDataDir(dataDir);
  };
  try {
    await rm(`${folder}/report.md`, { force: true });
    const call = restTools(new RestClient(core));
    const { started, agents } = await startSample(call, folder, { key: `round-${round}`, runtime: o.runtime });
    // Rounds kill at different moments: right after the start, at the questions to the peers, at their answers.
    await untilMessages(core, 1 + (round % 4));
    const runs = runsOf(await new RestClient(core).ok('GET', '/agents'));
    const places = await o.placesOf?.(dataDir);
    await core.kill();
    const finish = await o.whileDead?.(dataDir);

    core = await startCore({ dataDir });
    const rest = new RestClient(core);
    const adopted = await rest.ok('GET', '/agents');
    expect(runsOf(adopted), 'the same processes go on').toEqual(runs);
    for (const agent of AgentList.parse(adopted).agents) expect(['starting', 'idle', 'working']).toContain(agent.state.status);
    await finish?.();

    await expectReport(folder, await awaitReply(restTools(rest), started[0] ?? ''), facts);
    expect(await o.placesOf?.(dataDir), 'in the same places').toEqual(places);
    // Nothing lost and nothing twice: one task, two questions, an answer to each.
    const { messages } = History.parse(await rest.ok('GET', '/messages'));
    const replies = messages.filter((message) => message.kind === 'reply').map((message) => message.inReplyTo);
    expect(replies.length, 'replies').toBe(3);
    expect(new Set(replies).size, 'no question answered twice').toBe(3);
    expect(messages.filter((message) => message.kind === 'request').length, 'requests').toBe(2);
    expect(agents).toHaveLength(3);
    expect(Verified.parse(await rest.ok('POST', '/journal:verify', {}))).toMatchObject({ isIntact: true, faults: [] });
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}

/** Which process each agent is, and what holds it. */
function runsOf(list: unknown): (string | number | undefined)[][] {
  return AgentList.parse(list).agents.map(({ id, boundary, run }) => [id, boundary, run?.id, run?.pid]);
}

/** Does as many rounds as the effort says, time-boxed, and tells how many they were. */
export async function killInRounds(o: KillRounds): Promise<number> {
  // A part of this repository: the rounds are about the crash, and many small jobs meet more moments of it.
  const folder = await copyThisRepository('src-shared');
  const facts = await surveyFacts(folder);
  const startedAt = Date.now();
  const deadline = startedAt + o.budgetMs;
  let done = 0;
  let ending: Promise<unknown> = Promise.resolve();
  try {
    for (let round = 0; round < effort.killRounds && (done < o.least || Date.now() < deadline); round += 1) {
      const end = await killRound(o, round, folder, facts);
      done += 1;
      // One round ends while the next begins, and no more than one.
      await ending;
      ending = end();
      ending.catch(() => undefined);
    }
    await ending;
  } finally {
    await ending.catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  console.info(`kill rounds done in ${o.runtime}: ${done} of ${effort.killRounds} in ${seconds} s`);
  return done;
}
