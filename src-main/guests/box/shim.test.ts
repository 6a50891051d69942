import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineReader } from '#shared/box/line-reader.ts';
import { readLine } from './read-line.ts';
import type { TerminalProgram } from './run-in-terminal.ts';
import type { ShimReport } from './shim.ts';
import { exitOf, shimCommand, shimOrder } from './shim.ts';

let folder: string;
let server: Server;
let shim: ChildProcess | undefined;
let line: Socket | undefined;
let reports: ShimReport[];
let output: string;

const PATH = '/usr/bin:/bin';

/** Starts a shim as the leader of a process group, as tmux does, and gives it its order. */
async function start(changes: Partial<TerminalProgram>): Promise<void> {
  const path = join(folder, 'shim.sock');
  const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const [file = '', ...args] = shimCommand(path);
  shim = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH, OF_THE_PANE: 'secret' } });
  for (const stream of [shim.stdout, shim.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  line = await connected;
  const reader = new LineReader({
    maxBytes: 1024,
    onLine: (text) => reports.push(readLine<ShimReport>(text, 'running', 'ended')),
    onTooLong: () => line?.destroy(),
  });
  line.on('data', (chunk) => reader.push(chunk));
  line.write(shimOrder({ argv: ['true'], cwd: folder, env: { PATH }, setup: null, ...changes }));
}

async function ended(): Promise<ShimReport> {
  await expect.poll(() => reports.at(-1), { timeout: 10_000 }).toMatchObject({ type: 'ended' });
  return last();
}

async function printed(text: string): Promise<void> {
  await expect.poll(() => output, { timeout: 10_000 }).toContain(text);
}

function last(): ShimReport {
  const report = reports.at(-1);
  if (report === undefined) throw new Error('nothing was reported');
  return report;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qd-shim-'));
  server = createServer();
  reports = [];
  output = '';
});
afterEach(() => {
  line?.destroy();
  if (shim?.exitCode === null && shim.pid !== undefined) process.kill(-shim.pid, 'SIGKILL');
  server.close();
  rmSync(folder, { recursive: true });
});

describe('the shim in a container', () => {
  it.each<[string, string[], object]>([
    ['a code', ['sh', '-c', 'exit 3'], { code: 3 }],
    ['a code that looks like a signal', ['sh', '-c', 'exit 137'], { code: 137 }],
    ['a signal', ['sh', '-c', 'kill -9 $$'], { signal: 'SIGKILL' }],
    ['a signal that dumps core', ['sh', '-c', 'ulimit -c 0; kill -ABRT $$'], { signal: 'SIGABRT' }],
    ['a signal without a name', ['perl', '-e', 'kill 40, $$; sleep 9'], { code: 168 }],
    ['a program that is not there', ['no-such-program'], { code: 127 }],
    ['a program that cannot be run', ['/etc/passwd'], { code: 126 }],
  ])('tells of %s', async (_, argv, exit) => {
    await start({ argv });
    const report = await ended();
    expect(report).toMatchObject({ isSetup: false });
    expect(report.type === 'ended' && exitOf(report.status)).toEqual(exit);
  });

  it('gives the program exactly its arguments, its folder and its environment', async () => {
    const env = { PATH, TWO_LINES: 'a\nb;', EMPTY: '', 'ODD-NAME': 'grün' };
    await start({
      argv: ['perl', '-e', 'print join("|", @ARGV, ""), map { "$_=$ENV{$_}|" } sort keys %ENV', '', 'a b', ''],
      env,
    });
    await ended();
    expect(output).toBe(`|a b||EMPTY=|ODD-NAME=grün|PATH=${PATH}|PWD=${folder}|TWO_LINES=a\nb;|`);
  });

  it('runs the set-up first, and nothing after one that failed', async () => {
    await start({ setup: 'echo set; echo up', argv: ['echo', 'agent'] });
    await ended();
    expect(output).toBe('set\nup\nagent\n');
    expect(reports.map((report) => (report.type === 'running' ? report.what : report.type))).toEqual(['setup', 'agent', 'ended']);
  });

  it('starts nothing after a set-up that failed', async () => {
    await start({ setup: 'false; echo not this', argv: ['echo', 'agent'] });
    expect(await ended()).toEqual({ type: 'ended', status: 1 << 8, isSetup: true });
    expect(output).toBe('');
  });

  it('stays while its group gets SIGTERM, which the program gets once', async () => {
    const count =
      '$SIG{TERM} = sub { $n += 1; syswrite STDOUT, "term $n\\n" }; $| = 1; print "ready\\n"; while (!-e "over") { select undef, undef, undef, 0.02 } print "over $n\\n"';
    await start({ argv: ['perl', '-e', count] });
    await printed('ready');
    process.kill(-(shim?.pid ?? 0), 'SIGTERM');
    await printed('term 1');
    // One that was passed on would be there long before this has started.
    spawn('touch', [join(folder, 'over')]);
    await ended();
    expect(output).toBe('ready\nterm 1\nover 1\n');
  });

  it('waits for its box when the program is over, and ends with it', async () => {
    await start({ argv: ['true'] });
    await ended();
    expect(shim?.exitCode).toBeNull();
    const gone = new Promise((resolve) => shim?.once('exit', resolve));
    line?.end();
    expect(await gone).toBe(0);
  });

  it('takes no word with a NUL byte', () => {
    expect(() => shimOrder({ argv: ['a\0b'], cwd: '/', env: {}, setup: null })).toThrow('NUL');
  });
});
