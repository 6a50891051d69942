import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { CONTROL_SOCKET } from '#shared/gateway/model.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { egressReads, readPosition } from './egress-repository.ts';
import { GatewayControl } from './gateway-control.ts';
import { askThrough, tunnelTo } from './testing/ask-gateway.ts';

// A core that is killed at any moment, a gateway that goes on, and the next core.
const FIXTURE = new URL('./testing/fixture-egress-core.ts', import.meta.url).pathname;
const WITHIN = { timeout: 30_000, interval: 20 };

let dir: string;
let sockets: string;
let cores: ChildProcess[];
/** What each core logged, by its name. */
let said: Map<string, string>;
let world: Server;
let target: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'qd-kill-'));
  sockets = mkdtempSync(join(tmpdir(), 'qd-ks-'));
  cores = [];
  said = new Map();
  world = createServer((_request, response) => response.end('the world'));
  await new Promise<void>((resolve) => world.listen(0, '127.0.0.1', resolve));
  target = `127.0.0.1:${(world.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const core of cores) core.kill('SIGKILL');
  const status = await control()
    .status()
    .catch(() => undefined);
  if (status) process.kill(status.pid, 'SIGTERM');
  await vi.waitFor(() => expect(control().status()).rejects.toThrow(/does not answer/), WITHIN);
  world.closeAllConnections();
  world.close();
  rmSync(dir, { recursive: true });
  rmSync(sockets, { recursive: true, force: true });
});

const control = () => new GatewayControl(join(sockets, CONTROL_SOCKET));
const socketDir = (): string => join(sockets, 'a1');

async function startCore(name: string): Promise<ChildProcess> {
  const core = spawn(process.execPath, [FIXTURE, dir, sockets, name, `${target}:tcp`], { stdio: ['ignore', 'pipe', 'pipe'] });
  cores.push(core);
  said.set(name, '');
  core.stderr.setEncoding('utf8').on('data', (text: string) => said.set(name, (said.get(name) ?? '') + text));
  await new Promise<void>((resolve, reject) => {
    core.stdout.once('data', () => resolve());
    core.once('exit', () => reject(new Error(`the core ended: ${said.get(name)}`)));
  });
  return core;
}

async function kill(core: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => core.once('exit', resolve));
  core.kill('SIGKILL');
  await gone;
}

it(
  'a call on the agent interface waits for the next core, and the way out stays open meanwhile',
  { timeout: 60_000 },
  async () => {
    const first = await startCore('core-1');
    const { pid } = await control().status();
    expect((await askThrough(socketDir(), 'agent', '/mcp')).text).toBe('core-1');
    await kill(first);

    const waiting = askThrough(socketDir(), 'agent', '/mcp');
    await vi.waitFor(async () => expect((await control().status()).waiting).toBe(1), WITHIN);
    expect((await tunnelTo(socketDir(), target)).status).toBe(200);
    expect((await tunnelTo(socketDir(), 'example.org:443')).status).toBe(403);

    await startCore('core-2');
    expect(await waiting).toEqual({ status: 200, text: 'core-2' });
    expect(await control().status()).toMatchObject({ pid, owner: { coreId: 'core-2' }, agents: ['a1'] });
  },
);

it('a core that another one replaced gives no more orders, also when the other is gone', { timeout: 60_000 }, async () => {
  await startCore('core-1');
  const second = await startCore('core-2');
  await vi.waitFor(
    () => expect(said.get('core-1')).toContain('another core owns the gateway: this one gives it no more orders'),
    WITHIN,
  );
  expect((await askThrough(socketDir(), 'agent', '/mcp')).text).toBe('core-2');
  await kill(second);
  // Nobody answers now: the first one lives, and does not take it back.
  const waiting = askThrough(socketDir(), 'agent', '/mcp');
  await vi.waitFor(async () => expect((await control().status()).waiting).toBe(1), WITHIN);
  expect((await control().status()).owner?.coreId).toBe('core-2');
  await startCore('core-3');
  expect((await waiting).text).toBe('core-3');
});

it(
  'every connection is stored and journaled exactly once, whenever the core is killed',
  { timeout: effort.roundsTimeoutMs },
  async () => {
    let isOver = false;
    let opened = 0;
    await kill(await startCore('core-0'));
    const asking = (async () => {
      while (!isOver) {
        if ((await tunnelTo(socketDir(), target)).status === 200) opened += 1;
      }
    })();
    let rounds = 0;
    const end = performance.now() + effort.roundsBudgetMs;
    while (rounds < effort.killRounds && performance.now() < end) {
      rounds += 1;
      const core = await startCore(`core-${rounds}`);
      await wait(Math.random() * 150);
      await kill(core);
    }
    isOver = true;
    await asking;
    expect(rounds).toBeGreaterThanOrEqual(effort.leastRounds);
    expect(opened).toBeGreaterThan(0);

    const last = await startCore('core-last');
    const test = openTestStore({ dir });
    await vi.waitFor(async () => {
      const { lastEvent } = await control().status();
      // Each has an entry when it opened and one when it ended; those that were refused or failed there are none.
      expect(lastEvent).toBe(2 * opened);
      expect(test.store.peek(readPosition).n).toBe(lastEvent);
    }, WITHIN);
    await kill(last);
    const [journaled, rows, distinct] = test.store.peek((db) =>
      [
        "SELECT count(*) AS n FROM journal WHERE kind = 'egress.opened'",
        "SELECT count(*) AS n FROM egress_connections WHERE outcome = 'closed'",
        'SELECT count(DISTINCT connection) AS n FROM egress_connections',
      ].map((sql) => (db.prepare(sql).get() as { n: number }).n),
    );
    expect({ journaled, rows, distinct }).toEqual({ journaled: opened, rows: opened, distinct: opened });
    const page = test.store.peek((db) => egressReads['egress.connections'](db, { limit: 500 }));
    expect(page.connections.every(({ agentId }) => agentId === 'a1')).toBe(true);
    await test.close();
  },
);
