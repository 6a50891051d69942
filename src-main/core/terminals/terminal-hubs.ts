/**
 * The hubs that are open: opened when somebody needs one, shared from then on, closed some seconds after the last has gone
 * (a window that is shown again at once finds it warm). Invariant: at most one hub per run and window.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { Run, RunEnd, TerminalSize } from '#core/runtimes/runtime.ts';
import { TerminalHub } from './terminal-hub.ts';

/** A hub without users is closed after this long, in ms. */
export const LINGER_MS = 5_000;

/** The use of a hub; released by disposing it. */
export interface HubLease extends Disposable {
  readonly hub: TerminalHub;
}

interface Entry {
  readonly opening: Promise<TerminalHub>;
  hub: TerminalHub | undefined;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

/** One listener per run, however often its hubs are opened and closed: a promise cannot be stopped from being listened to. */
interface RunWatch {
  end: RunEnd | undefined;
  readonly hubs: Set<TerminalHub>;
}

/** How a run has ended, or undefined while it runs. */
export function endOf(run: Run): Promise<RunEnd | undefined> {
  // A promise that has settled wins against one that settles now.
  return Promise.race([run.ended, Promise.resolve(undefined)]);
}

/** The hubs that are open. */
export class TerminalHubs implements Disposable {
  readonly #lingerMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #watches = new WeakMap<Run, RunWatch>();
  #isDisposed = false;

  constructor(options: { lingerMs?: number } = {}) {
    this.#lingerMs = options.lingerMs ?? LINGER_MS;
  }

  /** How many are open, those that linger included. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether there is a hub of this window, or one that is being opened. */
  has(run: Run, window: string): boolean {
    return this.#entries.has(`${run.runId}/${window}`);
  }

  /**
   * The hub of a window of a run that has not ended. `size` is what a new hub gets; undefined keeps the size that the
   * terminal has. Rejects as `Run.attach` does.
   */
  async acquire(run: Run, window: string, size: TerminalSize | undefined): Promise<HubLease> {
    if (this.#isDisposed) throw new AppError('UNAVAILABLE', 'Quarterdeck is ending. Try again when it is back.');
    const key = `${run.runId}/${window}`;
    let entry = this.#entries.get(key);
    if (entry === undefined || entry.hub?.isEnding === true) {
      entry = { opening: this.#open(run, window, size), hub: undefined, users: 0, timer: undefined };
      this.#entries.set(key, entry);
    }
    const held = entry;
    held.users += 1;
    clearTimeout(held.timer);
    try {
      const hub = await held.opening;
      if (held.hub === undefined) {
        held.hub = hub;
        hub.onOver(() => this.#forget(key, held));
      }
      return { hub, ...toDisposable(() => this.#release(key, held)) };
    } catch (error) {
      this.#forget(key, held);
      throw error;
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const [key, entry] of this.#entries) this.#close(key, entry);
  }

  async #open(run: Run, window: string, size: TerminalSize | undefined): Promise<TerminalHub> {
    const hub = await TerminalHub.open(run, window, size ?? (await run.capture({ historyLines: 0, ansi: false, window })).size);
    if (this.#isDisposed) {
      hub.dispose();
      throw new AppError('UNAVAILABLE', 'Quarterdeck is ending. Try again when it is back.');
    }
    this.#watch(run, hub);
    return hub;
  }

  #watch(run: Run, hub: TerminalHub): void {
    let watch = this.#watches.get(run);
    if (watch === undefined) {
      const made: RunWatch = { end: undefined, hubs: new Set() };
      watch = made;
      this.#watches.set(run, made);
      run.ended
        .then((end) => {
          made.end = end;
          return Promise.all([...made.hubs].map((one) => one.runEnded(end)));
        })
        .catch(() => undefined);
    }
    watch.hubs.add(hub);
    if (watch.end !== undefined) hub.runEnded(watch.end).catch(() => undefined);
  }

  #release(key: string, entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0 || this.#entries.get(key) !== entry) return;
    if (this.#lingerMs === 0) this.#close(key, entry);
    // Does not keep a process alive that has nothing else to do.
    else entry.timer = setTimeout(() => this.#close(key, entry), this.#lingerMs).unref();
  }

  #close(key: string, entry: Entry): void {
    this.#forget(key, entry);
    entry.hub?.dispose();
  }

  #forget(key: string, entry: Entry): void {
    clearTimeout(entry.timer);
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    const { hub } = entry;
    if (hub !== undefined) this.#watches.get(hub.run)?.hubs.delete(hub);
  }
}
