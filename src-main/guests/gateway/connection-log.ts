/**
 * The log of connections. Entries are numbered when they are written, and told to readers after that: a number that somebody
 * has seen is on the disk. Readers read the files, each at its own pace, and so never hold anything up.
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { EgressConnection } from '#shared/egress/model.ts';
import type { GatewayEvent } from '#shared/gateway/model.ts';
import type { LogFile } from './log-files.ts';
import { beginLogFile, numberOf, openLogFiles, removeLogFile } from './log-files.ts';

/** Entries that wait for the disk at most; then nothing new is let through, so that nothing is unrecorded. */
const MAX_WAITING = 20_000;
/** How long to wait after the disk refused, in milliseconds. */
const RETRY_MS = 500;
const READ_BYTES = 65_536;

/** Where the log is and how large it may be. */
export interface ConnectionLogOptions {
  readonly log: string;
  readonly fileBytes: number;
  /** How many files are kept. */
  readonly files: number;
  /** Is told that the disk refused, once until it works again. */
  readonly onProblem: (problem: string) => void;
}

/** The log of connections of one data folder. */
export class ConnectionLog {
  readonly #options: ConnectionLogOptions;
  #files: LogFile[];
  #handle: FileHandle;
  /** Bytes of the newest file that are whole entries. */
  #size: number;
  #written: number;
  #next: number;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  #hasProblem = false;
  /** Whether the operator knows that the disk refuses. */
  #isTold = false;
  #isClosed = false;
  #readers = new Set<() => void>();

  private constructor(options: ConnectionLogOptions, found: Awaited<ReturnType<typeof openLogFiles>>) {
    this.#options = options;
    this.#files = [...found.files];
    this.#handle = found.handle;
    this.#size = found.size;
    this.#written = found.last;
    this.#next = found.last + 1;
  }

  /** Opens it, and ends what a killed gateway left open: `nowMs` is when that is noticed. */
  static async open(options: ConnectionLogOptions, nowMs: number): Promise<ConnectionLog> {
    const found = await openLogFiles(options.log);
    const log = new ConnectionLog(options, found);
    for (const connection of found.unfinished) {
      log.append(() => ({
        ...connection,
        outcome: 'failed',
        reason: 'the gateway ended while it was open; when and after how many bytes is not known',
        durationMs: Math.max(0, nowMs - connection.at),
      }));
    }
    await log.flush();
    return log;
  }

  /** Number of the last entry on the disk; 0 when there is none. */
  get lastEvent(): number {
    return this.#written;
  }

  /** Whether so much waits for the disk that nothing new may be let through. */
  get isBlocked(): boolean {
    return this.#waiting.length >= MAX_WAITING;
  }

  /** Adds an entry; `make` gets its number. Returns the number. */
  append(make: (n: number) => EgressConnection, count = 1): number {
    const n = this.#next;
    this.#next += 1;
    const event: GatewayEvent = { n, count, connection: make(n) };
    this.#waiting.push(`${JSON.stringify(event)}\n`);
    this.#startWriting();
    return n;
  }

  /** Resolves when everything added so far is written, or could not be. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#hasProblem) {
      this.#startWriting();
      await this.#writing;
    }
    await this.#writing;
  }

  /** Writes what waits, ends all readers, and closes the file. */
  async close(): Promise<void> {
    await this.flush();
    this.#isClosed = true;
    this.#wake();
    await this.#handle.close();
  }

  /** The entries after `after`, as lines with their end, as they are and then as they come, until `signal` ends it. */
  async *read(after: number, signal: AbortSignal): AsyncGenerator<string, void, void> {
    let next = after + 1;
    const onAbort = (): void => this.#wake();
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted && !this.#isClosed) {
        if (next > this.#written) {
          await this.#untilWritten();
          continue;
        }
        const file = this.#files.findLast(({ first }) => first <= next) ?? this.#files[0];
        if (file === undefined) return;
        const before = next;
        for await (const lines of this.#readFile(file, signal)) {
          let text = '';
          for (const line of lines) {
            const n = numberOf(line);
            if (n === undefined || n < next) continue;
            text += `${line}\n`;
            next = n + 1;
          }
          if (text !== '') yield text;
        }
        // The rest of this file is gone or damaged: go on with the next one, so that no reader is stuck.
        if (next === before) next = this.#files.find(({ first }) => first > next)?.first ?? this.#written + 1;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The lines of one file, as far as they are written; in the newest file it goes on to wait for more. */
  async *#readFile(file: LogFile, signal: AbortSignal): AsyncGenerator<string[], void, void> {
    const handle = await open(file.path, 'r').catch(() => undefined);
    if (handle === undefined) return;
    try {
      const buffer = Buffer.alloc(READ_BYTES);
      let at = 0;
      let rest = Buffer.alloc(0);
      while (!signal.aborted && !this.#isClosed) {
        const isNewest = this.#files.at(-1) === file;
        const end = isNewest ? this.#size : Number.MAX_SAFE_INTEGER;
        const { bytesRead } = at < end ? await handle.read(buffer, 0, Math.min(READ_BYTES, end - at), at) : { bytesRead: 0 };
        if (bytesRead === 0) {
          if (!isNewest) return;
          // Only while it is still so: what was written since would not wake us.
          if (this.#files.at(-1) === file && at >= this.#size) await this.#untilWritten();
          continue;
        }
        at += bytesRead;
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const whole = bytes.lastIndexOf(0x0a) + 1;
        rest = Buffer.from(bytes.subarray(whole));
        if (whole > 0) yield bytes.toString('utf8', 0, whole - 1).split('\n');
      }
    } finally {
      await handle.close();
    }
  }

  async #untilWritten(): Promise<void> {
    await new Promise<void>((resolve) => this.#readers.add(resolve));
  }

  #wake(): void {
    const readers = [...this.#readers];
    this.#readers.clear();
    for (const wake of readers) wake();
  }

  #startWriting(): void {
    if (this.#writing !== undefined || this.#waiting.length === 0 || this.#hasProblem || this.#isClosed) return;
    this.#writing = this.#write().then(() => {
      this.#writing = undefined;
      this.#startWriting();
    });
  }

  /** Writes what waits now. Never rejects. */
  async #write(): Promise<void> {
    const lines = this.#waiting.slice(0, 1000);
    const bytes = Buffer.from(lines.join(''));
    try {
      if (this.#size >= this.#options.fileBytes) await this.#rotate();
      for (let at = 0; at < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, at);
        at += bytesWritten;
      }
      this.#waiting.splice(0, lines.length);
      this.#size += bytes.length;
      this.#written += lines.length;
      this.#isTold = false;
      this.#wake();
    } catch (error) {
      this.#hasProblem = true;
      // A part may have been written. What follows must begin on a line of its own.
      await this.#handle.truncate(this.#size).catch(() => undefined);
      if (!this.#isTold)
        this.#options.onProblem(
          `The log of connections cannot be written: ${error instanceof Error ? error.message : 'unknown'}`,
        );
      this.#isTold = true;
      const timer = setTimeout(() => {
        this.#hasProblem = false;
        this.#startWriting();
      }, RETRY_MS);
      timer.unref();
    }
  }

  async #rotate(): Promise<void> {
    const { file, handle } = await beginLogFile(this.#options.log, this.#written + 1);
    const old = this.#handle;
    this.#handle = handle;
    this.#files.push(file);
    this.#size = 0;
    this.#wake();
    await old.close();
    for (const oldest of this.#files.splice(0, Math.max(0, this.#files.length - this.#options.files)))
      await removeLogFile(oldest);
  }
}
