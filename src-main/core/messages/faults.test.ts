/** What the disk and the clock do to messages: what was answered holds, what was refused says why, and it goes on. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '#shared/kernel/errors.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import { DEFAULT_LEASE_MS } from '#shared/messages/model.ts';
import { steadyClock } from './steady-clock.ts';
import { ClockedCrew, MINUTE_MS } from './testing/clocked-crew.ts';

let crew: ClockedCrew | undefined;
/** Sizes in bytes: https://sqlite.org/fileformat2.html#the_write_ahead_log */
const PAGE = 4_096;
const FRAME = PAGE + 24;
const LOG_HEADER = 32;
const EXPIRY_CHILD = fileURLToPath(new URL('./testing/expiry-child.ts', import.meta.url));
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

/** Puts garbage over so many bytes of a file. */
function overwrite(file: string, at: number, length: number): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(length, 0x5a), 0, length, at);
  closeSync(handle);
}

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

  it.each([300, 20_000])('whose last page is garbage is refused at the start: texts of %i characters', async (length) => {
    const dir = newFolder();
    const before = await ClockedCrew.open({ dir });
    for (let n = 0; n < 20; n += 1) await before.send({ body: 'x'.repeat(length) });
    const free = before.t.test.store.peek((db) => db.prepare('PRAGMA freelist_count').get());
    expect(free).toEqual({ freelist_count: 0 });
    await before.t.close();
    const file = join(dir, 'quarterdeck.db');
    overwrite(file, statSync(file).size - PAGE, PAGE);
    const bytes = readFileSync(file);
    const told = await ClockedCrew.open({ dir, clock: before.clock }).catch((error: unknown) => error);
    expect(told).toMatchObject({
      code: 'UNAVAILABLE',
      retryable: false,
      message: expect.stringMatching(`The database ${file} is damaged .*backup`) as string,
    });
    // For whoever wants to get out of it what can be got.
    expect(readFileSync(file).equals(bytes)).toBe(true);
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

/** As `kill -9` leaves it, after three messages to Ben, each in a commit of its own. */
async function killedFolder(now: number): Promise<{ dir: string; log: string; frames: number }> {
  const dir = newFolder();
  const child = spawn(process.execPath, [EXPIRY_CHILD, dir, String(now)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  endings.push(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await ended;
  const log = join(dir, 'quarterdeck.db-wal');
  return { dir, log, frames: (statSync(log).size - LOG_HEADER) / FRAME };
}

async function bodies(c: ClockedCrew): Promise<string[]> {
  const { messages } = await c.t.service.list({ limit: 500 });
  return messages.map(({ body }) => body).toReversed();
}

describe('a damaged log', () => {
  const clock = { now: 1_800_000_000_000 };
  const aboutTheTrail = expect.stringMatching('audit trail is damaged.*Changes that were confirmed may be missing') as string;

  it('loses nothing, and nothing is told, when it is sound', async () => {
    const { dir } = await killedFolder(clock.now);
    crew = await ClockedCrew.open({ dir, clock });
    expect(await bodies(crew)).toEqual(['text', 'text', 'lasting']);
    expect(crew.t.test.warnings).toEqual([]);
  });

  it('whose last record is garbage loses what was in that commit and nothing else, and both its witnesses say so', async () => {
    const { dir, log, frames } = await killedFolder(clock.now);
    overwrite(log, LOG_HEADER + (frames - 1) * FRAME, FRAME);
    crew = await ClockedCrew.open({ dir, clock });
    expect(await bodies(crew)).toEqual(['text', 'text']);
    expect(crew.t.service.unreadOf('ben')).toBe(2);
    const aboutTheLog = expect.stringMatching(`${log}, was damaged.*record ${frames} .*compare with a backup`) as string;
    expect(crew.t.test.warnings).toEqual([aboutTheLog, aboutTheTrail]);
    // It goes on, and what happened stays in the audit trail.
    const after = crew.t.test.journal.seq;
    const next = await crew.send();
    expect((await crew.take()).map(({ id }) => id)).toContain(next);
    expect(crew.events(after, 'journal.fault-found')).toMatchObject([
      { data: { detail: expect.stringContaining('cut off') as string } },
    ]);
    await crew.t.close();
    crew = await ClockedCrew.open({ dir, clock });
    expect(crew.t.test.warnings).toEqual([]);
  });

  it('keeps every commit before the first record that is garbage, wherever that is', async () => {
    const made = await killedFolder(clock.now);
    const sound = readFileSync(made.log);
    const database = readFileSync(join(made.dir, 'quarterdeck.db'));
    const head = readFileSync(join(made.dir, 'audit-head'));
    const ends = commitsIn(sound).slice(-3);
    for (const [lost, end] of ends.toReversed().entries()) {
      const dir = newFolder();
      const log = Buffer.from(sound);
      log.fill(0x5a, LOG_HEADER + (end - 1) * FRAME + 100, LOG_HEADER + end * FRAME);
      writeFileSync(join(dir, 'quarterdeck.db'), database);
      writeFileSync(join(dir, 'quarterdeck.db-wal'), log);
      writeFileSync(join(dir, 'audit-head'), head);
      const opened = await ClockedCrew.open({ dir, clock });
      endings.push(() => void opened.t.dispose().catch(() => undefined));
      expect(await bodies(opened)).toEqual(['text', 'text', 'lasting'].slice(0, 2 - lost));
      expect(opened.t.test.warnings).toEqual([expect.stringContaining('was damaged') as string, aboutTheTrail]);
      await opened.t.close();
    }
  });

  it('that lost an acknowledgement, which no journal has, is told all the same, and the message comes again', async () => {
    const first = await ClockedCrew.open();
    crew = first;
    const id = await first.send();
    await first.take({ leaseMs: MINUTE_MS });
    await first.t.service.markRead({ messageIds: [id] }, first.ben);
    const dir = newFolder();
    for (const name of ['quarterdeck.db', 'quarterdeck.db-wal', 'audit-head'])
      copyFileSync(join(first.t.test.dir, name), join(dir, name));
    const log = join(dir, 'quarterdeck.db-wal');
    overwrite(log, statSync(log).size - FRAME, FRAME);
    await first.t.dispose();
    crew = await ClockedCrew.open({ dir, clock: first.clock });
    expect(crew.t.test.warnings).toEqual([expect.stringContaining(`${log}, was damaged`) as string]);
    expect(await crew.unread()).toMatchObject([{ id, state: 'delivered' }]);
  });
});

/** The frames of a log that end a commit, counted from one. */
function commitsIn(log: Buffer): number[] {
  const frames = Array.from({ length: (log.length - LOG_HEADER) / FRAME }, (_, n) => n + 1);
  return frames.filter((frame) => log.readUInt32BE(LOG_HEADER + (frame - 1) * FRAME + 4) !== 0);
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
