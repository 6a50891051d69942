/**
 * A Chromium that is spoken to without Playwright, which keeps every page it holds visible and focused. Here a page in the
 * background is one: `document.hidden`, no frames, timers held back, as with a tab that is not looked at.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { findChromium } from './report/machine.ts';

/** The browser says where it listens after at most this long, in milliseconds. */
const START_TIMEOUT_MS = 30_000;

const Answer = z.object({
  id: z.number().optional(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ message: z.string() }).optional(),
});
const Target = z.object({ targetId: z.string() });
const Session = z.object({ sessionId: z.string() });
const Value = z.object({ result: z.object({ value: z.unknown() }).partial(), exceptionDetails: z.unknown().optional() });

/** A page of it. */
export interface PlainPage {
  /** Evaluates an expression in the page, and waits for what it promises. */
  readonly evaluate: (expression: string) => Promise<unknown>;
  /** Brings it to the front: all others are hidden then. */
  readonly activate: () => Promise<void>;
}

/** One browser with a profile of its own. Whoever starts it closes it. */
export class PlainChromium {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: z.infer<typeof Answer>) => void>();
  #last = 0;

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const answer = Answer.parse(JSON.parse(data.toString('utf8')));
      if (answer.id === undefined) return;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async start(): Promise<PlainChromium> {
    const profile = mkdtempSync(join(tmpdir(), 'qd-chromium-'));
    const args = ['--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-port=0'];
    const browser = spawn(findChromium() ?? '/usr/bin/chromium', [...args, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const address = await new Promise<string>((resolve, reject) => {
      let said = '';
      const timer = setTimeout(() => reject(new Error(`Chromium did not say where it listens: ${said}`)), START_TIMEOUT_MS);
      browser.stderr.on('data', (data: Buffer) => {
        said += data.toString('utf8');
        const [found] = /ws:\/\/\S+/.exec(said) ?? [];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      });
    });
    const socket = new WebSocket(address);
    await once(socket, 'open');
    return new PlainChromium(browser, profile, socket);
  }

  /** Opens a page at an address, in front of the others. */
  async open(url: string, size: { readonly width: number; readonly height: number }): Promise<PlainPage> {
    const { targetId } = Target.parse(await this.#call('Target.createTarget', { url }));
    const { sessionId } = Session.parse(await this.#call('Target.attachToTarget', { targetId, flatten: true }));
    await this.#call('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: false }, sessionId);
    return {
      evaluate: async (expression) => {
        const params = { expression, awaitPromise: true, returnByValue: true };
        const { result, exceptionDetails } = Value.parse(await this.#call('Runtime.evaluate', params, sessionId));
        if (exceptionDetails !== undefined) throw new Error(`"${expression}" failed: ${JSON.stringify(exceptionDetails)}`);
        return result.value;
      },
      activate: async () => {
        await this.#call('Target.activateTarget', { targetId });
      },
    };
  }

  async close(): Promise<void> {
    const end = once(this.#process, 'exit');
    this.#socket.close();
    this.#process.kill('SIGKILL');
    await end;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #call(method: string, params: Readonly<Record<string, unknown>>, sessionId?: string): Promise<unknown> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
  }
}
