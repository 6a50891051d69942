/**
 * The line to the core: what the box is to try, what it found, what it is to start.
 * Invariant: nothing is started that did not come complete over this one connection, within its time.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { BoxProbe, BoxReport, BoxStart } from '#shared/box/model.ts';
import { readLine, UnexpectedLine } from './read-line.ts';
import { LineReader } from '#shared/box/line-reader.ts';

/** The longest line that is taken from the core, in bytes: an environment may be large, but is bounded by the kernel (2 MB). */
const MAX_LINE_BYTES = 8 << 20;

/** The core's side went away, was silent or said something else: nothing is to be started. */
export class LineClosed extends Error {}

/** The connection to the core at the launch. */
export class LaunchLine {
  readonly #socket: Socket;
  readonly #lines: string[] = [];
  #closed: string | undefined;
  #wake: (() => void) | undefined;

  constructor(path: string) {
    this.#socket = connect(path);
    const reader = new LineReader({
      maxBytes: MAX_LINE_BYTES,
      onLine: (line) => {
        this.#lines.push(line);
        this.#wake?.();
      },
      onTooLong: () => this.#close('the core sent a line that is too long'),
    });
    this.#socket.on('data', (chunk) => reader.push(chunk));
    this.#socket.on('error', (error) => this.#close(error.message));
    this.#socket.on('close', () => this.#close('the core closed the line'));
    this.#socket.on('end', () => this.#close('the core closed the line'));
  }

  /** What the core wants to be tried. Rejects with LineClosed after `deadlineMs` of silence, too. */
  async probe(deadlineMs: number): Promise<BoxProbe> {
    return read<BoxProbe>(await this.#next(deadlineMs), 'probe');
  }

  /** What the core wants to be started. Rejects with LineClosed after `deadlineMs` of silence, too. */
  async start(deadlineMs: number): Promise<BoxStart> {
    return read<BoxStart>(await this.#next(deadlineMs), 'start');
  }

  /** Says something; when the line is gone already, nobody needs to hear it. */
  say(report: BoxReport): void {
    if (this.#closed === undefined) this.#socket.write(`${JSON.stringify(report)}\n`);
  }

  /** Ends the line once everything that was said is on its way. */
  end(): void {
    this.#socket.end();
    this.#socket.unref();
  }

  #close(reason: string): void {
    this.#closed ??= reason;
    this.#wake?.();
    this.#socket.destroySoon();
  }

  async #next(deadlineMs: number): Promise<string> {
    const timer = setTimeout(() => this.#close(`the core said nothing for ${deadlineMs} ms`), deadlineMs);
    try {
      for (;;) {
        // A line that is closed counts first: what came before is half of something.
        if (this.#closed !== undefined) throw new LineClosed(this.#closed);
        const line = this.#lines.shift();
        if (line !== undefined) return line;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }
}

function read<T extends { readonly type: string }>(line: string, type: T['type']): T {
  try {
    return readLine<T>(line, type);
  } catch (error) {
    throw error instanceof UnexpectedLine ? new LineClosed(`the core: ${error.message}`) : error;
  }
}
