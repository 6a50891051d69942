/**
 * What a hostile program does from inside a container: it uses up everything, plants links, floods the agent interface, speaks in
 * others' names, and asks the proxy for what lies behind it. The core answers, the others go on, states are told with their reason.
 * Names in TLS (another server name, none, split ones) are the gateway's own tests: without a network nothing public answers here.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { callInside, curlInside, nodeInside, tokenIn, toolInside } from '#e2e/support/contained-agent.ts';
import { containerOf, docker, insideContainer, removeContainers } from '#e2e/support/containers.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { awaitReply, restTools } from '#e2e/support/crew-door.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { Agent } from '#shared/agents/model.ts';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';

const JOURNEY_MS = 240_000;
const WITHIN = { timeout: 60_000, interval: 100 };
/** What the hog may use: little, so that it is used up soon. */
const LIMITS = { memory: '128MB', cpu: '0.5', processes: 64, tmp: '16MB' };
const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

let core: TestCore;
let rest: RestClient;
let folder: string;
/** No agent sees it. */
let outside: string;
/** Listens on this machine's loopback and on a socket; nobody may come. */
let forbidden: Server[];
let visits = 0;

describe.skipIf(ENGINE_MISSING)(`a hostile agent in a container${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  beforeAll(async () => {
    await ensureTestKit();
    folder = mkdtempSync(join(tmpdir(), 'qd-hostile-'));
    outside = mkdtempSync(join(tmpdir(), 'qd-outside-'));
    forbidden = await Promise.all(
      [0, join(outside, 'forbidden.sock')].map(async (place) => {
        const server = createServer((_request, response) => response.end('{"secret": true}'));
        server.on('connection', () => (visits += 1));
        await new Promise<void>((resolve) =>
          typeof place === 'number' ? server.listen(0, '127.0.0.1', resolve) : server.listen(place, resolve),
        );
        return server;
      }),
    );
    core = await startCore();
    rest = new RestClient(core);
    await spawn('hog', { type: 'command', command: ['sleep', '3600'], resourceLimits: LIMITS });
    await spawn('peer', { type: 'worker' });
  }, JOURNEY_MS);

  afterEach(async () => {
    // Whatever was tried: the core answers, and the other one does its work.
    const startedAt = performance.now();
    await rest.ok('GET', '/agents');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    const { messageId } = z.object({ messageId: z.string() }).parse(
      await rest.ok('POST', '/messages', {
        to: 'peer',
        kind: 'task',
        body: 'go on',
        data: { op: 'run', command: ['echo', 'on'] },
      }),
    );
    expect(await awaitReply(restTools(rest), messageId)).toMatchObject({ ok: true, result: { stdout: 'on\n' } });
    expect(visits, 'nobody came where nobody may').toBe(0);
    expect(core.log()).not.toMatch(/"level":(50|60)/);
  }, 120_000);

  afterAll(async () => {
    expect(await core.stop()).toBe(0);
    await removeContainers(core.dataDir);
    removeDataDir(core.dataDir);
    for (const server of forbidden) server.close();
    for (const dir of [folder, outside]) rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it(
    'makes processes without end: at its limit there are no more, and it is stopped with all of them',
    { timeout: JOURNEY_MS },
    async () => {
      const hog = await containerOf(core.dataDir, 'hog');
      // Its children stay. Those of `f | f &` end together when one of them cannot be made, and leave nothing to count.
      await docker('exec', '--detach', hog, 'sh', '-c', 'while :; do sleep 1000 & done');
      await vi.waitFor(async () => expect(await processesIn(hog)).toBeGreaterThan(50), WITHIN);
      expect(await processesIn(hog)).toBeLessThanOrEqual(LIMITS.processes);
      await rest.ok('POST', '/agents/hog/restart', { graceMs: 1_000 });
      // What a box has by itself, threads of its Node included.
      await vi.waitFor(async () => expect(await processesIn(await containerOf(core.dataDir, 'hog'))).toBeLessThan(40), WITHIN);
    },
  );

  it('calculates without end: it is held to its share', { timeout: JOURNEY_MS }, async () => {
    const hog = await containerOf(core.dataDir, 'hog');
    for (let n = 0; n < 3; n += 1) await docker('exec', '--detach', hog, 'sh', '-c', 'while :; do :; done');
    await vi.waitFor(async () => {
      const { stdout } = await insideContainer(
        hog,
        'sh',
        '-c',
        'cat /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpu/cpu.stat 2>/dev/null || true',
      );
      expect(Number(/^nr_throttled (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(5);
    }, WITHIN);
    await rest.ok('POST', '/agents/hog/restart', { graceMs: 0 });
  });

  it('takes memory without end: it is ended, and its state says why', { timeout: JOURNEY_MS }, async () => {
    const script = 'x = []\nwhile True: x.append(bytearray(b"x" * (1 << 20)))';
    await rest.call(
      'POST',
      '/agents',
      draft('eater', { type: 'command', command: ['python3', '-c', script], resourceLimits: LIMITS }),
    );
    await vi.waitFor(async () => {
      const { state } = await agentOf('eater');
      expect(state.status).toBe('failed');
      expect(JSON.stringify(state)).toMatch(/memory/i);
    }, WITHIN);
  });

  it('fills disks and logs: there is an end to each, and the next core still finds it', { timeout: JOURNEY_MS }, async () => {
    const hog = await containerOf(core.dataDir, 'hog');
    const fill = (path: string): Promise<unknown> =>
      insideContainer(hog, 'dd', 'if=/dev/zero', `of=${path}`, 'bs=1M', 'count=64');
    await expect(fill('/tmp/full')).rejects.toThrow(/No space left/);
    expect(Number((await insideContainer(hog, 'stat', '-c', '%s', '/tmp/full')).stdout)).toBeLessThanOrEqual(16 * 2 ** 20);
    await insideContainer(hog, 'rm', '/tmp/full');
    for (const path of ['/full', '/etc/full', '/opt/qd/full', '/run/quarterdeck/full'])
      await expect(fill(path)).rejects.toThrow(/Read-only file system|Permission denied|No such file/);
    // The container's own log, by the way that a program inside could find to it.
    await insideContainer(hog, 'sh', '-c', 'head -c 40000000 /dev/zero | tr "\\0" x | fold -w 1000 > /proc/1/fd/1 || true').catch(
      () => undefined,
    );
    const { LogPath } = z.tuple([z.object({ LogPath: z.string() })]).parse(JSON.parse((await docker('inspect', hog)).stdout))[0];
    // Only root may look into the engine's folder.
    if (process.getuid?.() === 0) {
      const logs = readdirSync(dirname(LogPath)).filter((name) => name.includes('-json.log'));
      const bytes = logs.reduce((sum, name) => sum + statSync(join(dirname(LogPath), name)).size, 0);
      if (bytes > 13 * 2 ** 20) throw new Error(`the container's log has ${bytes} bytes`);
    }
    await core.kill();
    core = await startCore({ dataDir: core.dataDir });
    rest = new RestClient(core);
    expect((await agentOf('hog')).state.status).toBe('working');
    expect(await containerOf(core.dataDir, 'hog')).toBe(hog);
  });

  it('puts links where the core looks: none is followed', { timeout: JOURNEY_MS }, async () => {
    const peer = await containerOf(core.dataDir, 'peer');
    const socket = join(outside, 'forbidden.sock');
    expect(await rest.ok('GET', '/agents/peer/health')).toMatchObject({ endpoint: 'answered' });
    for (const target of [socket, '/var/run/docker.sock', '../agent.sock', '/etc/shadow']) {
      await insideContainer(peer, 'sh', '-c', `rm -f /run/agent/health.sock && ln -s ${target} /run/agent/health.sock`);
      expect(await rest.ok('GET', '/agents/peer/health')).toMatchObject({
        endpoint: 'unanswered',
        problem: containing('is not a socket'),
      });
    }
    const links = 'ln -sf /etc/shadow report.md; ln -sfn / root; ln -sfn ../../../../etc up; ln -sf /proc/self/environ env';
    await insideContainer(peer, 'sh', '-c', `cd /workspace && { ${links}; } && ln -sf /etc/shadow /home/agent/queue.txt`);
    const seen = await Promise.all(
      ['/agents/peer/workspace', '/agents/peer/boundary', '/agents/peer/terminal', '/agents/peer'].map((path) =>
        rest.call('GET', path),
      ),
    );
    expect(JSON.stringify(seen)).not.toContain('root:');
    // Made anew by the next start, over whatever was left in its place.
    await rest.ok('POST', '/agents/peer/restart', { graceMs: 2_000 });
    await vi.waitFor(
      async () => expect(await rest.ok('GET', '/agents/peer/health')).toMatchObject({ endpoint: 'answered' }),
      WITHIN,
    );
  });

  it(
    'floods the agent interface with garbage: each is refused, and its own calls are still answered',
    { timeout: JOURNEY_MS },
    async () => {
      const hog = await containerOf(core.dataDir, 'hog');
      const token = await tokenIn(hog);
      const said = await nodeInside(hog, floodScript(token));
      expect(said.trim()).toMatch(/^junk 4\d\d|^junk /);
      const { huge, bad } = z
        .object({ huge: z.number(), bad: z.array(z.number()) })
        .parse(JSON.parse(said.trim().split('\n').at(-1) ?? ''));
      expect([413, 0]).toContain(huge);
      expect(bad.filter((status) => status < 400 || status >= 500)).toEqual([]);
      for (const body of [
        '{',
        '[]',
        'null',
        '{"jsonrpc":"2.0","id":1,"method":"no/such"}',
        '{"jsonrpc":"2.0","id":{},"method":7}',
      ])
        expect((await callInside(hog, token, body)).status).not.toMatch(/^5/);
      expect((await callInside(hog, token, PING)).status).toBe('200');
      expect(await toolInside(hog, token, 'send_message', { to: ['a', 1, null], kind: 'bomb' })).toHaveProperty('refused');
    },
  );

  it('speaks in nobody else’s name, and finds nobody else’s socket', { timeout: JOURNEY_MS }, async () => {
    const [hog, peer] = [await containerOf(core.dataDir, 'hog'), await containerOf(core.dataDir, 'peer')];
    const [own, theirs] = [await tokenIn(hog), await tokenIn(peer)];
    for (const headers of [[], ['x-quarterdeck-agent: peer'], ['x-quarterdeck-agent: peer', 'x-quarterdeck-gateway: guessed']])
      expect((await callInside(hog, theirs, PING, headers)).status).toBe('403');
    // With its own token such headers change nothing: what it sends is its own.
    const meta = ['x-quarterdeck-agent: peer', 'x-quarterdeck-gateway: guessed'];
    expect((await callInside(hog, own, PING, meta)).status).toBe('200');
    const { stdout } = await insideContainer(
      hog,
      'sh',
      '-c',
      'find / -xdev -type s 2>/dev/null; find /run /workspace /home -type s 2>/dev/null; true',
    );
    expect(
      new Set(
        stdout
          .trim()
          .split('\n')
          .map((path) => path.split('/').at(-1)),
      ),
    ).toEqual(new Set(['agent.sock', 'egress.sock']));
    expect(stdout).not.toContain('peer');
    await vi.waitFor(async () => {
      const { rows } = z
        .object({ rows: z.array(z.object({ data: z.object({ asked: z.string(), reason: z.string() }) })) })
        .parse(await rest.ok('GET', '/journal?kind=boundary.refused&subject=hog&limit=100'));
      expect(rows.map(({ data }) => data.reason)).toContain('agent "hog" used the token of agent "peer": impersonation');
    }, WITHIN);
  });

  it('asks the proxy for what lies behind it: each is refused, and it has no other way', { timeout: JOURNEY_MS }, async () => {
    const hog = await containerOf(core.dataDir, 'hog');
    const port = forbidden
      .map((server) => server.address())
      .find((address): address is AddressInfo => typeof address === 'object')?.port;
    // The operator allowed a name. That it leads to this machine is found when it is asked for.
    await rest.ok('PUT', '/agents/hog/egress', { mode: 'deny', rules: [`localhost:${port}:http`, `localhost:${port}:tls`] });
    const bridge = networkInterfaces()['docker0']?.[0]?.address ?? '172.17.0.1';
    const hosts = [
      'localhost',
      '127.0.0.1',
      '2130706433',
      '0x7f.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '169.254.169.254',
      bridge,
      '192.0.2.1',
    ];
    const tried = await Promise.all(
      hosts.flatMap((host) => [
        curlInside(hog, '-x', 'http://127.0.0.1:3128', `http://${host}:${port}/`).then(({ status, body }) => [
          host,
          'http',
          status,
          body.includes('secret'),
        ]),
        curlInside(hog, '-p', '-x', 'http://127.0.0.1:3128', '-w', '\n%{http_connect}', `http://${host}:${port}/`).then(
          ({ status, body }) => [host, 'connect', status, body.includes('secret')],
        ),
      ]),
    );
    for (const [host, way, status, isReached] of tried)
      expect([host, way, status, isReached]).toEqual([host, way, expect.stringMatching(/^4\d\d$/), false]);
    for (const host of [bridge, '169.254.169.254', '192.0.2.1'])
      expect([
        host,
        (await curlInside(hog, '--noproxy', '*', '--connect-timeout', '3', `http://${host}:${port}/`)).status,
      ]).toEqual([host, '000']);
    await vi.waitFor(async () => {
      const { connections } = z
        .object({ connections: z.array(z.object({ host: z.string(), reason: z.string() })) })
        .parse(await rest.ok('GET', '/egress/connections?agentId=hog&outcome=refused&limit=200'));
      const told = new Map(connections.map(({ host, reason }) => [host, reason]));
      expect(told.get('169.254.169.254')).toBe('no rule allows it');
      expect(told.get('localhost')).toBe('the name stands for this machine');
    }, WITHIN);
  });
});

