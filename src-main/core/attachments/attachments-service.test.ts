import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { MessageId } from '#shared/kernel/ids.ts';
import { mintId } from '#shared/kernel/ids.ts';
import type { Attachment } from '#shared/messages/attachment.ts';
import { MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS } from '#shared/messages/attachment.ts';
import type { Caller } from '#core/caller.ts';
import { agentCaller, OPERATOR_CALLER, openMessages } from '#core/messages/testing/open-messages.ts';
import type { TestMessages } from '#core/messages/testing/open-messages.ts';
import { AttachmentsService, UNCARRIED_MS } from './attachments-service.ts';
import { openInside } from './workspace-file.ts';

let root: string;
let t: TestMessages;
let service: AttachmentsService;
let now: number;
let workspace: string;
const a = agentCaller('a');
const b = agentCaller('b');
const c = agentCaller('c');

function make(options: { maxProjectBytes?: number } = {}): AttachmentsService {
  return new AttachmentsService({
    store: t.test.store,
    dir: join(root, 'attachments'),
    core: { dataDir: join(root, 'project', 'data'), workspacesDir: join(root, 'project', 'data', 'projects') },
    workspaceOf: (id) => (id === 'a' ? workspace : undefined),
    projectFolder: (id) => (id === t.projectId ? join(root, 'project') : undefined),
    projectOf: () => t.projectId,
    defaultProject: () => t.projectId,
    log: () => undefined,
    now: () => now,
    ...options,
  });
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'qd-attach-'));
  workspace = join(root, 'work');
  mkdirSync(workspace);
  mkdirSync(join(root, 'project'));
  now = Date.now();
  t = await openMessages();
  service = make();
  await service.open();
});

afterEach(async () => {
  service.dispose();
  await t.dispose();
  rmSync(root, { recursive: true, force: true });
});

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const sha = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const files = (): string[] => readdirSync(join(root, 'attachments')).toSorted();

/** A message as the store holds it, from an agent to another, that carries these. */
async function carry(attachments: readonly Attachment[], from = 'a', to = 'b'): Promise<MessageId> {
  const id = mintId('msg') as MessageId;
  const session = (t.test.store.peek((db) => db.prepare('SELECT id FROM sessions').get()) as { id: string }).id;
  await t.test.store.write((tx) => {
    const row = tx
      .prepare(
        `INSERT INTO messages (id, project_id, session_id, from_kind, from_id, recipients, addressed_to, kind, priority, body, thread_id, originator, sent_at, attachments)
         VALUES (?, ?, ?, 'agent', ?, ?, ?, 'note', 2, 'see', ?, '{"kind":"agent","id":"a","boundary":"host"}', 0, ?) RETURNING seq`,
      )
      .get(id, t.projectId, session, from, JSON.stringify([to]), JSON.stringify([to]), id, JSON.stringify(attachments)) as {
      seq: number;
    };
    tx.prepare(
      'INSERT INTO deliveries (message_seq, recipient, project_id, priority, queued_at, size, awaits_reply) VALUES (?, ?, ?, 2, 0, 3, 0)',
    ).run(row.seq, to, t.projectId);
  });
  return id;
}

async function erase(id: MessageId): Promise<void> {
  await t.test.store.write((tx) => {
    tx.prepare('DELETE FROM deliveries WHERE message_seq = (SELECT seq FROM messages WHERE id = ?)').run(id);
    tx.prepare('DELETE FROM messages WHERE id = ?').run(id);
  });
}

const readAll = async (
  id: MessageId,
  caller: Caller,
  maxBytes = 64 * 1024,
): Promise<{ text: string; pieces: number; isChanged: boolean }> => {
  let text = '';
  let pieces = 0;
  let isChanged = false;
  for (let offset: number | null = 0; offset !== null; pieces += 1) {
    const page = await service.get({ messageId: id, index: 0, offset, maxBytes }, caller);
    text += page.encoding === 'utf8' ? page.content : Buffer.from(page.content, 'base64').toString('latin1');
    isChanged = page.isChanged;
    offset = page.next;
  }
  return { text, pieces, isChanged };
};

