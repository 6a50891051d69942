/**
 * One process on a pseudoterminal, by node-pty: bytes in and out, size, end.
 * Invariant: its output is read whoever listens, and nothing a listener throws reaches node-pty's callbacks.
 */
import { write } from 'node:fs';
import { constants } from 'node:os';
import type { IPty } from 'node-pty';
import { spawn } from 'node-pty';
import type { ProcessExit } from '#shared/agents/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import type { TerminalSize } from '../runtime.ts';

/** What to run on the pseudoterminal. */
export interface PtySpawnSpec {
  /** Absolute path of the program. */
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Whole environment; TERM and PWD are set by the terminal. */
  readonly env: Readonly<Record<string, string>>;
  /** Value of TERM. */
  readonly term: string;
  readonly size: TerminalSize;
}

/** How long to wait before typing again into a terminal whose buffer is full, in milliseconds. */
const FULL_RETRY_MS = 20;
/** How much typing is kept for a process that does not read, in bytes; more is dropped. */
const MAX_PENDING_BYTES = 1 << 20;

/** The name of a signal's number, for example 9 -> SIGKILL. */
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(constants.signals)) if (value === number) return name;
  return `SIG${number}`;
}

/** A size that every terminal accepts: whole numbers from 1 to 1000. */
export function clampSize(size: TerminalSize): TerminalSize {
  const clamp = (value: number): number => Math.min(1000, Math.max(1, Math.trunc(value) || 1));
  return { cols: clamp(size.cols), rows: clamp(size.rows) };
}

/** One process on a pseudoterminal. */
export class PtyProcess implements Disposable {
  readonly pid: number;
  /** Settles when the process has ended and its output has been read. Never rejects. */
  readonly ended: Promise<ProcessExit>;
  readonly #pty: IPty;
  readonly #data = new Emitter<Uint8Array>();
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isWriting = false;
  #hasEnded = false;
  #size: TerminalSize;

  constructor(spec: PtySpawnSpec) {
    this.#size = clampSize(spec.size);
    this.#pty = spawn(spec.path, [...spec.args], {
      name: spec.term,
      cols: this.#size.cols,
      rows: this.#size.rows,
      cwd: spec.cwd,
      env: { ...spec.env },
      // Bytes, not text: a chunk may end inside a character.
      encoding: null,
    });
    this.pid = this.#pty.pid;
    this.#pty.onData((chunk: string | Uint8Array) => {
      this.#data.fire(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    });
    this.ended = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal }) => {
        this.#hasEnded = true;
        this.#queue.length = 0;
        resolve(signal === undefined || signal === 0 ? { code: exitCode } : { signal: signalName(signal) });
      });
    });
  }

  get size(): TerminalSize {
    return this.#size;
  }

  /** Raw output, as it comes. */
  onData(listener: (chunk: Uint8Array) => void): Disposable {
    return this.#data.on(listener);
  }

  /** Types bytes. What a process that does not read has no room for waits; beyond 1 MB it is dropped. */
  write(data: Uint8Array): void {
    if (this.#hasEnded || data.byteLength === 0 || this.#queuedBytes + data.byteLength > MAX_PENDING_BYTES) return;
    this.#queue.push(Buffer.from(data));
    this.#queuedBytes += data.byteLength;
    if (!this.#isWriting) this.#writeNext();
  }

  /**
   * node-pty's own write tries again at once while the terminal's buffer is full, which takes a whole core for as long as
   * an agent is paused. So the descriptor is written here, with a pause after EAGAIN.
   */
  #writeNext(): void {
    const chunk = this.#queue[0];
    const fd: unknown = Reflect.get(this.#pty, 'fd');
    if (this.#hasEnded || chunk === undefined || typeof fd !== 'number') {
      this.#isWriting = false;
      return;
    }
    this.#isWriting = true;
    write(fd, chunk, (error, written) => {
      if (error !== null) {
        if (error.code === 'EAGAIN') {
          setTimeout(() => this.#writeNext(), FULL_RETRY_MS).unref();
          return;
        }
        // The terminal is gone: its end is reported by `ended`.
        this.#isWriting = false;
        this.#queue.length = 0;
        this.#queuedBytes = 0;
        return;
      }
      this.#queuedBytes -= written;
      if (written >= chunk.byteLength) this.#queue.shift();
      else this.#queue[0] = chunk.subarray(written);
      this.#writeNext();
    });
  }

  /** Stops reading: a process that goes on writing then waits. Only for a reader that cannot keep up with the terminal itself. */
  pauseReading(): void {
    if (!this.#hasEnded) this.#pty.pause();
  }

  resumeReading(): void {
    if (!this.#hasEnded) this.#pty.resume();
  }

  resize(size: TerminalSize): void {
    if (this.#hasEnded) return;
    this.#size = clampSize(size);
    try {
      this.#pty.resize(this.#size.cols, this.#size.rows);
    } catch {
      // Between the process's end and its report the descriptor is closed already.
    }
  }

  /** Hangs up: the process gets SIGHUP, and SIGKILL if it is still there a second later. */
  dispose(): void {
    this.#data.dispose();
    if (this.#hasEnded) return;
    this.#kill('SIGHUP');
    setTimeout(() => {
      if (!this.#hasEnded) this.#kill('SIGKILL');
    }, 1000).unref();
  }

  #kill(signal: string): void {
    try {
      this.#pty.kill(signal);
    } catch {
      // Already gone.
    }
  }
}
