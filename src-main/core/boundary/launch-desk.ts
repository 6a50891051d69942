/**
 * The desk at which a box shows what holds it, once: a socket in the agent's socket folder.
 * Invariant: `start`, and with it the agent's environment, is sent only after a proof that holds was stored; whatever else
 * comes, late, twice, too long or wrong, ends the launch.
 */
import { chmod, chown, rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { LineReader } from '#shared/box/line-reader.ts';
import type { BoxProbe, BoxStart } from '#shared/box/model.ts';
import { BoxReport } from '#shared/box/model.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { LaunchDesk } from '#core/runtimes/runtime.ts';
import type { Verdict } from './judge.ts';

/** The longest line that is taken from a box, in bytes: a proof has some 30 checks of at most 2 KB. */
const MAX_LINE_BYTES = 256 * 1024;
/** How long a box may take from `admit` to its proof, and from `start` to the start, in milliseconds. A busy engine is slow. */
const DEADLINE_MS = 30_000;

/** What a box found inside. */
export type InsideProof = Pick<Extract<BoxReport, { type: 'proof' }>, 'checks' | 'tookMs'>;

/** What the desk needs to know. */
export interface DeskOptions {
  /** For people, in errors. */
  readonly agentId: string;
  /** Of the socket; at most 107 bytes. Whatever is there is removed. */
  readonly socketPath: string;
  /** Whose the socket is to be; null leaves it to this process's user. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  readonly probe: BoxProbe;
  readonly start: Omit<BoxStart, 'type' | 'makesTerminal'>;
  /** Judges and stores; what is stored is committed when it resolves. `problem` is why there is nothing from inside. */
  readonly decide: (evidence: {
    readonly inside: InsideProof | undefined;
    readonly outside: readonly ProofCheck[];
    readonly problem: string | undefined;
  }) => Promise<Verdict>;
  readonly deadlineMs?: number;
}

/** Why nothing usable came. */
class DeskFailure extends Error {}

/** One launch's desk. */
export class SocketDesk implements LaunchDesk {
  readonly #o: DeskOptions;
  readonly #server: Server;
  readonly #lines: string[] = [];
  #box: Socket | undefined;
  #failure: string | undefined;
  #wake: (() => void) | undefined;
  #isUsed = false;

  private constructor(options: DeskOptions) {
    this.#o = options;
    this.#server = createServer((socket) => this.#receive(socket));
    this.#server.on('error', (error) => this.#fail(error.message));
  }

  /** Opens the desk. Rejects with a system error when the socket cannot be made. */
  static async open(options: DeskOptions): Promise<SocketDesk> {
    const desk = new SocketDesk(options);
    await desk.#listen();
    return desk;
  }

  async admit(outside: readonly ProofCheck[], options: { makesTerminal: boolean }): Promise<{ readonly pid: number }> {
    if (this.#isUsed) throw new AppError('CONFLICT', `The desk of agent ${this.#o.agentId} was used already`);
    this.#isUsed = true;
    try {
      const { inside, problem } = await this.#readProof();
      const verdict = await this.#o.decide({ inside, outside, problem });
      if (!verdict.holds) throw this.#refusal(verdict.problem ?? 'it could not be judged', 'boundary');
      this.#box?.write(`${JSON.stringify({ ...this.#o.start, type: 'start', makesTerminal: options.makesTerminal })}\n`);
      return await this.#readStarted();
    } finally {
      this.dispose();
    }
  }

  /** Closes the line: a box that was not let go ends without having started anything. */
  dispose(): void {
    this.#fail('the launch was given up');
    this.#closeDoor();
    this.#box?.destroySoon();
  }

  async #listen(): Promise<void> {
    const { socketPath, owner } = this.#o;
    await rm(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socketPath, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    // The folder is the agent's and closed to others: nobody connects between these.
    try {
      await chmod(socketPath, 0o600);
      if (owner !== null && process.getuid?.() === 0) await chown(socketPath, owner.uid, owner.gid);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  #receive(socket: Socket): void {
    socket.on('error', (error) => this.#fail(error.message));
    // One box, one line: who comes second is none, and is told nothing.
    if (this.#box !== undefined) {
      socket.destroy();
      return;
    }
    this.#box = socket;
    this.#closeDoor();
    const reader = new LineReader({
      maxBytes: MAX_LINE_BYTES,
      onLine: (line) => {
        this.#lines.push(line);
        if (this.#lines.length > 2) reader.stop();
        this.#wake?.();
      },
      onTooLong: () => this.#fail('it sent a line that is too long'),
    });
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('close', () => this.#fail('it closed the line'));
    socket.write(`${JSON.stringify(this.#o.probe)}\n`);
  }

  /** Nobody else gets in. Closing the server removes its socket, too. */
  #closeDoor(): void {
    if (this.#server.listening) this.#server.close();
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    this.#wake?.();
  }

  async #readProof(): Promise<{ inside: InsideProof | undefined; problem: string | undefined }> {
    try {
      const report = await this.#next('its proof');
      if (report.type === 'proof') return { inside: report, problem: undefined };
      return { inside: undefined, problem: `it sent "${report.type}" instead of its proof` };
    } catch (error) {
      if (!(error instanceof DeskFailure)) throw error;
      return { inside: undefined, problem: error.message };
    }
  }

  async #readStarted(): Promise<{ readonly pid: number }> {
    let report: BoxReport;
    try {
      report = await this.#next('the start');
    } catch (error) {
      if (error instanceof DeskFailure) throw this.#refusal(error.message, 'start');
      throw error;
    }
    if (report.type === 'started') return { pid: report.pid };
    throw this.#refusal(report.type === 'not-started' ? report.problem : `it sent "${report.type}" instead of starting`, 'start');
  }

  async #next(what: string): Promise<BoxReport> {
    const deadlineMs = this.#o.deadlineMs ?? DEADLINE_MS;
    const timer = setTimeout(() => this.#fail(`${what} did not come within ${deadlineMs / 1000} s`), deadlineMs);
    try {
      for (;;) {
        const line = this.#lines.shift();
        if (line !== undefined) return parse(line);
        if (this.#failure !== undefined) throw new DeskFailure(this.#failure);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }

  #refusal(problem: string, cause: 'boundary' | 'start'): AppError {
    const { agentId } = this.#o;
    const message =
      cause === 'boundary'
        ? `Agent ${agentId} was not started, because its boundary does not hold: ${problem}`
        : `Agent ${agentId} was not started in its box: ${problem}.`;
    return new AppError('UNAVAILABLE', message, { retryable: false, data: { cause, problem } });
  }
}

function parse(line: string): BoxReport {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new DeskFailure('it sent no JSON');
  }
  const parsed = BoxReport.safeParse(value);
  if (!parsed.success) throw new DeskFailure('it sent something that is no report of a box');
  return parsed.data;
}
