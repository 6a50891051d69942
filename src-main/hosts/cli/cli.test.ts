/** The command line against the real core: what a person and a client program do. */
import { execFile, execFileSync, spawn as spawnProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { offering } from '#core/mcp/testing/offering.ts';
import { spawn as spawnPty } from 'node-pty';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { pathsOf } from '#core/paths.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BIN = join(ROOT, 'bin', 'quarterdeck.mjs');

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let core: TestCore;
let project: string;

function environment(dataDir: string): Record<string, string> {
  const env = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('QUARTERDECK_'),
  );
  return {
    ...Object.fromEntries(env),
    QUARTERDECK_HOME: dataDir,
    HTTP_PORT: '0',
    AGENT_MCP_PORT: '0',
    QUARTERDECK_SKIP_BUILD: '1',
  };
}

function quarterdeck(
  args: readonly string[],
  options: { dataDir?: string; input?: string; program?: readonly string[] } = {},
): Promise<Outcome> {
  const [program = process.execPath, ...before] = options.program ?? [process.execPath, BIN];
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...before, ...args],
      { cwd: project, env: environment(options.dataDir ?? core.dataDir), timeout: 60_000 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
    child.stdin?.end(options.input ?? '');
  });
}

async function json<S extends z.ZodType>(
  schema: S,
  args: readonly string[],
  options?: Parameters<typeof quarterdeck>[1],
): Promise<z.infer<S>> {
  const { code, stdout, stderr } = await quarterdeck([...args, '--json'], options);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return schema.parse(JSON.parse(stdout));
}

/** A command line in a terminal of its own. */
function inTerminal(args: readonly string[], command: readonly string[] = [process.execPath, BIN, ...args]) {
  const [program = '', ...rest] = command;
  const pty = spawnPty(program, rest, { cols: 90, rows: 20, cwd: project, env: environment(core.dataDir) });
  let screen = '';
  let exitCode: number | undefined;
  pty.onData((text) => (screen += text));
  pty.onExit((end) => (exitCode = end.exitCode));
  return {
    pid: pty.pid,
    type: (text: string) => pty.write(text),
    resize: (cols: number, rows: number) => pty.resize(cols, rows),
    kill: (signal: string) => pty.kill(signal),
    shows: async (text: string | RegExp) => {
      await expect.poll(() => screen, { timeout: 20_000, interval: 30 }).toMatch(text);
    },
    forget: () => (screen = ''),
    ends: async () => {
      await expect.poll(() => exitCode, { timeout: 20_000, interval: 30 }).not.toBe(undefined);
      return exitCode;
    },
  };
}

/** Removes a data folder, and the tmux server that outlives its core. */
async function cleanUp(dataDir: string): Promise<void> {
  const { socketDir } = pathsOf(dataDir, process.env);
  await promisify(execFile)('tmux', ['-S', join(socketDir, 'tmux.sock'), 'kill-server']).catch(() => undefined);
  rmSync(socketDir, { recursive: true, force: true });
  removeDataDir(dataDir);
}

beforeAll(async () => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'qd-cli-project-')));
  core = await startCore();
  // Builds the checkout where it is not built, unless the test run did: once, and not within the time of a test.
  await promisify(execFile)(process.execPath, [BIN, '--version']);
}, 120_000);

afterAll(async () => {
  await core.stop();
  await cleanUp(core.dataDir);
  rmSync(project, { recursive: true, force: true });
});

const Agents = z.object({
  agents: z.array(z.object({ id: z.string(), state: z.object({ status: z.string() }) })),
  total: z.number(),
});

