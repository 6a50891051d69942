import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_MIRROR_PLACE } from '#shared/sessions/model.ts';
import type { Caller } from '#core/caller.ts';
import type { TestMessages } from '#core/messages/testing/open-messages.ts';
import { openMessages, OPERATOR_CALLER } from '#core/messages/testing/open-messages.ts';
import { Mirror, timestampOf } from './mirror.ts';
import type { MirrorOptions } from './mirror.ts';
import { onlySession, readMirror } from './testing/read-mirror.ts';

let t: TestMessages;
let ada: Caller;
let sessionsDir: string;
let project: string;
let said: string[];
let mirrors: Mirror[];

beforeEach(async () => {
  t = await openMessages();
  ada = t.addAgent('ada');
  t.addAgent('bob');
  sessionsDir = join(t.test.dir, 'sessions');
  project = join(realpathSync(t.test.dir), 'project');
  mkdirSync(sessionsDir);
  mkdirSync(project);
  said = [];
  mirrors = [];
});
afterEach(async () => {
  for (const mirror of mirrors) mirror.dispose();
  await t.dispose();
});

function open(options: Partial<MirrorOptions> = {}): Mirror {
  const mirror = new Mirror({
    store: t.test.store,
    sessionsDir,
    projectFolder: (id) => (id === t.projectId ? project : undefined),
    warn: (message) => said.push(message),
    gatherMs: 0,
    retryMs: 1,
    ...options,
  });
  mirrors.push(mirror);
  return mirror;
}

async function send(body: string, to: 'ada' | 'bob' = 'bob'): Promise<string> {
  const { messageId } = await t.service.send(
    { to: t.agents.get(to)?.id ?? 'operator', body, kind: 'note', priority: 'normal' },
    ada,
  );
  return messageId;
}

async function read(as: string): Promise<string[]> {
  const caller = t.addAgent(as);
  const { messages } = await t.service.inbox({ unreadOnly: true, limit: 200 }, caller);
  const messageIds = messages.map(({ id }) => id);
  if (messageIds.length > 0) await t.service.markRead({ messageIds }, caller);
  return messageIds;
}

const ids = (folder: string): string[] => readMirror(folder).messages.map(({ id }) => id);

