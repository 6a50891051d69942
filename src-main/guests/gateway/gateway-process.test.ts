import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GatewayEvent } from '#shared/gateway/model.ts';
import { CORE_HEADER, EXIT_TAKEN, GatewayStatus } from '#shared/gateway/model.ts';
import { ask, followEvents, listenAnywhere, openTunnel, portOf } from './testing/gateway-bench.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const PROJECT = 'prj_01890000-0000-7000-8000-000000000001';
const KEY = 'sk-live-must-not-be-found-anywhere';

let dir = '';
let processes: ChildProcess[] = [];
let upstream: Server;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'qd-gwp-'));
  upstream = await listenAnywhere(createServer((_request, response) => response.end('ok')));
});

afterEach(async () => {
  for (const child of processes) await ended(child, 'SIGKILL');
  processes = [];
  upstream.closeAllConnections();
  upstream.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly stderr: () => string;
}

/** Starts the program; resolves when it says that it is ready, or has ended. */
async function start(): Promise<Running> {
  const child = spawn(
    process.execPath,
    [MAIN, '--socket-dir', join(dir, 's'), '--log', join(dir, 'logs', 'connections.jsonl'), '--version', '9'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  processes.push(child);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await new Promise<void>((resolve) => {
    child.stdout?.once('data', () => resolve());
    child.once('exit', () => resolve());
  });
  return { child, stderr: () => stderr };
}

async function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return await new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    if (signal !== undefined) child.kill(signal);
  });
}

async function order(method: string, path: string, body?: unknown): Promise<string> {
  const answer = await ask(join(dir, 's', 'gateway.sock'), {
    method,
    path,
    headers: { [CORE_HEADER]: 'core' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.status).toBe(200);
  return answer.text;
}

/** Makes it serve one agent that may use a model API; returns its egress socket. */
async function serve(): Promise<string> {
  const socketDir = join(dir, 'ada');
  mkdirSync(socketDir, { recursive: true });
  await order('PUT', '/owner', {
    coreId: 'core',
    startedAt: 1,
    agentUrl: `http://127.0.0.1:${portOf(upstream)}`,
    word: 'a word that only they know',
  });
  await order('PUT', '/model-apis', [
    {
      name: 'model',
      upstream: `http://127.0.0.1:${portOf(upstream)}`,
      header: 'x-api-key',
      secret: 'S',
      variable: 'V',
      key: KEY,
    },
  ]);
  await order('PUT', '/agents/ada', {
    id: 'ada',
    projectId: PROJECT,
    socketDir,
    owner: null,
    mode: 'deny',
    rules: [],
    modelApis: ['model'],
  });
  return join(socketDir, 'egress.sock');
}

async function events(count: number): Promise<GatewayEvent[]> {
  return await followEvents(join(dir, 's', 'gateway.sock'), 'core', (all) => all.length >= count);
}

async function status(): Promise<GatewayStatus> {
  return GatewayStatus.parse(JSON.parse(await order('GET', '/status')));
}

/** Every start of the program takes seconds on a busy machine, in milliseconds. */
const SLOW_MS = 60_000;

describe('the process', { timeout: SLOW_MS }, () => {
  it('ends cleanly when it is told to, lives on when its terminal goes, and lets no second one be', async () => {
    const first = await start();
    expect((await status()).pid).toBe(first.child.pid);
    const second = await start();
    expect(await ended(second.child)).toBe(EXIT_TAKEN);
    first.child.kill('SIGHUP');
    expect((await status()).pid).toBe(first.child.pid);
    expect(await ended(first.child, 'SIGTERM')).toBe(0);
    expect(existsSync(join(dir, 's', 'gateway.sock'))).toBe(false);
    expect(first.stderr()).toContain('The gateway ended: by SIGTERM.');
  });

  it('says what is wrong with its arguments', async () => {
    const child = spawn(process.execPath, [MAIN, '--socket-dir', 'here'], { stdio: ['ignore', 'ignore', 'pipe'] });
    processes.push(child);
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    expect(await ended(child)).toBe(64);
    expect(text).toContain('--socket-dir is to be an absolute path');
    expect(text).toContain('Use: gateway');
  });

  it('keeps keys in its memory only', async () => {
    const { child, stderr } = await start();
    const egress = await serve();
    expect((await ask(egress, { path: '/model/x' })).text).toBe('ok');
    await events(2);
    const found = [
      readFileSync(`/proc/${child.pid}/cmdline`, 'utf8'),
      readFileSync(`/proc/${child.pid}/environ`, 'utf8'),
      ...readdirSync(join(dir, 'logs')).map((name) => readFileSync(join(dir, 'logs', name), 'utf8')),
      stderr(),
    ];
    expect(found.filter((text) => text.includes(KEY))).toEqual([]);
    expect(found.length).toBeGreaterThan(3);
  });

  it('loses no number when it is killed in the middle of writing its log', async () => {
    let written = 0;
    for (let round = 0; round < 3; round += 1) {
      const { child } = await start();
      const egress = await serve();
      expect((await status()).lastEvent).toBeGreaterThanOrEqual(written);
      let isKilled = false;
      // Every one is another refusal, so that every one is written.
      const flood = Array.from({ length: 8 }, async (_, lane) => {
        for (let i = 0; !isKilled; i += 1) await openTunnel(egress, `h${round}-${lane}-${i}.example:443`).catch(() => undefined);
      });
      const seen = await events(written + 60);
      child.kill('SIGKILL');
      isKilled = true;
      await Promise.all(flood);
      await ended(child);
      expect(seen.map(({ n }) => n)).toEqual(seen.map((_, index) => index + 1));
      // What was told to anybody is there for good.
      written = seen.length;
    }
    await start();
    await serve();
    const { lastEvent } = await status();
    expect(lastEvent).toBeGreaterThanOrEqual(written);
    const all = await events(lastEvent);
    expect(all.map(({ n }) => n)).toEqual(Array.from({ length: lastEvent }, (_, index) => index + 1));
  });
});
