/**
 * Watches how much disk agents take: their folders have no quota. One that takes more than its limit is paused, with the
 * reason; the operator frees room or raises the limit, and resumes it.
 * Cheap: folders are walked one agent at a time, at the lowest priority, and the seldomer the longer it takes. Between, only
 * the free room of the file system is read: as long as nobody frees any, no agent can take more than what is missing there.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { diskUsageOf, freeBytesOf } from './disk-usage.ts';

/** Between two readings of the free room, in milliseconds. */
const TICK_MS = 1_000;
/** Longest and shortest time between two walks for one agent, in milliseconds, and the shortest where it seems to fill the disk. */
const SELDOM_MS = 300_000;
const OFTEN_MS = 10_000;
const SOON_MS = 2_000;
/**
 * All walks together take at most this part of the time, and one that was hurried this part until its next. Starting a walk
 * holds the core up for longer than it takes by itself: with a hundred agents a twentieth was a tenth of the main thread.
 */
const SHARE = 100;
const HURRIED_SHARE = 4;
/** After this, one that was resumed over its limit is paused again, in milliseconds. */
const PATIENCE_MS = 600_000;
/** By which part of its limit one that was resumed may grow meanwhile: deleting may need some room, too. */
const ROOM_TO_CLEAN = 0.01;

/** An agent to watch. */
export interface WatchedDisk {
  readonly agentId: AgentId;
  readonly runId: string;
  /** Folders that count: absolute, none inside another. Asked once for each run. */
  readonly folders: () => readonly string[];
  readonly limitBytes: number;
  /** Whether it can be paused now. */
  readonly isActive: boolean;
  /** Whether the core has paused it, perhaps an earlier one. */
  readonly isHeld: boolean;
}

/** What the watch works with. */
export interface DiskWatchOptions {
  /** The agents that run. */
  readonly living: () => readonly WatchedDisk[];
  /** Pauses an agent and says why. */
  readonly pause: (id: AgentId, because: string) => Promise<unknown>;
  readonly log: (message: string, error: unknown) => void;
  /** Milliseconds on a clock that only goes on. */
  readonly now?: () => number;
  readonly usageOf?: (folders: readonly string[]) => Promise<number | undefined>;
  readonly freeOf?: (folder: string) => Promise<number | undefined>;
  readonly tickMs?: number;
}

interface Entry {
  readonly folders: readonly string[];
  runId: string;
  limitBytes: number;
  /** When it is walked at the latest. */
  dueAt: number;
  /** Not earlier than this: walking must not become all there is. */
  notBefore: number;
  usedBytes: number;
  /** Free room when it was last walked. */
  freeBytes: number | undefined;
  /** Of the last time it was paused for its use; undefined when it never was, or is below its limit again. */
  paused: { usedBytes: number | undefined; at: number } | undefined;
}

/** Bytes as people read them, in the units of the limits. */
function words(bytes: number): string {
  const [unit, name] = bytes >= 2 ** 30 ? [2 ** 30, 'GB'] : [2 ** 20, 'MB'];
  return `${Number((bytes / unit).toFixed(1))} ${name}`;
}

/** The watch of one core. */
export class DiskWatch implements Disposable {
  readonly #o: DiskWatchOptions;
  readonly #entries = new Map<AgentId, Entry>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isDisposed = false;

  constructor(options: DiskWatchOptions) {
    this.#o = options;
  }

  /** Begins to watch. */
  start(): void {
    this.#timer = setInterval(() => {
      this.look().catch((error: unknown) => this.#o.log('the disk that agents use could not be watched', error));
    }, this.#o.tickMs ?? TICK_MS);
    this.#timer.unref();
  }