it('keeps a file by its content, private, and gives it in pieces that cut no character', async () => {
  const text = 'Übergröße – 報告\n'.repeat(200);
  const one = await service.put({ name: 'report.txt', content: base64(text) }, a);
  const two = await service.put({ name: 'same.txt', content: base64(text) }, a);
  expect(one).toMatchObject({ bytes: Buffer.byteLength(text), sha256: sha(text), mediaType: 'text/plain' });
  expect(two.attachmentId).not.toBe(one.attachmentId);
  expect(files()).toEqual([sha(text)]);
  expect(statSync(join(root, 'attachments', sha(text))).mode & 0o777).toBe(0o600);
  const id = await carry(await service.resolve([{ attachmentId: one.attachmentId }], a));
  const read = await readAll(id, b, 101);
  expect(read).toMatchObject({ text, isChanged: false });
  expect(read.pieces).toBeGreaterThan(30);
});

it('gives bytes that are no text as Base64, and an empty file as nothing', async () => {
  const bytes = randomBytes(1_000);
  const one = await service.put({ name: 'noise', content: base64(bytes) }, a);
  const none = await service.put({ name: 'none.log', content: '' }, a);
  const id = await carry(await service.resolve([{ attachmentId: one.attachmentId }], a));
  expect((await readAll(id, b, 300)).text).toBe(bytes.toString('latin1'));
  const empty = await carry(await service.resolve([{ attachmentId: none.attachmentId, name: 'x' }], a));
  expect(await readAll(empty, b)).toEqual({ text: '', pieces: 1, isChanged: false });
});

it('takes no content but Base64', async () => {
  for (const content of ['not base64!', 'QQ', 'QQ=', 'QUJD\nQUJD', '====']) {
    await expect(service.put({ name: 'x', content }, a), content).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'content' },
    });
  }
  expect(files()).toEqual([]);
});