describe('agents', { timeout: 60_000 }, () => {
  it('are made, listed, read and ended', async () => {
    const spawned = await quarterdeck([
      'spawn',
      '--id',
      'printer',
      '--',
      'bash',
      '-c',
      'for i in 1 2 3; do echo "line $i in $PWD"; done; sleep 1000',
    ]);
    expect(spawned).toMatchObject({ code: 0, stdout: expect.stringContaining('printer is') as string });
    expect((await json(Agents, ['agents'])).agents).toMatchObject([{ id: 'printer', state: { status: 'working' } }]);
    await expect
      .poll(async () => (await quarterdeck(['logs', 'printer'])).stdout, { timeout: 10_000 })
      .toBe(`line 1 in ${project}\nline 2 in ${project}\nline 3 in ${project}\n`);
    expect(await quarterdeck(['stop', 'printer', '--force'])).toMatchObject({ code: 0, stdout: 'printer is stopped.\n' });
    expect((await quarterdeck(['agents', 'show', 'nobody'])).code).toBe(5);
    expect((await quarterdeck(['spawn', '--id', 'printer', '--type', 'worker'])).code).toBe(5);
    expect(await quarterdeck(['agents', 'remove', 'printer'])).toMatchObject({ code: 0, stdout: 'printer is removed.\n' });
  });

  it('are given the box that is stated', async () => {
    const Made = z.object({ boundary: z.string(), config: z.object({ image: z.string().optional(), sandbox: z.string() }) });
    const make = (id: string, ...box: string[]): Promise<z.infer<typeof Made>> =>
      json(Made, ['spawn', '--id', id, '--type', 'worker', '--no-start', ...box]);
    expect(await make('in-image', '--runtime', 'docker', '--image', 'alpine:3')).toMatchObject({
      boundary: 'container',
      config: { image: 'alpine:3' },
    });
    expect(await make('in-bwrap', '--runtime', 'tmux', '--sandbox', 'bubblewrap')).toMatchObject({ boundary: 'bubblewrap' });
    for (const id of ['in-image', 'in-bwrap']) expect((await quarterdeck(['agents', 'remove', id])).code).toBe(0);
  });

  it('work on a team file and answer', async () => {
    writeFileSync(
      join(project, 'team.yaml'),
      'name: pair\nagents:\n  - {id: one, type: worker}\nstart:\n  - {to: one, body: look, data: {op: run, command: "echo from $(basename $PWD); exit 4"}}\n',
    );
    const { code, stdout } = await quarterdeck(['up', 'team.yaml', '--wait', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      project: { folder: project },
      agents: [{ id: 'one' }],
      replies: [{ data: { ok: false } }],
    });
    const sent = await quarterdeck([
      'send',
      'one',
      'again',
      '--kind',
      'task',
      '--data',
      '{"op":"run","command":"echo well done"}',
      '--wait',
    ]);
    expect(sent).toMatchObject({ code: 0, stdout: expect.stringContaining('well done') as string });
    const inbox = await json(z.object({ messages: z.array(z.object({ id: z.string() })), unread: z.number() }), [
      'inbox',
      '--mark-read',
    ]);
    expect(inbox.unread).toBe(2);
    expect((await json(z.object({ unread: z.number() }), ['inbox'])).unread).toBe(0);
    expect(await quarterdeck(['stop', 'one'])).toMatchObject({ code: 0 });
  });
});

