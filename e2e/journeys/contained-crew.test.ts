/** The sample crew in three containers without a network: to a right report, and through `kill -9` of the core. */
import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { callInside, tokenIn } from '#e2e/support/contained-agent.ts';
import { containerOf, docker, removeContainers } from '#e2e/support/containers.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { awaitReply, restTools, startSample } from '#e2e/support/crew-door.ts';
import { effort } from '#e2e/support/effort.ts';
import { expectReport } from '#e2e/support/expect-survey.ts';
import { surveyFacts } from '#e2e/support/facts.ts';
import { killInRounds } from '#e2e/support/kill-rounds.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { copyThisRepository } from '#e2e/support/this-repository.ts';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';

const CREW = ['scout', 'analyst-1', 'analyst-2'];
/** The image may have to be made first. */
const IMAGE_MS = 240_000;
const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

const Inspected = z
  .tuple([
    z.object({
      State: z.object({ Running: z.boolean() }),
      HostConfig: z.object({ NetworkMode: z.string() }),
      NetworkSettings: z.object({ Networks: z.record(z.string(), z.unknown()) }),
    }),
  ])
  .transform(([one]) => one);

describe.skipIf(ENGINE_MISSING)(`the sample crew in containers${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  it('ends with a right report, without a network', { timeout: IMAGE_MS }, async () => {
    await ensureTestKit();
    const folder = await copyThisRepository();
    const core = await startCore();
    try {
      const call = restTools(new RestClient(core));
      const { started } = await startSample(call, folder, { runtime: 'docker' });
      for (const id of CREW) {
        const { stdout } = await docker('inspect', await containerOf(core.dataDir, id));
        const { HostConfig, NetworkSettings } = Inspected.parse(JSON.parse(stdout));
        expect([HostConfig.NetworkMode, Object.keys(NetworkSettings.Networks)]).toEqual(['none', ['none']]);
      }
      await expectReport(folder, await awaitReply(call, started[0] ?? ''), await surveyFacts(folder));
    } finally {
      expect(await core.stop()).toBe(0);
      await removeContainers(core.dataDir);
      removeDataDir(core.dataDir);
      await rm(folder, { recursive: true, force: true });
    }
  });

  it(
    'goes on in the same containers after kill -9 of the core: no message lost or doubled, the report right, calls answered by the next core',
    { timeout: IMAGE_MS + effort.containerKillBudgetMs + 300_000 },
    async () => {
      await ensureTestKit();
      const least = effort.leastContainerKillRounds;
      const done = await killInRounds({
        runtime: 'docker',
        least,
        budgetMs: effort.containerKillBudgetMs,
        placesOf: (dataDir) => Promise.all(CREW.map((id) => containerOf(dataDir, id))),
        whileDead: async (dataDir) => {
          const scout = await containerOf(dataDir, 'scout');
          const waiting = callInside(scout, await tokenIn(scout), PING);
          for (const id of CREW) {
            const { stdout } = await docker('inspect', await containerOf(dataDir, id));
            expect(Inspected.parse(JSON.parse(stdout)).State.Running).toBe(true);
          }
          return async () => {
            const { status, body } = await waiting;
            expect(status, body).toBe('200');
          };
        },
        cleanUp: removeContainers,
      });
      expect(done).toBeGreaterThanOrEqual(least);
    },
  );
});