function draft(id: string, more: object): object {
  return { id, runtime: 'docker', projectFolder: folder, ...more };
}

async function spawn(id: string, more: object): Promise<void> {
  expect(Agent.parse(await rest.ok('POST', '/agents', draft(id, more))).boundary).toBe('container');
}

async function agentOf(id: string): Promise<Agent> {
  return Agent.parse(await rest.ok('GET', `/agents/${id}`));
}

/** Matchers are `any` by their types. */
function containing(text: string): string {
  return expect.stringContaining(text) as string;
}

/** How many processes and threads are in a container, as the engine counts them. */
async function processesIn(container: string): Promise<number> {
  return Number((await docker('stats', '--no-stream', '--format', '{{.PIDs}}', container)).stdout.trim());
}

/** Many connections with what is no HTTP, half a request, a body without end, and broken calls; prints what was answered last. */
function floodScript(token: string): string {
  return `
const { connect } = require('node:net');
const { request } = require('node:http');
const raw = (text, keepMs = 0) => new Promise((done) => {
  const socket = connect(3100, '127.0.0.1', () => { socket.write(text); if (keepMs) setTimeout(() => socket.destroy(), keepMs); });
  let said = '';
  socket.on('data', (chunk) => { said += chunk; });
  socket.on('error', () => undefined);
  socket.on('close', () => done(said.split('\\r\\n')[0]));
});
const post = (body, path = '/mcp') => new Promise((done) => {
  const call = request({ port: 3100, host: '127.0.0.1', method: 'POST', path, headers: { authorization: 'Bearer ${token}', 'content-type': 'application/json', accept: 'application/json, text/event-stream' } },
    (response) => { response.resume(); response.on('close', () => done(response.statusCode)); });
  call.on('error', () => done(0));
  call.end(body);
});
(async () => {
  const junk = ['SSH-2.0-x\\r\\n\\r\\n', '\\u0016\\u0003\\u0001\\u0002\\u0000', 'GET\\r\\n\\r\\n', 'POST /mcp HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 5\\r\\nContent-Length: 6\\r\\n\\r\\nhello',
    'POST /mcp HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nZZ\\r\\n'];
  const answers = await Promise.all(Array.from({ length: 150 }, (_, n) => raw(junk[n % junk.length], 3000)));
  console.log('junk', answers[0]);
  await Promise.all(Array.from({ length: 100 }, () => raw('POST /mcp HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 1000\\r\\n\\r\\n{', 1000)));
  const huge = await post('x'.repeat(8 * 1024 * 1024));
  const bad = [];
  for (let n = 0; n < 100; n += 1) bad.push(await post(['{', '\\u0000', '"x"', '{"jsonrpc":"3.0"}', '['.repeat(5000)][n % 5]));
  console.log(JSON.stringify({ huge, bad }));
})();`;
}
