import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import { diskUsageOf } from './disk-usage.ts';
import type { WatchedDisk } from './disk-watch.ts';
import { DiskWatch } from './disk-watch.ts';

const MB = 2 ** 20;
const ID = AgentId.parse('filler');

describe('diskUsageOf', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qddisk-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('counts what several folders take, hard links once', async () => {
    for (const name of ['a', 'b']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'a', 'one'), Buffer.alloc(3 * MB, 1));
    linkSync(join(folder, 'a', 'one'), join(folder, 'b', 'same'));
    writeFileSync(join(folder, 'b', 'two'), Buffer.alloc(MB, 1));
    const used = await diskUsageOf([join(folder, 'a'), join(folder, 'b')]);
    expect(used).toBeGreaterThanOrEqual(4 * MB);
    expect(used).toBeLessThan(4.2 * MB);
  });

  it('says nothing of folders that are gone', async () => {
    expect(await diskUsageOf([join(folder, 'gone')])).toBeUndefined();
  });
});

describe('DiskWatch', () => {
  let now: number;
  let used: number | undefined;
  let free: number;
  let walks: number;
  let tookMs: number;
  let disk: WatchedDisk;
  let paused: string[];
  let watch: DiskWatch;

  beforeEach(() => {
    [now, used, free, walks, tookMs, paused] = [0, 10 * MB, 1000 * MB, 0, 50, []];
    disk = { agentId: ID, runId: 'run_1', folders: () => ['/w', '/h'], limitBytes: 100 * MB, isActive: true, isHeld: false };
    watch = new DiskWatch({
      living: () => [disk],
      pause: (id, because) => {
        paused.push(`${id}: ${because}`);
        return Promise.resolve();
      },
      log: (message, error) => {
        throw new Error(message, { cause: error });
      },
      now: () => now,
      usageOf: () => {
        walks += 1;
        now += tookMs;
        return Promise.resolve(used);
      },
      freeOf: () => Promise.resolve(free),
    });
  });
  afterEach(() => watch.dispose());

  const after = async (ms: number): Promise<void> => {
    now += ms;
    await watch.look();
  };

  it('pauses one that takes more than its limit, and says what to do', async () => {
    await watch.look();
    expect(paused).toEqual([]);
    used = 150 * MB;
    await after(300_000);
    expect(paused).toEqual([
      'filler: It uses 150 MB of disk, and its limit is 100 MB. Delete files in /w or /h, or raise its disk limit, then resume it.',
    ]);
  });

  it('walks seldom, unless room goes from the disk as fast as it may use it up', async () => {
    await watch.look();
    await after(4_000);
    expect(walks).toBe(1);
    free -= 40 * MB;
    await after(4_000);
    expect(walks).toBe(1);
    free -= 10 * MB;
    used = 101 * MB;
    await after(1_000);
    expect(walks).toBe(2);
    expect(paused).toHaveLength(1);
  });

  it('walks the seldomer the longer it takes', async () => {
    tookMs = 1_000;
    await watch.look();
    await after(99_000);
    expect(walks).toBe(1);
    await after(1_000);
    expect(walks).toBe(2);
    tookMs = 60_000;
    await after(100_000);
    await after(299_000);
    expect(walks).toBe(3);
    await after(1_000);
    expect(walks).toBe(4);
  });

  it('never walks twice within two seconds, and not at all while it is paused', async () => {
    await watch.look();
    free = 0;
    await after(1_000);
    expect(walks).toBe(1);
    disk = { ...disk, isActive: false };
    await after(600_000);
    expect(walks).toBe(1);
  });

  it('gives one that was resumed over its limit time and a little room, then pauses it again', async () => {
    used = 150 * MB;
    await watch.look();
    expect(paused).toHaveLength(1);
    used = 150.9 * MB;
    await after(10_000);
    expect(paused).toHaveLength(1);
    used = 151.1 * MB;
    await after(10_000);
    expect(paused).toHaveLength(2);
    await after(590_000);
    expect(paused).toHaveLength(2);
    await after(11_000);
    expect(paused).toHaveLength(3);
  });

  it('counts that time from when it was resumed, also when an earlier core has paused it', async () => {
    used = 150 * MB;
    disk = { ...disk, isActive: false, isHeld: true };
    await watch.look();
    await after(3_600_000);
    disk = { ...disk, isActive: true, isHeld: false };
    await after(1_000);
    await after(500_000);
    expect([walks, paused]).toEqual([2, []]);
    await after(100_000);
    expect(paused).toHaveLength(1);
  });

  it('forgets that it was over once it is below, and looks at once after a change of the limit or a new start', async () => {
    used = 150 * MB;
    await watch.look();
    used = 90 * MB;
    await after(10_000);
    used = 101 * MB;
    await after(300_000);
    expect(paused).toHaveLength(2);
    disk = { ...disk, limitBytes: 200 * MB };
    await after(0);
    expect(paused).toHaveLength(2);
    disk = { ...disk, runId: 'run_2', limitBytes: 50 * MB };
    await after(0);
    expect(paused).toHaveLength(3);
  });

  it('judges nothing that it cannot measure', async () => {
    used = undefined;
    await watch.look();
    expect([walks, paused]).toEqual([1, []]);
  });
});
