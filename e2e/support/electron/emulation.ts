/**
 * The electron emulation, for specs: the built main process, preload and window, run together over Chromium.
 * It proves the wiring of the shell. It proves nothing about Electron itself: there is no isolated world, no sandbox, no
 * real tray, no fuse and no real `app://` scheme here.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { chromium, expect } from '@playwright/test';
import type * as z from 'zod';
import { findChromium } from '#e2e/support/report/machine.ts';
import type { ControlRequest, Look } from './control.ts';
import { ControlAnswer, Look as LookSchema } from './control.ts';

/** How long the app may take to show its page, in milliseconds. */
const PAGE_TIMEOUT_MS = 30_000;

/** How long the app may take to end, in milliseconds. */
const END_TIMEOUT_MS = 15_000;

/** A shell that runs in the emulation. */
export interface EmulatedShell {
  /** The window's page; waits for one. */
  page(): Promise<Page>;
  look(): Promise<Look>;
  /** Sends a command to the emulation and returns its answer. */
  ask(command: ControlRequest['command']): Promise<unknown>;
  /** Everything the process wrote to stderr so far. */
  readonly log: () => string;
  /** Resolves with the app's exit code, once it has ended by itself. */
  exitCode(): Promise<number | null>;
  /** Sees to it that the process is gone: it is asked first, so that its agents go too, and then killed. */
  end(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

interface Launched {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  readonly log: () => string;
}

function launch(dataDir: string, port: number, env: NodeJS.ProcessEnv, more: readonly string[]): Launched {
  const main = join(import.meta.dirname, '..', '..', '..', 'out', 'main', 'main.js');
  const args = [main, '--data-dir', dataDir, '--port', '0', '--agent-mcp-port', '0'];
  const child = fork(join(import.meta.dirname, 'fixture-main.ts'), [...args, ...more], {
    silent: true,
    execArgv: [],
    env: {
      ...process.env,
      // The panel's colour depends on it.
      XDG_CURRENT_DESKTOP: '',
      QD_EMULATION_PORT: String(port),
      QD_EMULATION_CHROMIUM: findChromium() ?? '/usr/bin/chromium',
      ...env,
    },
  });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, exited, log: () => log };
}

/** Runs the built app until it ends by itself, as one does that cannot start. */
export async function runToEnd(dataDir: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; log: string }> {
  const { child, exited, log } = launch(dataDir, 0, env, []);
  const timer = setTimeout(() => child.kill('SIGKILL'), PAGE_TIMEOUT_MS);
  const code = await exited;
  clearTimeout(timer);
  return { code, log: log() };
}

/**
 * Starts the built app in the emulation, with a data folder of its own and further arguments. Its agents outlive it, as they
 * do in the product: `removeDataDir` ends them.
 */
export async function startEmulation(dataDir: string, args: readonly string[] = []): Promise<EmulatedShell> {
  const port = await freePort();
  const { child, exited, log } = launch(dataDir, port, {}, args);

  let lastId = 0;
  const waiting = new Map<number, (answer: z.infer<typeof ControlAnswer>) => void>();
  child.on('message', (message) => {
    const answer = ControlAnswer.parse(message);
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  const ask = async (command: ControlRequest['command']): Promise<unknown> => {
    lastId += 1;
    const id = lastId;
    const answered = new Promise<z.infer<typeof ControlAnswer>>((resolve) => waiting.set(id, resolve));
    child.send({ id, command });
    const answer = await Promise.race([
      answered,
      exited.then(() => ({ id, value: undefined, problem: `the emulation ended:\n${log()}` })),
    ]);
    if (answer.problem !== undefined) throw new Error(answer.problem);
    return answer.value;
  };

  const browser = await connect(port, log);
  return {
    page: async () => {
      const find = (): Page | undefined =>
        browser
          .contexts()
          .flatMap((context) => context.pages())
          .find((page) => page.url().startsWith('http://app--'));
      await expect.poll(find, { timeout: PAGE_TIMEOUT_MS, message: `no page of the app:\n${log()}` }).toBeDefined();
      const page = find();
      if (!page) throw new Error('the page has gone');
      return page;
    },
    look: async () => LookSchema.parse(await ask({ name: 'look' })),
    ask,
    log,
    exitCode: async () => {
      const code = await exited;
      await browser.close();
      return code;
    },
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      ask({ name: 'quit' }).catch(() => undefined);
      const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Connects to the emulation's browser once it is there. */
async function connect(port: number, log: () => string): Promise<Awaited<ReturnType<typeof chromium.connectOverCDP>>> {
  let problem: unknown;
  const isThere = async (): Promise<boolean> => {
    try {
      return (await fetch(`http://127.0.0.1:${port}/json/version`)).ok;
    } catch (error) {
      problem = error;
      return false;
    }
  };
  await expect
    .poll(isThere, { timeout: PAGE_TIMEOUT_MS, message: `the emulation's browser did not start: ${String(problem)}\n${log()}` })
    .toBe(true);
  return chromium.connectOverCDP(`http://127.0.0.1:${port}`);
}
