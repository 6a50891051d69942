import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GATEWAY_PROTOCOL, GatewayStatus } from '#shared/gateway/model.ts';
import { Gateway, GatewayTakenError } from './gateway.ts';
import { ask, followEvents, GatewayBench, listenAnywhere, openTunnel, portOf } from './testing/gateway-bench.ts';
import { ManualClock } from './testing/manual-clock.ts';

let bench: GatewayBench;

beforeEach(async () => {
  bench = await GatewayBench.open();
});

afterEach(async () => {
  await bench.close();
});

async function status(): Promise<GatewayStatus> {
  return GatewayStatus.parse(JSON.parse((await bench.order('GET', '/status', undefined, '')).text));
}

/** Waits until a condition holds. */
async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const answers = async (path: string): Promise<boolean> =>
  await ask(path, { path: 'http://evil.example/', headers: { host: 'evil.example' } }).then(
    () => true,
    () => false,
  );

describe('the control socket', () => {
  it('says what the gateway is', async () => {
    expect(await status()).toMatchObject({
      pid: process.pid,
      version: '1.2.3',
      protocol: GATEWAY_PROTOCOL,
      owner: null,
      agents: [],
      lastEvent: 0,
      waiting: 0,
    });
    await bench.own();
    await bench.serve('ada');
    await bench.serve('bob');
    expect(await status()).toMatchObject({ owner: { coreId: 'core-1', startedAt: 1000 }, agents: ['ada', 'bob'] });
    expect(statSync(join(bench.dir, 'gateway.sock')).mode & 0o777).toBe(0o600);
  });

  it('takes orders from the owner only, and the later core owns it', async () => {
    for (const [method, path] of [
      ['PUT', '/agents/ada'],
      ['DELETE', '/agents/ada'],
      ['PUT', '/model-apis'],
      ['GET', '/events'],
      ['POST', '/shutdown'],
    ] as const) {
      expect((await bench.order(method, path, method === 'PUT' ? {} : undefined)).status).toBe(409);
    }
    expect((await bench.own()).status).toBe(200);
    await bench.serve('ada');
    const following = bench.events(() => false);
    bench.coreId = 'core-2';
    const early = await bench.own('http://127.0.0.1:1', 999);
    expect([early.status, early.text]).toEqual([409, expect.stringContaining('started later')]);
    expect((await bench.own('http://127.0.0.1:1', 1000)).status).toBe(409);
    expect((await bench.own('http://127.0.0.1:1', 2000)).status).toBe(200);
    await expect(following).rejects.toThrow('the events ended');
    expect((await bench.order('PUT', '/model-apis', [], 'core-1')).status).toBe(409);
    expect((await bench.order('PUT', '/model-apis', [], '')).status).toBe(409);
    expect((await bench.order('PUT', '/model-apis', [])).status).toBe(200);
    expect(await status()).toMatchObject({ owner: { coreId: 'core-2' }, agents: ['ada'] });
  });

  it('refuses what is no order, saying what is wrong and never what was sent', async () => {
    await bench.own();
    const refused = await bench.order('PUT', '/model-apis', [{ name: 'model', key: 'sk-secret-value', upstream: 'ftp://x' }]);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('upstream');
    expect(refused.text).not.toContain('sk-secret-value');
    expect((await bench.order('PUT', '/agents/ada', { id: 'ada' })).status).toBe(400);
    expect((await bench.order('PUT', '/owner', { coreId: 'x' })).status).toBe(400);
    expect((await bench.own('not an address')).status).toBe(400);
    expect((await bench.order('GET', '/nothing')).status).toBe(404);
    expect((await bench.order('GET', '/events?after=x')).status).toBe(400);
    expect((await bench.order('GET', '/events?after=1')).status).toBe(409);
    expect((await bench.order('PUT', '/model-apis', 'x'.repeat(5_000_000))).status).toBe(413);
  });

  it('tells each reader the log from where it was, at its own pace', async () => {
    await bench.own();
    const { egress } = await bench.serve('ada');
    for (const port of [1, 2, 3]) await openTunnel(egress, `evil.example:${port}`);
    const socketPath = join(bench.dir, 'gateway.sock');
    const later = followEvents(socketPath, 'core-1', (events) => events.length >= 3, 1);
    const all = await followEvents(socketPath, 'core-1', (events) => events.length >= 3);
    expect(all.map(({ n, connection }) => [n, connection.port])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    await openTunnel(egress, 'evil.example:4');
    expect((await later).map(({ n }) => n)).toEqual([2, 3, 4]);
  });
});

describe('the sockets of an agent', () => {
  it('are there for their owner alone, and made anew when somebody removes or replaces them', async () => {
    await bench.own();
    const { egress, agent } = await bench.serve('ada');
    for (const path of [egress, agent]) expect(statSync(path).mode & 0o777).toBe(0o600);
    rmSync(egress);
    rmSync(agent);
    await until(async () => await answers(egress));
    rmSync(egress);
    writeFileSync(egress, 'in the way');
    await until(async () => await answers(egress));
    expect(statSync(egress).mode & 0o777).toBe(0o600);
    rmSync(join(bench.dir, 'gateway.sock'));
    await until(async () => (await bench.own().catch(() => undefined))?.status === 200);
  });

  it('are made at once where an order says so, and gone with the agent', async () => {
    await bench.own();
    const { egress, agent } = await bench.serve('ada');
    rmSync(egress);
    await bench.serve('ada');
    expect(await answers(egress)).toBe(true);
    expect((await bench.order('DELETE', '/agents/ada')).status).toBe(200);
    expect((await bench.order('DELETE', '/agents/ada')).status).toBe(200);
    expect(await answers(egress)).toBe(false);
    expect(statSync(agent, { throwIfNoEntry: false })).toBeUndefined();
    expect((await status()).agents).toEqual([]);
  });

  it('belong to whom the order says, where the gateway may do that', async () => {
    await bench.own();
    const socketDir = join(bench.dir, 'ada');
    mkdirSync(socketDir, { mode: 0o700 });
    const isRoot = process.getuid?.() === 0;
    const answer = await bench.order('PUT', '/agents/ada', {
      id: 'ada',
      projectId: bench.projectId,
      socketDir,
      owner: { uid: 1000, gid: 1000 },
      mode: 'deny',
      rules: [],
      modelApis: [],
    });
    const found = statSync(join(socketDir, 'egress.sock'), { throwIfNoEntry: false });
    const wanted = isRoot || process.getuid?.() === 1000 ? [200, 1000, 0o600] : [400, undefined, undefined];
    expect([answer.status, found?.uid, found === undefined ? undefined : found.mode & 0o777]).toEqual(wanted);
  });

  it('cannot be made where their path is too long or their folder is not there, which harms no other', async () => {
    await bench.own();
    const body = { id: 'ada', projectId: bench.projectId, owner: null, mode: 'deny', rules: [], modelApis: [] };
    const long = await bench.order('PUT', '/agents/ada', { ...body, socketDir: join(bench.dir, 'x'.repeat(120)) });
    expect([long.status, long.text]).toEqual([400, expect.stringContaining('at most')]);
    const missing = await bench.order('PUT', '/agents/ada', { ...body, socketDir: join(bench.dir, 'missing') });
    expect(missing.status).toBe(400);
    expect((await status()).agents).toEqual([]);
    expect(await answers((await bench.serve('bob')).egress)).toBe(true);
  });
});

describe('a gateway', () => {
  it('does not start where another answers, and replaces a socket that nobody answers on', async () => {
    const options = { socketDir: bench.dir, log: join(bench.dir, 'log', 'other.jsonl'), version: '1' };
    await expect(Gateway.start(options)).rejects.toThrow(GatewayTakenError);
    await bench.gateway.end('for the test');
    const stale = createServer();
    await new Promise<void>((resolve) => stale.listen(join(bench.dir, 'gateway.sock'), resolve));
    await new Promise((resolve) => stale.close(resolve));
    writeFileSync(join(bench.dir, 'gateway.sock'), '');
    bench.gateway = await Gateway.start(options);
    expect((await status()).version).toBe('1');
  });

  it('ends when another took its place, and leaves that one alone', async () => {
    rmSync(join(bench.dir, 'gateway.sock'));
    let ended = '';
    const first = bench.gateway;
    bench.gateway = await Gateway.start({
      socketDir: bench.dir,
      log: join(bench.dir, 'log', 'other.jsonl'),
      version: '2',
      limits: { socketCheckMs: 20 },
      onEnd: (reason) => (ended = reason),
    }).catch(() => first);
    await until(
      async () =>
        await status().then(
          () => true,
          () => false,
        ),
    );
    // The first may have made its socket anew before the second looked: then there is no second.
    const version = bench.gateway === first ? '1.2.3' : '2';
    expect((await status()).version).toBe(version);
    if (bench.gateway !== first) await first.end('the test is over');
    expect((await status()).version).toBe(version);
    expect(ended).toBe('');
  });

  it('ends by itself when it has neither agents nor a core for ten minutes', async () => {
    await bench.close();
    const clock = new ManualClock();
    bench = await GatewayBench.open({}, clock);
    const isThere = async (): Promise<boolean> =>
      await status().then(
        () => true,
        () => false,
      );
    await bench.own();
    await bench.serve('ada');
    clock.advance(3_600_000);
    expect(await isThere()).toBe(true);
    await bench.order('DELETE', '/agents/ada');
    clock.advance(590_000);
    expect(await isThere()).toBe(true);
    await bench.order('PUT', '/model-apis', []);
    clock.advance(590_000);
    expect(await isThere()).toBe(true);
    const following = bench.events(() => false);
    following.catch(() => undefined);
    await until(async () => (await bench.order('GET', '/events?after=99')).status === 409);
    clock.advance(3_600_000);
    expect(await isThere()).toBe(true);
    await bench.order('POST', '/shutdown');
    await expect(following).rejects.toThrow('the events ended');
    await until(async () => !(await isThere()));
  });

  it('that nobody ever owned ends as well', async () => {
    await bench.close();
    const clock = new ManualClock();
    bench = await GatewayBench.open({}, clock);
    clock.advance(660_000);
    await until(
      async () =>
        await status().then(
          () => false,
          () => true,
        ),
    );
    expect(statSync(join(bench.dir, 'gateway.sock'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('ends on an order with everything recorded, and the next one goes on with the numbers', async () => {
    await bench.own();
    const upstream = await listenAnywhere(createServer((_request, response) => response.end('ok')));
    bench.network.serve('db.example', 80, upstream);
    const { egress } = await bench.serve('ada', { rules: ['db.example:80:tcp'] });
    const { socket } = await openTunnel(egress, 'db.example:80');
    for (let i = 0; i < 5; i += 1) await openTunnel(egress, 'evil.example:443');
    expect((await bench.order('POST', '/shutdown')).status).toBe(200);
    await bench.gateway.end('again');
    expect(socket.destroyed || (await new Promise((resolve) => socket.once('close', () => resolve(true))))).toBe(true);
    bench.gateway = await Gateway.start({ socketDir: bench.dir, log: join(bench.dir, 'log', 'connections.jsonl'), version: '2' });
    expect((await status()).lastEvent).toBe(4);
    await bench.own(`http://127.0.0.1:${portOf(upstream)}`);
    const events = await bench.events((all) => all.length >= 4);
    expect(events.map(({ n, count, connection }) => [n, count, connection.outcome])).toEqual([
      [1, 1, 'open'],
      [2, 1, 'refused'],
      [3, 1, 'closed'],
      [4, 4, 'refused'],
    ]);
    upstream.close();
    upstream.closeAllConnections();
  });
});
