/**
 * Watches what agents use where nothing of the system holds them: over the limit, the run is ended with the reason. One pass
 * over the machine's processes serves all of them.
 */
import { readFile } from 'node:fs/promises';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import type { ProcessInfo, ProcessSnapshot } from '../process-table.ts';
import { recentSnapshot } from '../process-table.ts';
import type { RuntimeLog } from '../stop-sequence.ts';

/** Between two looks, in milliseconds. Half a second is how long one snapshot serves everybody. */
const LOOK_MS = 500;
/** Looks over the memory limit before the run is ended: a short peak is forgiven. */
const LOOKS_OVER = 2;

/** A run to watch. */
export interface WatchedRun {
  /** Processes of the run in a snapshot. */
  members(snapshot: ProcessSnapshot): readonly ProcessInfo[];
  /** Ends it at once. */
  end(): Promise<unknown>;
}

/** What it may use at most. */
export interface WatchedCaps {
  readonly memoryBytes: number;
  readonly processes: number;
}

interface Entry {
  readonly run: WatchedRun;
  readonly caps: () => WatchedCaps;
  readonly onOver: (cause: string) => void;
  looksOver: number;
}

/** Bytes as people read them, in the units of the limits. */
export function sizeWords(bytes: number): string {
  const [unit, name] = bytes >= 2 ** 30 ? [2 ** 30, 'GB'] : bytes >= 2 ** 20 ? [2 ** 20, 'MB'] : [2 ** 10, 'KB'];
  return `${Number((bytes / unit).toFixed(bytes >= 10 * unit ? 0 : 1))} ${name}`;
}

/** Memory of processes with what they share counted once; the resident size where that cannot be read. */
async function sharedOnce(members: readonly ProcessInfo[]): Promise<number> {
  const sizes = members.map(async (info) => {
    const rollup = await readFile(`/proc/${info.pid}/smaps_rollup`, 'latin1').catch(() => '');
    const match = /^Pss:\s+(\d+) kB$/m.exec(rollup);
    return match === null ? info.memoryBytes : Number(match[1]) * 1024;
  });
  return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
}

/** The watchdog of one core. */
export class Watchdog implements Disposable {
  readonly #log: RuntimeLog;
  readonly #entries = new Set<Entry>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(log: RuntimeLog) {
    this.#log = log;
  }

  /** Watches a run until it is let go. `onOver` is told why, before it is ended. */
  watch(run: WatchedRun, caps: () => WatchedCaps, onOver: (cause: string) => void): Disposable {
    const entry: Entry = { run, caps, onOver, looksOver: 0 };
    this.#entries.add(entry);
    this.#timer ??= setInterval(() => {
      if (this.#isLooking) return;
      this.#isLooking = true;
      this.#look()
        .catch((error: unknown) => this.#log('Agents could not be watched', { error: String(error) }))
        .finally(() => {
          this.#isLooking = false;
        });
    }, LOOK_MS).unref();
    return toDisposable(() => {
      this.#entries.delete(entry);
      if (this.#entries.size === 0) this.dispose();
    });
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#entries.clear();
  }

  async #look(): Promise<void> {
    const snapshot = await recentSnapshot();
    for (const entry of [...this.#entries]) {
      const members = entry.run.members(snapshot);
      const cause = await this.#judge(entry, members);
      if (cause === undefined || !this.#entries.delete(entry)) continue;
      entry.onOver(cause);
      entry.run
        .end()
        .catch((error: unknown) => this.#log('An agent over its limit could not be ended', { error: String(error) }));
    }
  }

  async #judge(entry: Entry, members: readonly ProcessInfo[]): Promise<string | undefined> {
    const caps = entry.caps();
    // Many at once are no peak: the next look would find the machine full of them.
    if (members.length > caps.processes) return `too many processes: it had ${members.length}, its limit is ${caps.processes}`;
    const resident = members.reduce((sum, info) => sum + info.memoryBytes, 0);
    // What processes share is in the resident size of each: read exactly only when it seems too much.
    const used = resident > caps.memoryBytes ? await sharedOnce(members) : resident;
    entry.looksOver = used > caps.memoryBytes ? entry.looksOver + 1 : 0;
    return entry.looksOver < LOOKS_OVER
      ? undefined
      : `out of memory: it used ${sizeWords(used)}, its limit is ${sizeWords(caps.memoryBytes)}`;
  }
}
