/** Contained agents and the gateway with a real core: in nobody else's name, and through a core's death. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { callInside as postInside, tokenIn } from '#e2e/support/contained-agent.ts';
import { containerOf, insideContainer, removeContainers } from '#e2e/support/containers.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { Agent } from '#shared/agents/model.ts';
import { CONTROL_SOCKET } from '#shared/gateway/model.ts';
import { pathsOf } from '#core/paths.ts';
import { GatewayControl } from '#core/egress/gateway-control.ts';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';

const JOURNEY_MS = 240_000;
const WITHIN = { timeout: 60_000, interval: 50 };
const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

let dataDir: string;
let core: TestCore;
let folder: string;
let model: Server;

describe.skipIf(ENGINE_MISSING)(`contained agents${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  beforeAll(async () => {
    await ensureTestKit();
    dataDir = makeDataDir();
    folder = await mkdtemp(join(tmpdir(), 'qd-gate-'));
    model = createServer((_request, response) => response.end('the model'));
    await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
    core = await startCore({ dataDir });
    const rest = new RestClient(core);
    await rest.ok('PUT', '/secrets/TEST_KEY', { value: 'a-key-of-a-test' });
    const port = (model.address() as AddressInfo).port;
    await rest.ok('PUT', '/egress/model-apis', {
      modelApis: [
        {
          name: 'test',
          upstream: `http://127.0.0.1:${port}`,
          header: 'x-api-key',
          secret: 'TEST_KEY',
          variable: 'TEST_BASE_URL',
        },
      ],
    });
    for (const id of ['one', 'two']) {
      const agent = await rest.ok('POST', '/agents', {
        id,
        type: 'command',
        runtime: 'docker',
        modelApis: ['test'],
        command: ['sleep', '3600'],
        projectFolder: folder,
      });
      expect(Agent.parse(agent).boundary).toBe('container');
    }
  }, JOURNEY_MS);

  afterAll(async () => {
    expect(await core.stop()).toBe(0);
    // Nobody is served any more, so the gateway ended with its core.
    await expect(gateway().status()).rejects.toThrow(/does not answer/);
    await removeContainers(dataDir);
    removeDataDir(dataDir);
    model.closeAllConnections();
    model.close();
    rmSync(folder, { recursive: true });
  }, 60_000);

  it(
    'speak in their own name through their own socket, and no other token or way opens the agent port',
    { timeout: JOURNEY_MS },
    async () => {
      const [one, two] = [await containerOf(dataDir, 'one'), await containerOf(dataDir, 'two')];
      const [tokenOne, tokenTwo] = [await tokenIn(one), await tokenIn(two)];
      expect(await callInside(one, tokenOne)).toBe('200');
      expect(await callInside(two, tokenOne)).toBe('403');
      expect(await callInside(two, tokenOne, ['x-quarterdeck-agent: one'])).toBe('403');
      expect(await callInside(two, core.token)).toBe('403');
      expect(await callInside(two, tokenTwo)).toBe('200');
      const outside = await fetch(core.run.agentMcpUrl, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${tokenOne}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
        },
        body: PING,
      });
      expect(outside.status).toBe(403);
      const { rows } = z
        .object({ rows: z.array(z.object({ actor: z.object({ id: z.string() }), data: z.object({ reason: z.string() }) })) })
        .parse(await new RestClient(core).ok('GET', '/journal?kind=access.refused&limit=50'));
      const told = rows.map(({ actor, data }) => `${actor.id}: ${data.reason}`);
      expect(told).toContain('two: agent "two" used the token of agent "one": impersonation');
      expect(told).toContain('one: the token of agent "one", which is contained, was used outside its box');
    },
  );

  it('keep their model while the core is dead, and their calls wait for the next one', { timeout: JOURNEY_MS }, async () => {
    const one = await containerOf(dataDir, 'one');
    const token = await tokenIn(one);
    const { pid } = await gateway().status();
    await core.kill();

    const waiting = callInside(one, token);
    await vi.waitFor(async () => expect((await gateway().status()).waiting).toBe(1), WITHIN);
    expect((await insideContainer(one, 'sh', '-c', 'curl --silent "http://127.0.0.1:3129/test/v1"')).stdout).toBe('the model');
    expect(
      (
        await insideContainer(
          one,
          'sh',
          '-c',
          'curl --silent -o /dev/null -w "%{http_connect}" -p -x http://127.0.0.1:3128 https://example.org || true',
        )
      ).stdout,
    ).toBe('403');

    core = await startCore({ dataDir });
    expect(await waiting).toBe('200');
    expect((await gateway().status()).pid).toBe(pid);
    await vi.waitFor(async () => {
      const rest = new RestClient(core);
      for (const id of ['one', 'two']) expect(await rest.ok('GET', `/agents/${id}/egress`)).toMatchObject({ isServed: true });
      expect(await rest.ok('GET', '/egress/connections?agentId=one&outcome=refused')).toMatchObject({
        connections: [{ host: 'example.org', port: 443, reason: 'no rule allows it' }],
      });
    }, WITHIN);
  });
});

function gateway(): GatewayControl {
  return new GatewayControl(join(pathsOf(dataDir, process.env).socketDir, CONTROL_SOCKET));
}

/** The status of a call on the agent interface from inside. */
async function callInside(container: string, token: string, headers: readonly string[] = []): Promise<string> {
  return (await postInside(container, token, PING, headers)).status;
}
