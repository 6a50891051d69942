/** `kill -9` of the core in the middle of the sample crew's job: the next core adopts the agents and the job ends right. */
import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { awaitReply, restTools, startSample } from '#e2e/support/crew-door.ts';
import { effort } from '#e2e/support/effort.ts';
import { expectReport } from '#e2e/support/expect-survey.ts';
import type { Facts } from '#e2e/support/facts.ts';
import { surveyFacts } from '#e2e/support/facts.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { copyThisRepository } from '#e2e/support/this-repository.ts';

const AgentList = z.object({
  agents: z.array(
    z.object({ id: z.string(), state: z.object({ status: z.string() }), run: z.object({ pid: z.number() }).nullable() }),
  ),
});
const History = z.object({
  messages: z.array(
    z.object({ id: z.string(), kind: z.string(), inReplyTo: z.string().nullable(), from: z.object({ id: z.string() }) }),
  ),
});
const Verified = z.object({ isIntact: z.boolean(), faults: z.array(z.unknown()) });

/** How far the job was when the core was killed: after this many messages of the history. */
async function untilMessages(core: TestCore, count: number): Promise<void> {
  const rest = new RestClient(core);
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    if (History.parse(await rest.ok('GET', '/messages')).messages.length >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`there were never ${count} messages`);
}

async function killRound(round: number, folder: string, facts: Facts): Promise<void> {
  const dataDir = makeDataDir();
  let core = await startCore({ dataDir });
  try {
    await rm(`${folder}/report.md`, { force: true });
    const { started, agents } = await startSample(restTools(new RestClient(core)), folder, `round-${round}`);
    // Rounds kill at different moments: right after the start, at the questions to the peers, at their answers.
    await untilMessages(core, 1 + (round % 4));
    const pids = AgentList.parse(await new RestClient(core).ok('GET', '/agents')).agents.map((agent) => agent.run?.pid);
    await core.kill();

    core = await startCore({ dataDir });
    const rest = new RestClient(core);
    const adopted = AgentList.parse(await rest.ok('GET', '/agents')).agents;
    expect(
      adopted.map((agent) => agent.run?.pid),
      'the same processes go on',
    ).toEqual(pids);
    for (const agent of adopted) expect(['starting', 'idle', 'working']).toContain(agent.state.status);

    await expectReport(folder, await awaitReply(restTools(rest), started[0] ?? ''), facts);
    // Nothing lost and nothing twice: one task, two questions, an answer to each.
    const { messages } = History.parse(await rest.ok('GET', '/messages'));
    const replies = messages.filter((message) => message.kind === 'reply').map((message) => message.inReplyTo);
    expect(replies.length, 'replies').toBe(3);
    expect(new Set(replies).size, 'no question answered twice').toBe(3);
    expect(messages.filter((message) => message.kind === 'request').length, 'requests').toBe(2);
    expect(agents).toHaveLength(3);
    expect(Verified.parse(await rest.ok('POST', '/journal:verify', {}))).toMatchObject({ isIntact: true, faults: [] });
  } finally {
    await core.stop();
    removeDataDir(dataDir);
  }
}

it(
  'goes on after kill -9 of the core: agents adopted, no message lost or doubled, the report right',
  { timeout: effort.killBudgetMs + 120_000 },
  async () => {
    // A part of this repository: the rounds are about the crash, and many small jobs meet more moments of it.
    const folder = await copyThisRepository('src-shared');
    const facts = await surveyFacts(folder);
    const deadline = Date.now() + effort.killBudgetMs;
    let done = 0;
    try {
      for (let round = 0; round < effort.killRounds && (done < effort.leastKillRounds || Date.now() < deadline); round += 1) {
        await killRound(round, folder, facts);
        done += 1;
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    console.info(`kill rounds done: ${done} of ${effort.killRounds}`);
    expect(done).toBeGreaterThanOrEqual(effort.leastKillRounds);
  },
);
