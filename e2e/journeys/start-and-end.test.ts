/** How a core starts and ends, as the people and machines see it that start it: `npm start`, signals, ports, files. */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { pathsOf } from '#core/paths.ts';
import { RunInfo } from '#shared/system/model.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { REPOSITORY } from '#e2e/support/this-repository.ts';

/** Matchers are `any` by their types. */
const ANY_TEXT = expect.any(String) as string;

const PATIENCE_MS = 45_000;
const Ready = RunInfo.extend({ event: z.literal('ready') });

/** A program that was started, and what it wrote. */
interface Program {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

let dataDir: string;
const programs: Program[] = [];

beforeAll(() => {
  // What the test runner has built; a single run of this file builds it.
  if (!existsSync(join(REPOSITORY, 'out', 'node', 'cli.js')))
    execFileSync(process.execPath, [join(REPOSITORY, 'bin', 'build.mjs')], { cwd: REPOSITORY });
}, 120_000);

beforeEach(() => {
  dataDir = makeDataDir();
});

afterEach(async () => {
  for (const { child, exited } of programs.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  }
  // Whatever a test left in tmux ends with its server: it is this data folder's own.
  const { socketDir } = pathsOf(dataDir, process.env);
  try {
    execFileSync('tmux', ['-S', join(socketDir, 'tmux.sock'), 'kill-server'], { stdio: 'ignore' });
  } catch {
    // There is none.
  }
  removeDataDir(dataDir);
  removeDataDir(socketDir);
}, 60_000);

function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  const child = spawn(command, args, {
    cwd: REPOSITORY,
    env: { ...process.env, QUARTERDECK_SKIP_BUILD: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const program: Program = {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exited: new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal }))),
  };
  programs.push(program);
  return program;
}

const HEADLESS = join(REPOSITORY, 'src-main', 'hosts', 'headless', 'main.ts');

/** The core by its own entry, without npm and the launcher in between. */
function startHeadless(args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  return start(process.execPath, [HEADLESS, '--json', '--no-open', ...args], env);
}

async function ready(program: Program): Promise<z.infer<typeof Ready>> {
  await vi.waitFor(
    () => {
      if (program.child.exitCode !== null) throw new Error(`it ended: ${program.stderr()}`);
      expect(program.stdout()).toContain('\n');
    },
    { timeout: PATIENCE_MS, interval: 20 },
  );
  return Ready.parse(JSON.parse(program.stdout()));
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  await vi.waitFor(() => expect(isRunning(pid), `process ${pid}`).toBe(false), { timeout: PATIENCE_MS, interval: 20 });
}

const tokenOf = (dir: string): string => readFileSync(join(dir, 'operator-token'), 'utf8').trim();

function restOf(run: RunInfo, dir: string): RestClient {
  return new RestClient({ run, token: tokenOf(dir) } as TestCore);
}

const Spawned = z.object({ id: z.string(), run: z.object({ pid: z.number() }) });

/** A server on a port of its own: somebody else's. */
async function occupy(port = 0): Promise<{ port: number; free: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return { port: bound, free: () => new Promise((resolve) => server.close(() => resolve())) };
}