  /** Looks at every agent whose turn it is. Who asks while that is under way waits for it. */
  look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  dispose(): void {
    this.#isDisposed = true;
    clearInterval(this.#timer);
    this.#entries.clear();
  }

  async #lookAtAll(): Promise<void> {
    const living = this.#o.living();
    const ids = new Set(living.map(({ agentId }) => agentId));
    for (const id of this.#entries.keys()) if (!ids.has(id)) this.#entries.delete(id);
    for (const disk of living) {
      if (this.#isDisposed) return;
      const entry = this.#entryOf(disk);
      // It is given time from when it was resumed. One that is paused writes nothing.
      if (disk.isHeld) entry.paused = { usedBytes: entry.paused?.usedBytes, at: this.#now() };
      if (disk.isActive && (await this.#isDue(disk, entry))) await this.#walk(disk, entry);
    }
  }

  #entryOf(disk: WatchedDisk): Entry {
    const known = this.#entries.get(disk.agentId);
    if (known?.runId === disk.runId && known.limitBytes === disk.limitBytes) return known;
    const entry: Entry = {
      folders: disk.folders(),
      runId: disk.runId,
      limitBytes: disk.limitBytes,
      dueAt: Number.NEGATIVE_INFINITY,
      notBefore: Number.NEGATIVE_INFINITY,
      usedBytes: 0,
      freeBytes: undefined,
      paused: undefined,
    };
    this.#entries.set(disk.agentId, entry);
    return entry;
  }

  async #isDue(disk: WatchedDisk, entry: Entry): Promise<boolean> {
    const now = this.#now();
    if (now < entry.notBefore) return false;
    if (now >= entry.dueAt) return true;
    const [folder] = entry.folders;
    const free = folder === undefined ? undefined : await this.#freeOf(folder);
    if (free === undefined || entry.freeBytes === undefined) return false;
    // Half of what it has left is gone from the disk: it may be its doing.
    const leftBytes = Math.max(disk.limitBytes - entry.usedBytes, disk.limitBytes * ROOM_TO_CLEAN);
    return entry.freeBytes - free > leftBytes / 2;
  }

  async #walk(disk: WatchedDisk, entry: Entry): Promise<void> {
    const startedAt = this.#now();
    const [folder] = entry.folders;
    const free = folder === undefined ? undefined : await this.#freeOf(folder);
    const used = await (this.#o.usageOf ?? diskUsageOf)(entry.folders);
    const now = this.#now();
    const tookMs = now - startedAt;
    entry.notBefore = now + Math.max(SOON_MS, tookMs * HURRIED_SHARE);
    const everyMs = Math.min(SELDOM_MS, Math.max(OFTEN_MS, tookMs * SHARE * this.#entries.size));
    entry.dueAt = Math.max(entry.notBefore, now + everyMs);
    entry.freeBytes = free;
    if (used === undefined || this.#isDisposed || this.#entries.get(disk.agentId) !== entry) return;
    entry.usedBytes = used;
    await this.#judge(disk, entry);
  }

  async #judge(disk: WatchedDisk, entry: Entry): Promise<void> {
    if (entry.usedBytes <= disk.limitBytes) {
      entry.paused = undefined;
      return;
    }
    const now = this.#now();
    // Somebody resumed it, perhaps so that it cleans up: it gets time, and a little room.
    if (entry.paused !== undefined) {
      // Paused by an earlier core, which knew how much it was.
      entry.paused.usedBytes ??= entry.usedBytes;
      const hasGrown = entry.usedBytes > entry.paused.usedBytes + disk.limitBytes * ROOM_TO_CLEAN;
      if (!hasGrown && now - entry.paused.at < PATIENCE_MS) return;
    }
    const because = `It uses ${words(entry.usedBytes)} of disk, and its limit is ${words(disk.limitBytes)}. Delete files in ${entry.folders.join(' or ')}, or raise its disk limit, then resume it.`;
    await this.#o.pause(disk.agentId, because);
    entry.paused = { usedBytes: entry.usedBytes, at: now };
  }

  #now(): number {
    return (this.#o.now ?? (() => performance.now()))();
  }

  #freeOf(folder: string): Promise<number | undefined> {
    return (this.#o.freeOf ?? freeBytesOf)(folder);
  }
}