describe('attach', { timeout: 90_000 }, () => {
  it('types, shows, follows the size, survives a killed core, and leaves the agent running', async () => {
    await quarterdeck(['spawn', '--id', 'shell', '--', 'bash', '--norc', '-i']);
    const terminal = inTerminal(['attach', 'shell']);
    await terminal.shows(/bash-[\d.]+[#$] /);
    terminal.type('echo sum-$((40 + 2)); stty size\r');
    await terminal.shows('sum-42');
    await terminal.shows('20 90');
    terminal.resize(100, 30);
    await expect
      .poll(
        async () => (await json(z.object({ size: z.object({ cols: z.number(), rows: z.number() }) }), ['logs', 'shell'])).size,
        { timeout: 10_000 },
      )
      .toEqual({ cols: 100, rows: 30 });

    const { dataDir } = core;
    await core.kill();
    await terminal.shows('Quarterdeck went away');
    terminal.forget();
    core = await startCore({ dataDir });
    await terminal.shows('sum-42');
    terminal.type('echo back-$((2 * 3))\r');
    await terminal.shows('back-6');

    terminal.forget();
    terminal.type('\u001dd');
    expect(await terminal.ends()).toBe(0);
    // Everything an agent's program may have set is off again.
    await terminal.shows(/\?1049l[^]*\?7;25h[^]*\[left shell; it goes on\]/);
    expect((await json(Agents, ['agents'])).agents.find(({ id }) => id === 'shell')).toMatchObject({
      state: { status: 'working' },
    });
  });

  it('only looks with --watch, and ends when the agent does', async () => {
    const before = (await json(z.object({ size: z.unknown() }), ['logs', 'shell'])).size;
    const terminal = inTerminal(['attach', 'shell', '--watch']);
    await terminal.shows('back-6');
    terminal.type('echo not-$((1 + 1))\r');
    await quarterdeck(['call', 'terminals.write', '{"id":"shell","text":"echo typed-$((3 + 4)); exit","enter":true}']);
    await terminal.shows('typed-7');
    expect(await terminal.ends()).toBe(0);
    await terminal.shows(/\[shell: /);
    const logs = await json(z.object({ lines: z.array(z.string()), size: z.unknown() }), ['logs', 'shell']);
    expect(logs.lines.join('\n')).not.toContain('not-');
    expect(logs.size).toEqual(before);
  });

  it('takes control, is refused while another has it, and can take it by force', async () => {
    await quarterdeck(['spawn', '--id', 'wanted', '--', 'cat']);
    const first = inTerminal(['attach', 'wanted']);
    await first.shows('\u001b[2J');
    const status = z.object({ holder: z.object({ door: z.string() }).nullable(), viewers: z.number() });
    const ask = (): Promise<z.infer<typeof status>> => json(status, ['call', 'terminals.status', '{"id":"wanted"}']);
    expect(await ask()).toMatchObject({ holder: { door: 'cli' }, viewers: 1 });
    const second = inTerminal(['attach', 'wanted']);
    expect(await second.ends()).toBe(5);
    await second.shows(/operator \(cli\) has had control[^]*--force/);

    const third = inTerminal(['attach', 'wanted', '--force']);
    await first.shows('operator (cli) took control: you only look.');
    first.type('not this\r');
    third.type('but this\r');
    await first.shows('but this');
    await third.shows('but this');
    first.forget();
    first.type('\u001dt');
    await first.shows('You have control.');
    await third.shows('took control');
    first.type('mine again\r');
    await third.shows('mine again');
    first.type('\u001dd');
    expect(await first.ends()).toBe(0);
    await expect.poll(ask, { timeout: 10_000 }).toEqual({ holder: null, viewers: 1 });
    third.type('\u001dd');
    expect(await third.ends()).toBe(0);
    const logs = await json(z.object({ lines: z.array(z.string()) }), ['logs', 'wanted']);
    expect(logs.lines.join('\n')).not.toContain('not this');
  });

  it('puts the terminal back when it is ended by a signal, and refuses what is not there', async () => {
    await quarterdeck(['spawn', '--id', 'still', '--', 'sleep', '1000']);
    // In a shell that stays: of a terminal whose last process has ended, node-pty may give up the last words.
    const shell = [
      '/bin/sh',
      '-c',
      '"$@"; echo "ended with $?"; exec sleep 1000',
      'sh',
      process.execPath,
      BIN,
      'attach',
      'still',
    ];
    const terminal = inTerminal([], shell);
    await terminal.shows('\u001b[2J');
    terminal.forget();
    process.kill(Number(execFileSync('pgrep', ['-P', String(terminal.pid)], { encoding: 'utf8' })), 'SIGTERM');
    await terminal.shows('ended with 143');
    await terminal.shows('\u001b[?1049l');
    terminal.kill('SIGKILL');
    await quarterdeck(['stop', 'still', '--force']);
    const nobody = inTerminal(['attach', 'nobody']);
    expect(await nobody.ends()).toBe(5);
    await nobody.shows('nobody');
  });
});

describe('MCP on standard input and output', { timeout: 60_000 }, () => {
  const server = (...args: string[]) => ({
    command: process.execPath,
    args: [BIN, 'mcp', ...args],
    cwd: project,
    env: environment(core.dataDir),
    stderr: 'ignore' as const,
  });

  it('lists the tools of the core to both generations of clients, and spawns on the folder it was started in', async () => {
    const old = new Client({ name: 'old', version: '1' });
    await old.connect(new StdioClientTransport(server()));
    const modern = new ModernClient({ name: 'modern', version: '1' });
    await modern.connect(new ModernStdio(server('--tools', 'full')));
    try {
      const few = (await old.listTools()).tools.map(({ name }) => name);
      const all = (await modern.listTools()).tools.map(({ name }) => name);
      expect(few).toEqual(expect.arrayContaining(['spawn_agent', 'list_agents', 'send_message', 'get_messages']));
      expect(few.length).toBeLessThanOrEqual(25);
      expect(all).toEqual(expect.arrayContaining(few));
      expect(all.length).toBeGreaterThan(few.length);
      const spawned = await modern.callTool({
        name: 'spawn_agent',
        arguments: { id: 'from-mcp', type: 'command', command: ['sleep', '1000'] },
      });
      expect(spawned.structuredContent).toMatchObject({ id: 'from-mcp' });
      const { projects } = await json(z.object({ projects: z.array(z.object({ id: z.string(), folder: z.string() })) }), [
        'projects',
      ]);
      expect(spawned.structuredContent).toMatchObject({ projectId: projects.find(({ folder }) => folder === project)?.id });
      expect(await old.callTool({ name: 'get_agent', arguments: { id: 'nobody' } })).toMatchObject({ isError: true });
    } finally {
      await old.close();
      await modern.close();
    }
  });

  it('serves a client that offers the oldest revision', async () => {
    const client = new Client({ name: 'oldest', version: '1' });
    await client.connect(offering(new StdioClientTransport(server()), '2024-11-05'));
    try {
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('send_message');
      expect(await client.callTool({ name: 'list_agents', arguments: {} })).toMatchObject({
        structuredContent: { agents: expect.any(Array) as unknown },
      });
    } finally {
      await client.close();
    }
  });

  it('goes on when the core is killed and started again', async () => {
    const client = new Client({ name: 'old', version: '1' });
    await client.connect(new StdioClientTransport(server()));
    try {
      const { dataDir } = core;
      await core.kill();
      const call = client.callTool({ name: 'get_agent', arguments: { id: 'from-mcp' } });
      core = await startCore({ dataDir });
      expect(await call).toMatchObject({ structuredContent: { id: 'from-mcp', state: { status: 'working' } } });
    } finally {
      await client.close();
    }
  });

  it('is open to agents on their own interface', async () => {
    writeFileSync(
      join(project, 'ask.sh'),
      `node '${BIN}' agent-mcp --agent asker <<'JSON'\n{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"sh","version":"1"}}}\n{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"send_message","arguments":{"to":"operator","body":"hello from asker"}}}\nJSON\nsleep 1000\n`,
    );
    await quarterdeck(['spawn', '--id', 'asker', '--', 'bash', 'ask.sh']);
    await expect.poll(async () => (await quarterdeck(['inbox'])).stdout, { timeout: 20_000 }).toContain('hello from asker');
    expect((await quarterdeck(['agent-mcp', '--agent', 'asker'])).code).toBe(4);
    await quarterdeck(['stop', '--all']);
  });
});

describe('a core in the background', { timeout: 90_000 }, () => {
  it('is started by the wrapper script, outlives it, and is ended by shutdown', async () => {
    const dataDir = makeDataDir();
    try {
      const [first, second] = await Promise.all([
        quarterdeck(['wrapped-1', 'worker', '--env', 'BATCH_SIZE=7'], {
          dataDir,
          program: ['bash', join(ROOT, 'scripts', 'agent-wrapper.sh')],
        }),
        quarterdeck(['spawn', '--id', 'other', '--type', 'worker'], { dataDir }),
      ]);
      expect([first, second]).toMatchObject([{ code: 0 }, { code: 0 }]);
      expect(first.stderr + second.stderr).toContain('starting it in the background');
      expect((await json(Agents, ['agents'], { dataDir })).agents.map(({ id }) => id)).toEqual(['other', 'wrapped-1']);
      // What it prints for people, the login link, stands in no file.
      expect(readFileSync(join(dataDir, 'logs', 'background.log'), 'utf8')).not.toContain('#login=');
      expect((await quarterdeck(['journal', 'verify'], { dataDir })).code).toBe(0);
      const { info } = await json(z.object({ info: z.object({ pid: z.number() }) }), ['status'], { dataDir });
      process.kill(info.pid, 'SIGKILL');
      const third = await quarterdeck(['spawn', '--id', 'third', '--type', 'worker'], { dataDir });
      expect(third).toMatchObject({ code: 0, stderr: expect.stringContaining('starting it in the background') as string });
      expect(await quarterdeck(['shutdown', '--stop-agents'], { dataDir })).toMatchObject({
        code: 0,
        stdout: 'Quarterdeck has ended.\n',
      });
      expect((await quarterdeck(['status'], { dataDir })).code).toBe(3);
    } finally {
      await cleanUp(dataDir);
    }
  });

  it('that cannot start is an error with the reason', async () => {
    const dataDir = makeDataDir();
    writeFileSync(join(dataDir, 'operator-token'), 'not a token');
    try {
      const { code, stderr } = await quarterdeck(['spawn', '--type', 'worker'], { dataDir });
      expect(code).toBe(3);
      expect(stderr).toMatch(/could not be started in the background[^]*operator-token/);
    } finally {
      await cleanUp(dataDir);
    }
  });
});

describe('start', { timeout: 60_000 }, () => {
  it('goes on without a window where there is no display, prints one line, and ends cleanly on SIGTERM', async () => {
    const dataDir = makeDataDir();
    const env = environment(dataDir);
    delete env['DISPLAY'];
    delete env['WAYLAND_DISPLAY'];
    const child = spawnProcess(process.execPath, [BIN, 'start', '--json', '--no-open'], {
      cwd: project,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      await expect.poll(() => stdout, { timeout: 30_000 }).toContain('\n');
      expect(JSON.parse(stdout)).toMatchObject({ event: 'ready', pid: expect.any(Number) as number });
      expect(stderr).toContain('goes on without a window');
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
    await cleanUp(dataDir);
  });

  it('refuses a port that is none', async () => {
    expect(await quarterdeck(['serve', '--port', 'http'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--port must be a port') as string,
    });
  });
});
