/**
 * The sample crew where containers see no socket of the host, as with an engine in a virtual machine: everything that it says goes
 * through lines, which outlive the core and come back after the gateway's death.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { callInside, tokenIn } from '#e2e/support/contained-agent.ts';
import { containerOf, insideContainer, removeContainers } from '#e2e/support/containers.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { awaitReply, restTools, startSample } from '#e2e/support/crew-door.ts';
import { expectReport } from '#e2e/support/expect-survey.ts';
import { surveyFacts } from '#e2e/support/facts.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { copyThisRepository } from '#e2e/support/this-repository.ts';
import { CONTROL_SOCKET } from '#shared/gateway/model.ts';
import { GatewayControl } from '#core/egress/gateway-control.ts';
import { pathsOf } from '#core/paths.ts';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';

const JOURNEY_MS = 300_000;
const WITHIN = { timeout: 60_000, interval: 100 };
const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

describe.skipIf(ENGINE_MISSING)(`the sample crew through lines${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  it('ends with a right report, and goes on after kill -9 of the core and of the gateway', { timeout: JOURNEY_MS }, async () => {
    await ensureTestKit();
    const folder = await copyThisRepository();
    const dataDir = makeDataDir();
    const env = { QUARTERDECK_CONTAINER_SOCKETS: 'line' };
    const gateway = new GatewayControl(join(pathsOf(dataDir, process.env).socketDir, CONTROL_SOCKET));
    let core = await startCore({ dataDir, env });
    try {
      const call = restTools(new RestClient(core));
      const { started } = await startSample(call, folder, { runtime: 'docker' });
      const scout = await containerOf(dataDir, 'scout');
      expect((await insideContainer(scout, 'ls', '/run')).stdout).not.toContain('quarterdeck');
      await expectReport(folder, await awaitReply(call, started[0] ?? ''), await surveyFacts(folder));

      const token = await tokenIn(scout);
      const { pid } = await gateway.status();
      const before = (await gateway.status()).waiting;
      await core.kill();
      const waiting = callInside(scout, token, PING);
      // Through the line, while no core is there.
      await vi.waitFor(async () => expect((await gateway.status()).waiting).toBeGreaterThan(before), WITHIN);
      core = await startCore({ dataDir });
      expect((await waiting).status).toBe('200');
      expect((await gateway.status()).pid).toBe(pid);

      // The next core knows of the line by the container, though by itself it would make none.
      await vi.waitFor(
        async () => expect(await new RestClient(core).ok('GET', '/agents/scout/egress')).toMatchObject({ isServed: true }),
        WITHIN,
      );
      process.kill(pid, 'SIGKILL');
      await vi.waitFor(async () => {
        expect((await gateway.status()).pid).not.toBe(pid);
        expect((await callInside(scout, token, PING)).status).toBe('200');
      }, WITHIN);
    } finally {
      expect(await core.stop()).toBe(0);
      await removeContainers(dataDir);
      removeDataDir(dataDir);
      await rm(folder, { recursive: true, force: true });
    }
  });
});
