/**
 * wetty, a terminal in the browser that people use today, as the peer of P12. It is installed from npm when it is needed, into a
 * cache folder of its own: it is no part of the project and none of its dependencies.
 */
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The version that is measured against. MIT. */
export const WETTY_VERSION = '3.2.0';
/** A first installation compiles nothing on common machines; on others it may take its time, in milliseconds. */
const INSTALL_TIMEOUT_MS = 300_000;
/** How long it may take to answer, in milliseconds. */
const START_TIMEOUT_MS = 30_000;
/** wetty runs a command without asking for a login only for root on the same machine; what runs here runs as who measures. */
const AS_ROOT = 'data:text/javascript,process.getuid=()=>0';

/** A running wetty. */
export interface Wetty {
  readonly url: string;
  stop(): void;
}

function cacheFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'];
  const root = cache === undefined || cache === '' ? join(homedir(), '.cache') : cache;
  return join(root, 'quarterdeck-bench', `wetty-${WETTY_VERSION}`);
}

/** The program's path, after installing it if need be. Rejects with what to do when it cannot be had. */
async function installed(): Promise<string> {
  const folder = cacheFolder();
  const main = join(folder, 'node_modules', 'wetty', 'build', 'main.js');
  if (existsSync(main)) return main;
  mkdirSync(folder, { recursive: true });
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--save-exact', `wetty@${WETTY_VERSION}`];
  try {
    await promisify(execFile)('npm', args, { timeout: INSTALL_TIMEOUT_MS });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`wetty ${WETTY_VERSION} could not be had: npm ${args.join(' ')} failed (${why})`, { cause: error });
  }
  return main;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

/** Serves a terminal in which `command` runs (words parted by blanks, none quoted). Rejects when it cannot be had. */
export async function startWetty(command: string): Promise<Wetty> {
  const main = await installed();
  const port = await freePort();
  const args = ['--host', '127.0.0.1', '--port', String(port), '--base', '/', '--log-level', 'error', '--command', command];
  const child = spawn(process.execPath, ['--import', AS_ROOT, main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = `http://127.0.0.1:${port}/`;
  await answers(child, url);
  return { url, stop: () => child.kill('SIGTERM') };
}

async function answers(child: ChildProcess, url: string): Promise<void> {
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (log = (log + chunk).slice(-2_000)));
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    const isThere = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`wetty ${WETTY_VERSION} could not be had: it did not start. ${log}`);
}