it('lets an agent read what it sent or was sent, and the management everything', async () => {
  const { attachmentId } = await service.put({ name: 'x', content: base64('for b') }, a);
  const id = await carry(await service.resolve([{ attachmentId }], a));
  for (const caller of [a, b, OPERATOR_CALLER]) expect((await readAll(id, caller)).text).toBe('for b');
  await expect(readAll(id, c)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(service.get({ messageId: id, index: 1, offset: 0, maxBytes: 10 }, b)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  // Whom it was sent to may pass it on; somebody else cannot take it by guessing its id.
  expect(await service.resolve([{ attachmentId }], b)).toHaveLength(1);
  await expect(service.resolve([{ attachmentId }], c)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const { attachmentId: own } = await service.put({ name: 'y', content: base64('mine') }, a);
  await expect(service.resolve([{ attachmentId: own }], b)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  // What expired for its recipient is not its any more.
  await t.test.store.write((tx) => tx.prepare("UPDATE deliveries SET dead_at = 1, dead_reason = 'expired'").run());
  await expect(readAll(id, b)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('names a file in the workspace with what it is, and says when it is not that any more', async () => {
  mkdirSync(join(root, 'work', 'out'));
  writeFileSync(join(root, 'work', 'out', 'r.md'), 'first');
  const [attachment] = await service.resolve([{ path: './out//r.md' }], a);
  expect(attachment).toEqual({
    name: 'r.md',
    source: { kind: 'workspace', path: 'out/r.md' },
    bytes: 5,
    sha256: sha('first'),
    mediaType: 'text/markdown',
  });
  const id = await carry(attachment ? [attachment] : []);
  expect(await readAll(id, b)).toMatchObject({ text: 'first', isChanged: false });
  writeFileSync(join(root, 'work', 'out', 'r.md'), 'other');
  expect(await readAll(id, b)).toMatchObject({ text: 'other', isChanged: true });
  rmSync(join(root, 'work', 'out', 'r.md'));
  await expect(readAll(id, b)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  // The operator's paths begin at the project.
  writeFileSync(join(root, 'project', 'p.txt'), 'project');
  expect(await service.resolve([{ path: 'p.txt', name: 'named.txt' }], OPERATOR_CALLER)).toMatchObject([
    { name: 'named.txt', sha256: sha('project') },
  ]);
});

it('follows nothing that leads out of the workspace', async () => {
  const work = join(root, 'work');
  writeFileSync(join(root, 'secret'), 'secret');
  mkdirSync(join(root, 'beside'));
  writeFileSync(join(root, 'beside', 'key'), 'secret');
  symlinkSync(join(root, 'secret'), join(work, 'link'));
  symlinkSync(join(root, 'beside'), join(work, 'folder'));
  symlinkSync('../beside', join(work, 'relative'));
  symlinkSync('/', join(work, 'all'));
  mkdirSync(join(work, 'sub'));
  for (const path of ['../secret', 'sub/../../secret', join(root, 'secret'), '/etc/passwd', 'x\0y', '.', '..', '/', 'C:\\x'])
    await expect(service.resolve([{ path }], a), path).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  for (const path of ['link', 'folder/key', 'relative/key', 'all/etc/passwd', 'sub', 'nothing', 'sub/none/x', 'link/x'])
    await expect(service.resolve([{ path }], a), path).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('is not led out by a folder that is swapped for a link in the middle', async () => {
  const work = join(root, 'work');
  mkdirSync(join(root, 'beside'));
  writeFileSync(join(root, 'beside', 'key'), 'secret');
  mkdirSync(join(work, 'sub'));
  writeFileSync(join(work, 'sub', 'key'), 'public');
  symlinkSync(join(root, 'beside'), join(work, 'evil'));
  let isOver = false;
  const swapping = (async () => {
    while (!isOver) {
      renameSync(join(work, 'sub'), join(work, 'kept'));
      renameSync(join(work, 'evil'), join(work, 'sub'));
      await new Promise((resolve) => setImmediate(resolve));
      renameSync(join(work, 'sub'), join(work, 'evil'));
      renameSync(join(work, 'kept'), join(work, 'sub'));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const read = new Set<string>();
  for (let round = 0; round < 400; round += 1) {
    const outcome = await openInside(work, 'sub/key').then(
      async (handle) => {
        const text = await handle.readFile('utf8');
        await handle.close();
        return text;
      },
      () => 'refused',
    );
    read.add(outcome);
  }
  isOver = true;
  await swapping;
  expect(read).not.toContain('secret');
  expect([...read].every((outcome) => ['public', 'refused'].includes(outcome))).toBe(true);
});

it('gives nothing of the core itself, though a project holds its data folder', async () => {
  const clone = join(root, 'project', 'data', 'projects', 'p', 'workspaces', 'a');
  mkdirSync(clone, { recursive: true });
  writeFileSync(join(root, 'project', 'data', 'operator-token'), 'secret');
  writeFileSync(join(clone, 'out.txt'), 'mine');
  await expect(service.resolve([{ path: 'data/operator-token' }], OPERATOR_CALLER, t.projectId)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: containing('belongs to Quarterdeck itself'),
  });
  workspace = join(root, 'project');
  await expect(service.resolve([{ path: 'data/operator-token' }], a)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  workspace = clone;
  expect(await service.resolve([{ path: 'out.txt' }], a)).toMatchObject([{ name: 'out.txt', bytes: 4 }]);
});

it('gives an agent without a workspace nothing of the project: neither when it sends, nor what a removed one named', async () => {
  writeFileSync(join(root, 'project', '.env'), 'secret');
  await expect(service.resolve([{ path: '.env' }], c)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: containing('put_attachment'),
  });
  writeFileSync(join(root, 'work', '.env'), 'no one');
  const [named] = await service.resolve([{ path: '.env' }], a);
  const id = await carry(named ? [named] : [], 'gone', 'b');
  await expect(service.get({ messageId: id, index: 0, offset: 0, maxBytes: 100 }, b)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

it('gives an agent no file by a message that was imported', async () => {
  writeFileSync(join(root, 'work', 'plan.txt'), 'for c only');
  const id = await carry(await service.resolve([{ path: 'plan.txt' }], a));
  const read = () => service.get({ messageId: id, index: 0, offset: 0, maxBytes: 100 }, b);
  expect(await read()).toMatchObject({ content: 'for c only' });
  await t.test.store.write((tx) => tx.prepare("UPDATE sessions SET origin = 'import'").run());
  await expect(read()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('says so when a stored file is not the one that was stored', async () => {
  const stored = await service.put({ name: 'x.txt', content: base64('abc') }, a);
  const id = await carry(await service.resolve([{ attachmentId: stored.attachmentId }], a));
  const read = () => service.get({ messageId: id, index: 0, offset: 0, maxBytes: 100 }, b);
  expect(await read()).toMatchObject({ content: 'abc', isChanged: false });
  writeFileSync(join(root, 'attachments', stored.sha256), 'xyz');
  expect(await read()).toMatchObject({ content: 'xyz', isChanged: true });
  // Read before, and long ago by its times: still told.
  const file = join(root, 'attachments', stored.sha256);
  utimesSync(file, 1, 1);
  expect(await read()).toMatchObject({ isChanged: true });
});

it('holds to its limits, and leaves nothing of what it refused', async () => {
  writeFileSync(join(root, 'work', 'huge'), '');
  truncateSync(join(root, 'work', 'huge'), MAX_ATTACHMENT_BYTES + 1);
  await expect(service.resolve([{ path: 'huge' }], a)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  const many = Array.from({ length: MAX_ATTACHMENTS + 1 }, () => ({ path: 'huge' }));
  await expect(service.resolve(many, a)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  const megabyte = Buffer.alloc(1024 * 1024);
  const endless = (function* () {
    for (;;) yield megabyte;
  })();
  await expect(service.store({ name: 'endless', chunks: endless }, OPERATOR_CALLER)).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
  });
  const broken = (function* () {
    yield megabyte;
    throw new Error('the line broke');
  })();
  await expect(service.store({ name: 'broken', chunks: broken }, OPERATOR_CALLER)).rejects.toThrow('the line broke');
  expect(files()).toEqual([]);
  const small = make({ maxProjectBytes: 10 });
  await small.open();
  await small.put({ name: 'eight', content: base64('12345678') }, a);
  await expect(small.put({ name: 'more', content: base64('123') }, a)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    retryable: false,
    data: { storedBytes: 8, limitBytes: 10 },
  });
  small.dispose();
});

it('keeps a file while a message carries it, and a day besides', async () => {
  const one = await service.put({ name: 'one', content: base64('shared') }, a);
  const two = await service.put({ name: 'two', content: base64('shared') }, a);
  const loose = await service.put({ name: 'loose', content: base64('loose') }, a);
  const first = await carry(await service.resolve([{ attachmentId: one.attachmentId }], a));
  const second = await carry(await service.resolve([{ attachmentId: one.attachmentId }, { attachmentId: two.attachmentId }], a));
  await service.sweep();
  expect(files()).toEqual([sha('shared'), sha('loose')].toSorted());
  now += UNCARRIED_MS + 1;
  await expect(service.resolve([{ attachmentId: loose.attachmentId }], a)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await service.sweep();
  expect(files()).toEqual([sha('shared')]);
  await erase(first);
  await service.sweep();
  expect((await readAll(second, b)).text).toBe('shared');
  await erase(second);
  await service.sweep();
  expect(files()).toEqual([]);
});

it('removes at the start what a crash left, and nothing that is needed', async () => {
  await service.put({ name: 'kept', content: base64('kept') }, a);
  service.dispose();
  writeFileSync(join(root, 'attachments', '.draft-0011'), 'half');
  writeFileSync(join(root, 'attachments', sha('no row')), 'no row');
  writeFileSync(join(root, 'attachments', 'README'), "somebody else's");
  service = make();
  await service.open();
  expect(files()).toEqual([sha('kept'), 'README'].toSorted());
});

function containing(text: string): string {
  return expect.stringContaining(text) as string;
}
