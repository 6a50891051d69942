/** What the disk and the clock do to messages: what was answered holds, what was refused says why, and it goes on. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '#shared/kernel/errors.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import { DEFAULT_LEASE_MS } from '#shared/messages/model.ts';
import { steadyClock } from './steady-clock.ts';
import { ClockedCrew, MINUTE_MS } from './testing/clocked-crew.ts';

let crew: ClockedCrew | undefined;
const endings: (() => void)[] = [];

afterEach(async () => {
  await crew?.t.dispose().catch(() => undefined);
  crew = undefined;
  for (const end of endings.splice(0).toReversed()) end();
});

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-faults-'));
  endings.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Sends until it is refused; returns what was answered, and the refusal. */
async function sendUntilRefused(c: ClockedCrew): Promise<{ sent: MessageId[]; refusal: unknown }> {
  const sent: MessageId[] = [];
  for (;;) {
    try {
      sent.push(await c.send({ kind: 'note', body: 'x'.repeat(20_000) }));
    } catch (refusal) {
      return { sent, refusal };
    }
  }
}

/** Every message there is. */
async function storedIds(c: ClockedCrew): Promise<string[]> {
  const { messages } = await c.t.service.list({ limit: 500 });
  return messages.map(({ id }) => id).toReversed();
}

/** Lets the database grow by so many pages at most, as a full disk would; undefined: as far as it likes. */
function limitPages(c: ClockedCrew, more: number | undefined): void {
  c.t.test.store.peek((db) => {
    const { page_count: count } = db.prepare('PRAGMA page_count').get() as { page_count: number };
    db.prepare(`PRAGMA max_page_count = ${more === undefined ? 1_000_000 : count + more}`).get();
  });
}

describe('a full disk', () => {
  it('refuses what it cannot store and says so; nothing that was answered is lost, and it goes on when there is room', async () => {
    crew = await ClockedCrew.open();
    const first = await crew.send();
    await crew.take();
    limitPages(crew, 40);
    const { sent, refusal } = await sendUntilRefused(crew);
    expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryable: true, message: expect.stringContaining('full') as string });
    expect(sent.length).toBeGreaterThan(0);
    expect(await storedIds(crew)).toEqual([first, ...sent]);
    expect(crew.t.service.unreadOf('ben')).toBe(1 + sent.length);
    // What needs no room goes on: an acknowledgement.
    expect(await crew.t.service.markRead({ messageIds: [first] }, crew.ben)).toEqual({ marked: 1 });
    limitPages(crew, undefined);
    const after = await crew.send();
    expect((await crew.take({ limit: 200 })).map(({ id }) => id)).toEqual([...sent, after]);
  });

  it('keeps what is due waiting, and does it once there is room', async () => {
    crew = await ClockedCrew.open();
    const id = await crew.send({ ttlMs: MINUTE_MS });
    limitPages(crew, 4);
    await sendUntilRefused(crew);
    crew.clock.now += MINUTE_MS;
    const settling = await crew.t.service.settle().then(
      () => 'settled',
      (error: unknown) => (error instanceof AppError ? error.code : error),
    );
    expect(['settled', 'UNAVAILABLE']).toContain(settling);
    expect((await crew.take({ limit: 200 }).catch(() => [])).map((message) => message.id)).not.toContain(id);
    limitPages(crew, undefined);
    await crew.t.service.settle();
    expect(await crew.copy(id)).toMatchObject({ state: 'dead', deadReason: 'expired' });
  });
});