describe('the mirror', { timeout: 90_000 }, () => {
  it('has every message in its order, and how copies ended, each once, for its owner only', async () => {
    const mirror = open();
    const sent = [await send('one'), await send('two ✓')];
    await mirror.flush();
    const readByBob = await read('bob');
    sent.push(await send('three'));
    await mirror.flush();
    await mirror.flush();

    const folder = onlySession(sessionsDir);
    const content = readMirror(folder);
    expect(folder).toBe(join(sessionsDir, timestampOf(0)));
    expect(content.headers).toMatchObject([{ file: 1, session: { startedAt: 0 } }]);
    expect(content.messages.map(({ id, body }) => [id, body])).toEqual([
      [sent[0], 'one'],
      [sent[1], 'two ✓'],
      [sent[2], 'three'],
    ]);
    expect(content.ends.map(({ messageId, recipient, state }) => [messageId, recipient, state])).toEqual(
      readByBob.map((id) => [id, 'bob', 'read']),
    );
    expect(statSync(join(folder, 'messages.jsonl')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(t.test.store.peek((db) => db.prepare('SELECT count(*) AS n FROM mirror_ends').get())).toEqual({ n: 0 });
    expect(said).toEqual([]);
  });

  it('is written without being asked, when it is nudged', async () => {
    const mirror = open();
    mirror.open();
    const subscription = t.test.journal.onCommitted(() => mirror.nudge());
    const id = await send('by itself');
    await expect
      .poll(() => existsSync(join(sessionsDir, timestampOf(0), 'messages.jsonl')) && ids(onlySession(sessionsDir)), {
        timeout: 30_000,
      })
      .toEqual([id]);
    subscription.dispose();
  });

  it('puts files aside when they are full, and goes on with them after a start', async () => {
    const sent: string[] = [];
    const mirror = open({ rotateBytes: 3_000 });
    for (let i = 0; i < 12; i += 1) sent.push(await send(`${i} ${'x'.repeat(300)}`));
    await mirror.flush();
    sent.push(await send('after'));
    await open({ rotateBytes: 3_000 }).flush();
    const content = readMirror(onlySession(sessionsDir));
    expect(content.files.length).toBeGreaterThan(3);
    expect(content.files.slice(0, 2)).toEqual(['messages.0001.jsonl', 'messages.0002.jsonl']);
    expect(content.headers.map(({ file }) => file)).toEqual(content.files.map((_name, index) => index + 1));
    expect(content.messages.map(({ id }) => id)).toEqual(sent);
  });

  it('cuts a torn line, keeps whole ones that are not recorded, and writes none of them twice', async () => {
    const mirror = open();
    const first = await send('first');
    await mirror.flush();
    const file = join(onlySession(sessionsDir), 'messages.jsonl');
    // As a crash leaves it between the write and its record: written, but the store does not know.
    const second = await send('second');
    const third = await send('third');
    const lines = await t.test.store.read('mirror.next', { placeId: 1 });
    const [part] = lines.parts;
    appendFileSync(file, `${part?.lines[0]?.text}\n${part?.lines[1]?.text.slice(0, 40)}`);
    await open().flush();
    expect(ids(onlySession(sessionsDir))).toEqual([first, second, third]);
  });

  it('goes on when it was stopped while a file was put aside', async () => {
    const mirror = open({ rotateBytes: 100 });
    const first = await send('first');
    await mirror.flush();
    const folder = onlySession(sessionsDir);
    renameSync(join(folder, 'messages.jsonl'), join(folder, 'messages.0001.jsonl'));
    const second = await send('second');
    await open().flush();
    expect(ids(folder)).toEqual([first, second]);
    expect(readMirror(folder).headers.map(({ file }) => file)).toEqual([1, 2]);
  });

  it('says that the disk is full, lets messages be sent, and is refilled later', async () => {
    let isFull = false;
    const mirror = open({
      write: async (file, bytes) => {
        // A full disk takes what fits, and then nothing.
        await file.writeFile(isFull ? bytes.subarray(0, Math.floor(bytes.length / 2)) : bytes);
        if (isFull) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      },
    });
    const sent = [await send('before')];
    await mirror.flush();
    isFull = true;
    sent.push(await send('while it is full'));
    await mirror.flush();
    sent.push(await send('and on'));
    await mirror.flush();
    const [state] = await mirror.states();
    expect(state).toMatchObject({ projectId: null, behind: 2 });
    expect(state?.problem).toMatch(/no space left on device.*Messages are stored and delivered all the same/);
    expect(said).toHaveLength(1);
    isFull = false;
    await mirror.flush();
    expect(await mirror.states()).toEqual([{ projectId: null, place: null, behind: 0, problem: null }]);
    expect(ids(onlySession(sessionsDir))).toEqual(sent);
    expect(said[1]).toMatch(/goes on/);
  });

  it('never waits for a disk that hangs to let a message be sent', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const mirror = open({ write: (file, bytes) => promise.then(() => file.writeFile(bytes)) });
    const first = await send('first');
    const flushed = mirror.flush();
    const second = await send('second');
    resolve();
    await flushed;
    await mirror.flush();
    expect(ids(onlySession(sessionsDir))).toEqual([first, second]);
  });

  it('goes on behind what is left when a file was cut or removed, and says so', async () => {
    const mirror = open();
    await send('lost');
    await mirror.flush();
    const file = join(onlySession(sessionsDir), 'messages.jsonl');
    truncateSync(file, 10);
    const second = await send('second');
    await mirror.flush();
    expect(said[0]).toMatch(/shorter than what was written/);
    expect(readFileSync(file, 'utf8').split('\n')[1]).toContain(second);
    rmSync(file);
    const third = await send('third');
    await mirror.flush();
    expect(said[1]).toMatch(/somebody removed it/);
    expect(ids(onlySession(sessionsDir))).toEqual([third]);
  });

  it('tells a copy that died and was read, by the change itself', async () => {
    const mirror = open();
    const id = await send('dies');
    await t.test.store.write((tx) => tx.prepare("UPDATE deliveries SET dead_at = 5, dead_reason = 'expired'").run());
    await mirror.flush();
    await t.test.store.write((tx) => tx.prepare('UPDATE deliveries SET dead_at = NULL, dead_reason = NULL').run());
    await mirror.flush();
    expect(readMirror(onlySession(sessionsDir)).ends).toEqual([
      { type: 'end', messageId: id, recipient: 'bob', state: 'dead', at: 5, deliveredAt: null, reason: 'expired' },
      { type: 'end', messageId: id, recipient: 'bob', state: 'open', at: null, deliveredAt: null, reason: null },
    ]);
  });
});

describe('the mirror of a project', { timeout: 90_000 }, () => {
  const place = (mirror: Mirror, template: string | null) => mirror.place(t.projectId, template, OPERATOR_CALLER);

  it('is in the project from then on, what came before and its ends stay in the data folder', async () => {
    const mirror = open();
    const before = await send('before');
    expect(await place(mirror, DEFAULT_MIRROR_PLACE)).toMatchObject({ place: DEFAULT_MIRROR_PLACE, problem: null });
    const during = await send('during');
    await read('bob');
    await mirror.flush();
    const inProject = join(project, '.crowd', 'sessions', timestampOf(0));
    expect(ids(inProject)).toEqual([during]);
    expect(readMirror(inProject).ends.map(({ messageId }) => messageId)).toEqual([during]);
    expect(ids(onlySession(sessionsDir))).toEqual([before]);
    expect(readMirror(onlySession(sessionsDir)).ends.map(({ messageId }) => messageId)).toEqual([before]);

    await place(mirror, null);
    const after = await send('after');
    await mirror.flush();
    expect(ids(inProject)).toEqual([during]);
    expect(ids(onlySession(sessionsDir))).toEqual([before, after]);
    const { rows } = await t.test.store.read('journal.page', { kind: 'session.mirror-placed', limit: 9 });
    expect(rows.map(({ data }) => data)).toEqual([{ place: null }, { place: DEFAULT_MIRROR_PLACE }]);
  });

  it('writes through no symbolic link, wherever it stands in the path, and says so', async () => {
    const outside = join(t.test.dir, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(project, '.crowd'));
    const mirror = open();
    await place(mirror, DEFAULT_MIRROR_PLACE);
    const id = await send('private');
    await mirror.flush();
    expect((await mirror.states())[1]?.problem).toMatch(/\.crowd is a symbolic link or no folder/);
    expect(existsSync(join(outside, 'sessions'))).toBe(false);

    rmSync(join(project, '.crowd'));
    const folder = join(project, '.crowd', 'sessions', timestampOf(0));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(outside, 'victim'), 'mine');
    symlinkSync(join(outside, 'victim'), join(folder, 'messages.jsonl'));
    await mirror.flush();
    expect((await mirror.states())[1]?.problem).toMatch(/not the file that Quarterdeck made/);
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('mine');

    rmSync(join(folder, 'messages.jsonl'));
    await mirror.flush();
    expect((await mirror.states())[1]?.problem).toBeNull();
    expect(ids(folder)).toEqual([id]);
  });

  it('takes no file of somebody else for its own, and what others wrote behind its own for nothing', async () => {
    const folder = join(project, '.crowd', 'sessions', timestampOf(0));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'messages.jsonl'), 'theirs');
    const mirror = open();
    await place(mirror, DEFAULT_MIRROR_PLACE);
    const first = await send('first');
    await mirror.flush();
    expect(readFileSync(join(folder, 'messages.jsonl'), 'utf8')).toBe('theirs');
    rmSync(join(folder, 'messages.jsonl'));
    await mirror.flush();
    // A line that names the next message, to hide it.
    const second = await send('second');
    const { parts } = await t.test.store.read('mirror.next', { placeId: 2 });
    appendFileSync(join(folder, 'messages.jsonl'), `${parts[0]?.lines[0]?.text.replace('second', 'forged')}\n`);
    await mirror.flush();
    const content = readMirror(folder);
    expect(content.messages.map(({ id, body }) => [id, body])).toEqual([
      [first, 'first'],
      [second, 'second'],
    ]);
    // Replaced by another file: not written to.
    renameSync(join(folder, 'messages.jsonl'), join(folder, 'old.jsonl'));
    writeFileSync(join(folder, 'messages.jsonl'), '');
    await send('third');
    await mirror.flush();
    expect(statSync(join(folder, 'messages.jsonl')).size).toBe(0);
    expect((await mirror.states())[1]?.problem).toMatch(/Move it away/);
  });

  it('keeps the owner of the project', async () => {
    const uid = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() ?? 0);
    const { chownSync } = await import('node:fs');
    if (process.getuid?.() === 0) chownSync(project, uid, uid);
    chmodSync(project, 0o755);
    const mirror = open();
    await place(mirror, 'mail/{timestamp}');
    await send('whose');
    await mirror.flush();
    const folder = join(project, 'mail', timestampOf(0));
    expect([join(project, 'mail'), folder, join(folder, 'messages.jsonl')].map((path) => statSync(path).uid)).toEqual([
      uid,
      uid,
      uid,
    ]);
  });

  it('stands in a project that is known', async () => {
    const other = await t.addProject();
    await expect(open().place(other, DEFAULT_MIRROR_PLACE, OPERATOR_CALLER)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
