/** The queue as a text file, for whoever watches it: rewritten as a whole, and only when it has changed. */
import { writeAtomically } from './workspace.ts';

/** One task in the queue. */
export interface QueueEntry {
  readonly state: 'running' | 'waiting';
  readonly id: string;
  readonly from: string;
  readonly title: string;
  /** When it came (waiting) or began (running), in milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** The file's text. */
export function renderQueue(entries: readonly QueueEntry[], counts: { readonly done: number; readonly failed: number }): string {
  const running = entries.filter((entry) => entry.state === 'running').length;
  const head = `${running} running, ${entries.length - running} waiting, ${counts.done} done, ${counts.failed} failed`;
  const lines = entries.map(
    (entry) =>
      `${entry.state.padEnd(8)} since ${new Date(entry.sinceMs).toTimeString().slice(0, 8)}  from ${entry.from}  ${entry.title}  ${entry.id}`,
  );
  return `${[head, ...lines].join('\n')}\n`;
}

/** Keeps a file equal to the last text it was given. Writes one at a time; texts that are overtaken are left out. */
export class QueueFile {
  readonly #path: string;
  readonly #onError: (error: unknown) => void;
  #written: string | undefined;
  #wanted: string | undefined;
  #writing: Promise<void> | undefined;

  constructor(path: string, onError: (error: unknown) => void) {
    this.#path = path;
    this.#onError = onError;
  }

  /** Asks for this text to be the file's. */
  update(text: string): void {
    this.#wanted = text;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when nothing is left to write. */
  async settled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#wanted !== undefined && this.#wanted !== this.#written) {
      const text = this.#wanted;
      try {
        await writeAtomically(this.#path, text);
      } catch (error) {
        this.#onError(error);
      }
      this.#written = text;
    }
  }
}