describe('a database that may not be written', () => {
  it('refuses every change and says so, shows what is there, and goes on when it may', async () => {
    crew = await ClockedCrew.open();
    const id = await crew.send();
    const forbid = (on: boolean): void =>
      void crew?.t.test.store.peek((db) => db.prepare(`PRAGMA query_only = ${on ? 1 : 0}`).run());
    forbid(true);
    await expect(crew.send()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(crew.take()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(crew.t.service.markRead({ messageIds: [id] }, crew.ben)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await storedIds(crew)).toEqual([id]);
    expect(crew.t.service.unreadOf('ben')).toBe(1);
    forbid(false);
    expect(await crew.take()).toMatchObject([{ id, attempts: 1 }]);
  });
});

/** A folder that can be made read-only: a file system of its own, or by its rights where none may be mounted. */
function lockableFolder(): { dir: string; lock: (on: boolean) => void } {
  const dir = newFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    const setRights = (on: boolean): void => {
      for (const name of readdirSync(dir)) chmodSync(join(dir, name), on ? 0o400 : 0o600);
      chmodSync(dir, on ? 0o500 : 0o700);
    };
    endings.push(() => setRights(false));
    return { dir, lock: setRights };
  }
  endings.push(() => execFileSync('umount', [dir]));
  return { dir, lock: (on) => execFileSync('mount', ['-o', `remount,${on ? 'ro' : 'rw'}`, dir]) };
}

describe('a file system that is read-only', () => {
  it('is told of at the start, and nothing is lost when it can be written again', async () => {
    const { dir, lock } = lockableFolder();
    const before = await ClockedCrew.open({ dir });
    const id = await before.send();
    await before.t.close();
    lock(true);
    await expect(ClockedCrew.open({ dir })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    lock(false);
    const after = await ClockedCrew.open({ dir, clock: before.clock });
    expect(await after.take()).toMatchObject([{ id }]);
    await after.t.close();
  });
});

describe('a damaged file', () => {
  it('whose last page is torn loses no acknowledged message: the log has what was answered', async () => {
    const dir = newFolder();
    const opened = await ClockedCrew.open({ dir });
    crew = opened;
    const sent = await Promise.all(Array.from({ length: 20 }, () => opened.send({ body: 'x'.repeat(2_000) })));
    // As a crash leaves it: the log was not written back, and its last frame is half there.
    const log = join(dir, 'quarterdeck.db-wal');
    const [database, frames] = [readFileSync(join(dir, 'quarterdeck.db')), readFileSync(log)];
    const { clock } = crew;
    await crew.t.close();
    const copyTo = newFolder();
    const write = (name: string, bytes: Uint8Array): void => {
      const file = openSync(join(copyTo, name), 'w');
      writeSync(file, bytes);
      closeSync(file);
    };
    write('quarterdeck.db', database);
    write('quarterdeck.db-wal', Buffer.concat([frames, Buffer.alloc(3_000, 0x5a)]));
    crew = await ClockedCrew.open({ dir: copyTo, clock });
    expect(await storedIds(crew)).toEqual(sent);
    expect(crew.t.service.unreadOf('ben')).toBe(20);
  });

  it('that was cut off is refused at the start or read with a clear error, never as if nothing were missing', async () => {
    const dir = newFolder();
    const before = await ClockedCrew.open({ dir });
    for (let n = 0; n < 20; n += 1) await before.send({ body: 'x'.repeat(20_000) });
    const ids = await storedIds(before);
    await before.t.close();
    const file = join(dir, 'quarterdeck.db');
    const handle = openSync(file, 'r+');
    ftruncateSync(handle, statSync(file).size - 4096);
    closeSync(handle);
    const told = await (async () => {
      const after = await ClockedCrew.open({ dir, clock: before.clock });
      crew = after;
      return storedIds(after);
    })().catch((error: unknown) => error);
    const isHonest = told instanceof Error ? /malformed|corrupt|short read|disk I\/O/i.test(told.message) : expectSame(told, ids);
    expect(isHonest, String(told)).toBe(true);
  });
});

function expectSame(told: unknown, ids: readonly string[]): boolean {
  return JSON.stringify(told) === JSON.stringify(ids);
}

describe('a clock that is set back an hour', () => {
  it('changes nothing for what is due: leases, delays and ends last as long as they were to', async () => {
    const wall = { now: 1_800_000_000_000 };
    const uptime = { ms: 5_000 };
    const steadyNow = steadyClock(
      () => wall.now,
      () => uptime.ms,
    );
    crew = await ClockedCrew.open({ clock: wall, more: { steadyNow } });
    const mortal = await crew.send({ ttlMs: 20 * MINUTE_MS, priority: 'low' });
    const delayed = await crew.send({ delayMs: MINUTE_MS });
    const leased = await crew.send({ priority: 'critical' });
    expect(await crew.take({ limit: 1 })).toMatchObject([{ id: leased }]);
    wall.now -= 60 * MINUTE_MS;
    const later = await crew.send();
    uptime.ms += MINUTE_MS;
    await crew.t.service.settle();
    expect((await crew.take()).map(({ id }) => id)).toEqual([delayed, later, mortal]);
    uptime.ms += DEFAULT_LEASE_MS - MINUTE_MS;
    await crew.t.service.settle();
    uptime.ms += 1_200;
    await crew.t.service.settle();
    expect(await crew.take()).toMatchObject([{ id: leased, attempts: 2 }]);
    uptime.ms += 10 * MINUTE_MS;
    await crew.t.service.settle();
    expect(await crew.copy(mortal)).toMatchObject({ state: 'dead', deadReason: 'expired' });
  });
});