describe('npm start', () => {
  it('prints the one ready line, ends with npm, and leaves agents to the next core', { timeout: 120_000 }, async () => {
    const npm = start('npm', [
      'start',
      '--silent',
      '--',
      '--headless',
      '--json',
      '--no-open',
      '--port',
      '0',
      '--agent-mcp-port',
      '0',
      '--data-dir',
      dataDir,
    ]);
    const { event, ...info } = await ready(npm);
    expect(event).toBe('ready');
    expect(npm.stdout().split('\n')).toEqual([ANY_TEXT, '']);
    // From the start of the core's own process to its ready line.
    const startedMs =
      Number(/^btime (\d+)/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]) * 1_000 +
      (Number(readFileSync(`/proc/${info.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]) * 1_000) / 100;
    expect(info.startedAt - startedMs).toBeLessThan(10_000);
    expect(JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8'))).toEqual(info);
    expect(modeOf(join(dataDir, 'run.json'))).toBe('600');
    const agent = Spawned.parse(
      await restOf(info, dataDir).ok('POST', '/agents', {
        id: 'stays.on',
        type: 'command',
        command: ['sleep', '1000'],
        projectFolder: dataDir,
      }),
    );

    npm.child.kill('SIGTERM');
    await npm.exited;
    await untilGone(info.pid);
    expect(existsSync(join(dataDir, 'run.json'))).toBe(false);
    expect(npm.stdout().split('\n')).toHaveLength(2);
    expect(isRunning(agent.run.pid)).toBe(true);

    const next = startHeadless(['--data-dir', dataDir, '--port', '0', '--stop-agents']);
    const again = await ready(next);
    expect(again.agentMcpUrl).toBe(info.agentMcpUrl);
    expect(await restOf(again, dataDir).ok('GET', '/agents/stays.on')).toMatchObject({
      state: { status: 'working' },
      run: { pid: agent.run.pid },
    });
    next.child.kill('SIGTERM');
    expect(await next.exited).toEqual({ code: 0, signal: null });
    await untilGone(agent.run.pid);
  });
});

describe('the end', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('comes cleanly with %s', { timeout: 90_000 }, async (signal) => {
    const core = startHeadless(['--data-dir', dataDir, '--port', '0', '--agent-mcp-port', '0']);
    await ready(core);
    core.child.kill(signal);
    expect(await core.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(join(dataDir, 'run.json'))).toBe(false);
  });

  it('comes cleanly during the start, whenever that is', { timeout: 120_000 }, async () => {
    for (const file of ['lock.db', 'quarterdeck.db', 'operator-token']) {
      const folder = join(dataDir, file);
      const core = startHeadless(['--data-dir', folder, '--port', '0', '--agent-mcp-port', '0']);
      // A signal before Node has read the program is the system's business.
      await vi.waitFor(() => expect(existsSync(join(folder, file)) || core.child.exitCode !== null).toBe(true), {
        timeout: PATIENCE_MS,
        interval: 1,
      });
      core.child.kill('SIGINT');
      expect(await core.exited, core.stderr()).toEqual({ code: 0, signal: null });
      expect(existsSync(join(folder, 'run.json'))).toBe(false);

      const next = await startCore({ dataDir: folder });
      expect(await new RestClient(next).ok('POST', '/journal:verify', {})).toMatchObject({ isIntact: true });
      expect(await next.stop()).toBe(0);
      removeDataDir(pathsOf(folder, process.env).socketDir);
    }
  });
});

describe('the data folder', () => {
  it('is private, with everything in it, and so are the sockets', { timeout: 90_000 }, async () => {
    chmodSync(dataDir, 0o755);
    const core = await startCore({ dataDir });
    await new RestClient(core).ok('POST', '/agents', { id: 'dotted.id_1', type: 'worker', projectFolder: dataDir });
    const { socketDir } = pathsOf(dataDir, process.env);
    for (const path of [
      dataDir,
      socketDir,
      join(socketDir, 'dotted.id_1'),
      join(dataDir, 'agents', 'dotted.id_1', 'home'),
      join(dataDir, 'secrets'),
    ])
      expect([path, modeOf(path)]).toEqual([path, '700']);
    for (const name of ['operator-token', 'run.json']) expect([name, modeOf(join(dataDir, name))]).toEqual([name, '600']);
    for (const name of readdirSync(join(dataDir, 'secrets')))
      expect([name, modeOf(join(dataDir, 'secrets', name))]).toEqual([name, '600']);
    expect(await core.stop()).toBe(0);
  });

  it('is where the environment says', { timeout: 90_000 }, async () => {
    for (const [env, folder] of [
      [{ QUARTERDECK_HOME: join(dataDir, 'home'), XDG_DATA_HOME: join(dataDir, 'xdg') }, join(dataDir, 'home')],
      [{ QUARTERDECK_HOME: '', XDG_DATA_HOME: join(dataDir, 'xdg') }, join(dataDir, 'xdg', 'quarterdeck')],
    ] as const) {
      const core = startHeadless(['--port', '0', '--agent-mcp-port', '0'], env);
      const { event: _event, ...info } = await ready(core);
      expect(JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'))).toEqual(info);
      core.child.kill('SIGTERM');
      await core.exited;
      removeDataDir(pathsOf(folder, process.env).socketDir);
    }
  });

  it('belongs to one core at a time', { timeout: 90_000 }, async () => {
    const first = await startCore({ dataDir });
    const second = startHeadless(['--data-dir', dataDir, '--port', '0']);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.stdout()).toBe('');
    expect(second.stderr()).toMatch(/Another Quarterdeck is using the data folder .*--data-dir/);
    expect(JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8'))).toEqual(RunInfo.parse(first.run));
    expect((await new RestClient(first).call('GET', '/agents')).status).toBe(200);
    expect(await first.stop()).toBe(0);
  });

  it('with a database that is none is left as it is', { timeout: 90_000 }, async () => {
    const file = join(dataDir, 'quarterdeck.db');
    const garbage = 'this is no database. '.repeat(1_000);
    writeFileSync(file, garbage);
    const core = startHeadless(['--data-dir', dataDir, '--port', '0']);
    expect(await core.exited).toEqual({ code: 1, signal: null });
    expect(core.stderr()).toMatch(/quarterdeck\.db.*(backup|aside)/s);
    expect(core.stderr()).not.toMatch(/\n +at /);
    expect(readFileSync(file, 'utf8')).toBe(garbage);
    expect(existsSync(join(dataDir, 'run.json'))).toBe(false);
  });

  it('with a key that cannot be used is not opened, and the core does not linger', { timeout: 90_000 }, async () => {
    const before = await startCore({ dataDir });
    expect(await before.stop()).toBe(0);
    for (const name of readdirSync(join(dataDir, 'secrets'))) writeFileSync(join(dataDir, 'secrets', name), 'x'.repeat(10_000));
    const core = startHeadless(['--data-dir', dataDir, '--port', '0']);
    expect((await core.exited).code).toBe(1);
    expect(core.stderr()).toContain('secrets');
  });
});

describe('ports', () => {
  it('the main one gives way to others, and says so', { timeout: 90_000 }, async () => {
    const other = await occupy();
    const core = startHeadless(['--data-dir', dataDir, '--port', String(other.port), '--agent-mcp-port', '0']);
    const { url } = await ready(core);
    expect(Number(new URL(url).port)).toBeGreaterThan(other.port);
    expect(core.stderr()).toContain(`Port ${other.port} is taken; Quarterdeck is at port ${new URL(url).port}`);
    core.child.kill('SIGTERM');
    await core.exited;
    await other.free();
  });

  it(
    'the agent one is kept, and a start that cannot have it fails, names the holder and leaves the session',
    { timeout: 120_000 },
    async () => {
      const first = await startCore({ dataDir });
      const port = Number(new URL(first.run.agentMcpUrl).port);
      await first.kill();

      const other = await occupy(port);
      const refused = startHeadless(['--data-dir', dataDir, '--port', '0']);
      expect(await refused.exited).toEqual({ code: 1, signal: null });
      expect(refused.stderr()).toMatch(new RegExp(`Port ${port} \\(the agent port\\) is taken by .*pid ${process.pid}`));
      await other.free();

      const again = await startCore({ dataDir });
      expect(again.run.agentMcpUrl).toBe(first.run.agentMcpUrl);
      const Sessions = z.object({ sessions: z.array(z.object({ endedAt: z.number().nullable() })) });
      expect(Sessions.parse(await new RestClient(again).ok('GET', '/sessions')).sessions).toEqual([{ endedAt: null }]);
      expect(await again.stop()).toBe(0);
    },
  );

  it('are not opened to other machines', { timeout: 90_000 }, async () => {
    const core = startHeadless(['--data-dir', dataDir, '--port', '0', '--bind', '0.0.0.0']);
    expect(await core.exited).toEqual({ code: 1, signal: null });
    expect(core.stderr()).toMatch(/does not listen on "0\.0\.0\.0".*TLS/);
    expect(existsSync(join(dataDir, 'run.json'))).toBe(false);
  });

  it.each([
    ['--port', '70000'],
    ['--agent-mcp-port', 'abc'],
  ])('that are none are refused in a sentence: %s %s', { timeout: 60_000 }, async (option, value) => {
    const core = start(process.execPath, [
      join(REPOSITORY, 'bin', 'quarterdeck.mjs'),
      'serve',
      '--no-open',
      '--data-dir',
      dataDir,
      option,
      value,
    ]);
    expect((await core.exited).code).toBe(2);
    expect(core.stderr()).toContain(`${option} must be a port`);
    expect(core.stderr()).not.toMatch(/\n +at /);
  });
});

it('logs one browser in, once, with the link', { timeout: 90_000 }, async () => {
  const core = await startCore({ dataDir });
  const { url } = z.object({ url: z.string() }).parse(await new RestClient(core).ok('POST', '/auth/login-links', {}));
  expect(url.startsWith(`${core.run.url}#login=`)).toBe(true);
  const login = (): Promise<Response> =>
    fetch(new URL('/login', core.run.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: new URL(core.run.url).origin },
      body: JSON.stringify({ code: url.split('#login=')[1] }),
    });
  const first = await login();
  expect(first.status).toBe(200);
  const cookie = first.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/HttpOnly/i);
  expect(cookie).toMatch(/SameSite=Strict/i);
  const as = { headers: { cookie: cookie.split(';')[0] ?? '' } };
  expect(await (await fetch(`${core.run.apiUrl}/v1/auth/whoami`, as)).json()).toMatchObject({ role: 'operator', door: 'web' });
  const second = await login();
  expect(second.status).toBe(401);
  expect(second.headers.get('set-cookie')).toBeNull();
  expect(await core.stop()).toBe(0);
});

it('knows agents whose ids have dots by their own names, and keeps them apart', { timeout: 90_000 }, async () => {
  const folder = join(dataDir, 'project');
  mkdirSync(folder);
  let core = await startCore({ dataDir });
  let rest = new RestClient(core);
  const ids = ['a.b', 'a_b', 'a-b', '0.1.2_x-y'];
  const pids: number[] = [];
  for (const id of ids)
    pids.push(
      Spawned.parse(
        await rest.ok('POST', '/agents', {
          id,
          type: 'command',
          command: ['sh', '-c', `echo "I am ${id}"; exec cat`],
          projectFolder: folder,
        }),
      ).run.pid,
    );
  await core.kill();
  core = await startCore({ dataDir });
  rest = new RestClient(core);
  const Screen = z.object({ lines: z.array(z.string()) });
  for (const [index, id] of ids.entries()) {
    expect(await rest.ok('GET', `/agents/${id}`)).toMatchObject({ id, state: { status: 'working' }, run: { pid: pids[index] } });
    await vi.waitFor(
      async () => expect(Screen.parse(await rest.ok('GET', `/agents/${id}/terminal`)).lines.join('\n')).toContain(`I am ${id}`),
      { timeout: PATIENCE_MS, interval: 50 },
    );
  }
  expect(await rest.ok('POST', '/agents/a.b/stop', {})).toMatchObject({ state: { status: 'stopped' } });
  expect(await rest.ok('GET', '/agents/a_b')).toMatchObject({ state: { status: 'working' } });
  expect(await rest.ok('POST', '/messages', { to: 'a-b', body: 'hello' })).toMatchObject({ recipients: ['a-b'] });
  expect(await core.stop()).toBe(0);
});
