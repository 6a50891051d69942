/** For specs: a real core in a process of its own, in a data folder of its own. */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { RunInfo } from '#shared/system/model.ts';
import { pathsOf } from '#core/paths.ts';

/** A core takes at most this long to be ready, in milliseconds: ten times what it needs on a quiet machine. */
const READY_TIMEOUT_MS = 30_000;

/** A running core. */
export interface TestCore {
  readonly run: RunInfo;
  readonly token: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Everything it wrote to stderr so far. */
  log(): string;
  /** Ends it cleanly, agents included (see `keepsAgents`), and resolves with its exit code. */
  stop(): Promise<number | null>;
  /** Kills it with SIGKILL and waits until it is gone. Agents go on. */
  kill(): Promise<void>;
}

/** How a core is started. */
export interface StartCoreOptions {
  /** Data folder; a new temporary one when left out. */
  readonly dataDir?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Run what was built instead of the sources. By default so under `npm test`, which has just built it: what ships is what is
   * tested, and it starts several times faster.
   */
  readonly isBuilt?: boolean;
  /** Its clean end leaves agents running, as an operator's does. `removeDataDir` ends those in tmux. */
  readonly keepsAgents?: boolean;
  /** Options of Node itself, such as --cpu-prof. */
  readonly nodeArgs?: readonly string[];
}

/** A new temporary data folder. */
export function makeDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'qd-e2e-'));
}

/** Starts a headless core on ports of its own and waits for its ready line. */
export async function startCore(options: StartCoreOptions = {}): Promise<TestCore> {
  const dataDir = options.dataDir ?? makeDataDir();
  const main = new URL(
    (options.isBuilt ?? process.env['QUARTERDECK_SKIP_BUILD'] === '1')
      ? '../../out/node/headless.js'
      : '../../src-main/hosts/headless/main.ts',
    import.meta.url,
  ).pathname;
  const child = spawn(
    process.execPath,
    [
      ...(options.nodeArgs ?? []),
      main,
      '--json',
      '--no-open',
      '--port',
      '0',
      '--agent-mcp-port',
      '0',
      '--data-dir',
      dataDir,
      ...(options.keepsAgents === true ? [] : ['--stop-agents']),
      ...(options.args ?? []),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const run = await readyLine(child, () => log);
  return {
    run,
    token: readFileSync(join(dataDir, 'operator-token'), 'utf8').trim(),
    dataDir,
    pid: run.pid,
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM');
      return exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Removes a data folder that no core uses any more, and the tmux server that keeps its ended agents' screens. */
export function removeDataDir(dataDir: string): void {
  const { socketDir } = pathsOf(dataDir, process.env);
  spawnSync('tmux', ['-S', join(socketDir, 'tmux.sock'), 'kill-server'], { stdio: 'ignore' });
  rmSync(socketDir, { recursive: true, force: true });
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
}

function readyLine(child: ChildProcess, log: () => string): Promise<RunInfo> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the core was not ready within ${READY_TIMEOUT_MS} ms:\n${log()}`));
    }, READY_TIMEOUT_MS);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the core ended with code ${code} before it was ready:\n${log()}`));
    });
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(RunInfo.extend({ event: z.literal('ready') }).parse(JSON.parse(line)));
    });
  });
}
