/**
 * For the crash test: the children it kills. A child that was started waits, with everything imported, until it is told to
 * begin: so the next one gets ready while one works and is checked, and a round costs no start of Node.
 */
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { CrashOrder } from './crash-agents.ts';

const CHILD = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
/** How long a child may take to do anything at all on a busy machine, in ms. */
const DEADLINE_MS = 60_000;

/** The line after which the time to the kill runs: told to open, opened, has acknowledged something. */
export type KillAfter = 'told' | 'ready' | 'acknowledged';

/** A child that waits to be told. */
class CrashChild {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<string>;
  #output = '';
  #errors = '';
  #isOver = false;
  #onOutput: () => void = () => undefined;

  constructor(cacheDir: string) {
    this.#process = spawn(process.execPath, [CHILD], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE: cacheDir },
    });
    this.#process.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.#process.stdout.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
      this.#onOutput();
    });
    // Whatever cannot be told to a child that died, its end says.
    this.#process.stdin.on('error', () => undefined);
    this.#ended = new Promise((resolve) =>
      this.#process.on('close', (code, signal) => {
        this.#isOver = true;
        resolve(signal ?? `exit ${code}`);
        this.#onOutput();
      }),
    );
  }

  /** Lets it work until the kill, `workMs` after a line of a sort; returns its lines. Fails when it ends by itself or is stuck. */
  async work(order: CrashOrder, workMs: number, from: KillAfter): Promise<string[]> {
    const deadline = setTimeout(() => this.kill(), DEADLINE_MS);
    let killTimer: NodeJS.Timeout | undefined;
    let wasTimely = false;
    const begin = (): void => {
      killTimer ??= setTimeout(() => {
        wasTimely = true;
        this.kill();
      }, workMs);
    };
    try {
      await this.#said('warm');
      // The moment of the kill is what is random here, so it goes by the clock.
      this.#process.stdin.write(`${JSON.stringify(order)}\n`);
      if (from !== 'told') await this.#said(from);
      begin();
      const end = await this.#ended;
      if (!wasTimely || end !== 'SIGKILL' || this.#errors !== '')
        throw new Error(
          `a child ended by itself or was stuck (${end}) after ${JSON.stringify(this.#output.slice(-200))}: ${this.#errors}`,
        );
    } finally {
      clearTimeout(deadline);
      clearTimeout(killTimer);
    }
    // The last piece is empty, or a line that the kill cut off.
    return this.#output.split('\n').slice(1, -1);
  }

  /** Kills it, as often as one likes. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Kills it and waits for its end. */
  async dispose(): Promise<void> {
    this.kill();
    await this.#ended;
  }

  /** Waits for its first line of a sort, or its end. */
  #said(verb: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#isOver || `\n${this.#output}`.includes(`\n${verb}`)) resolve();
      };
      this.#onOutput = look;
      look();
    });
  }
}

/** The child that works and the one that gets ready. */
export class CrashChildren {
  readonly #cacheDir: string;
  #spare: CrashChild;
  #working: CrashChild | undefined;

  /** Starts the first. What Node compiles is kept in `cacheDir`. */
  constructor(cacheDir: string) {
    this.#cacheDir = cacheDir;
    this.#spare = new CrashChild(cacheDir);
  }

  /** One child's life, and the start of the next. See CrashChild. */
  async runAndKill(order: CrashOrder, workMs: number, from: KillAfter): Promise<string[]> {
    const child = this.#spare;
    this.#working = child;
    const lines = child.work(order, workMs, from);
    this.#spare = new CrashChild(this.#cacheDir);
    return lines;
  }

  /** Kills all and waits for their ends. */
  async dispose(): Promise<void> {
    await Promise.all([this.#spare.dispose(), this.#working?.dispose()]);
  }
}
