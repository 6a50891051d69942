import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { AgentId, MessageId } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';
import type { Delivery, Message } from '#shared/messages/model.ts';
import { PRIORITIES } from '#shared/messages/model.ts';
import { IS_DEAD_LETTER } from '#core/messages/messages-repository.ts';
import type { ImportReport } from '#shared/sessions/model.ts';
import type { TestMessages } from '#core/messages/testing/open-messages.ts';
import { openMessages, OPERATOR_CALLER } from '#core/messages/testing/open-messages.ts';
import { ImportService } from './import-service.ts';
import { Mirror } from './mirror.ts';
import { SessionsService } from './sessions-service.ts';
import { onlySession } from './testing/read-mirror.ts';

const CROWD = fileURLToPath(new URL('./testing/crowd-mcp/1730000000000', import.meta.url));

let dir: string;
let opened: TestMessages[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-import-'));
  opened = [];
});
afterEach(async () => {
  for (const t of opened) await t.dispose();
  rmSync(dir, { recursive: true, force: true });
});

async function core(): Promise<TestMessages> {
  const t = await openMessages();
  opened.push(t);
  return t;
}

/** A core without messages that knows the project of another. */
async function emptyCore(projectId?: ProjectId): Promise<TestMessages> {
  const t = await core();
  if (projectId !== undefined)
    await t.test.store.write((tx) =>
      tx
        .prepare('INSERT INTO projects (id, name, folder, is_git_repository, created_at, opened_at) VALUES (?, ?, ?, 0, 0, 0)')
        .run(projectId, 'other', '/other'),
    );
  return t;
}

function importInto(t: TestMessages, path: string, projectId?: ProjectId): Promise<ImportReport> {
  const isProject = (id: ProjectId): boolean =>
    t.test.store.peek((db) => db.prepare('SELECT 1 FROM projects WHERE id = ?').get(id)) !== undefined;
  const service = new ImportService({
    store: t.test.store,
    isProject,
    onCounts: (project, change) => t.service.adjustCounts(project, change),
  });
  return service.import({ path, projectId }, OPERATOR_CALLER);
}

async function mirrored(t: TestMessages): Promise<string> {
  const sessionsDir = join(t.test.dir, 'sessions');
  mkdirSync(sessionsDir, { recursive: true });
  const mirror = new Mirror({
    store: t.test.store,
    sessionsDir,
    projectFolder: () => undefined,
    warn: (message) => {
      throw new Error(message);
    },
    rotateBytes: 2_000,
  });
  await mirror.flush();
  mirror.dispose();
  return onlySession(sessionsDir);
}

interface Copy {
  readonly recipient: string;
  readonly readAt: number | null;
  readonly deadAt: number | null;
  readonly deadReason: string | null;
}

/** Everything that a mirror is to bring back: messages in their order, and how copies ended. */
async function contentOf(t: TestMessages): Promise<{ message: Message; copies: Copy[] }[]> {
  const { messages, deliveries } = await t.service.list({ limit: 500 });
  const copyOf = ({ recipient, readAt, deadAt, deadReason, state }: Delivery): Copy =>
    // What was not read is nobody's to read any more.
    state === 'read' || (state === 'dead' && deadReason !== 'imported')
      ? { recipient, readAt, deadAt, deadReason }
      : { recipient, readAt: null, deadAt: null, deadReason: 'imported' };
  return messages
    .toReversed()
    .map((message) => ({ message, copies: deliveries.filter(({ messageId }) => messageId === message.id).map(copyOf) }));
}

const counts = async (t: TestMessages, projectId: ProjectId): Promise<unknown> => {
  const { total, requests, dead } = await t.service.counts({ projectId });
  const stored = t.test.store.peek((db) =>
    db
      .prepare(
        `SELECT count(*) AS total, coalesce(sum(kind = 'request'), 0) AS requests,
           coalesce(sum(EXISTS (SELECT 1 FROM deliveries d WHERE d.message_seq = m.seq AND ${IS_DEAD_LETTER})), 0) AS dead
         FROM messages m WHERE project_id = ?`,
      )
      .get(projectId),
  );
  expect({ total, requests, dead }).toEqual(stored);
  expect(
    t.test.store.peek((db) => db.prepare('SELECT total, requests, dead FROM message_counts WHERE project_id = ?').get(projectId)),
  ).toEqual(stored);
  return stored;
};

const NAMES = ['ada', 'bob', 'eve'] as const;
const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      from: fc.constantFrom(...NAMES),
      to: fc.constantFrom(...NAMES, '*' as const, 'operator' as const),
      kind: fc.constantFrom('note' as const, 'request' as const, 'task' as const),
      priority: fc.constantFrom(...PRIORITIES),
      body: fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
      subject: fc.option(fc.string({ unit: 'binary', maxLength: 20 }), { nil: undefined }),
      data: fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('read' as const), who: fc.constantFrom(...NAMES) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('die' as const), who: fc.constantFrom(...NAMES) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reply' as const), who: fc.constantFrom(...NAMES) }) },
);

describe('a mirror that is imported', { timeout: 90_000 }, () => {
  it('brings back the same messages, threads and ends of copies, once', async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 1, maxLength: 25 }),
        withinTime(async (actions) => {
          runs += 1;
          const source = await core();
          const callers = new Map(NAMES.map((name) => [name, source.addAgent(name)]));
          const callerOf = (name: (typeof NAMES)[number]) => callers.get(name) ?? OPERATOR_CALLER;
          await source.service.send({ to: '*', body: 'good morning', kind: 'note', priority: 'normal' }, callerOf('ada'));
          for (const one of actions) {
            if (one.type === 'send') {
              const { type: _type, from, to, ...rest } = one;
              const address = to === '*' || to === 'operator' ? to : AgentId.parse(to);
              const { subject, data, ...content } = rest;
              const optional = {
                ...(subject === undefined ? {} : { subject }),
                ...(data === undefined ? {} : { data: Json.parse(data) }),
              };
              await source.service.send({ ...content, ...optional, to: address }, callerOf(from)).catch((error: unknown) => {
                // Oneself is nobody to write to.
                if (from !== to) throw error;
              });
              continue;
            }
            if (one.type === 'die') {
              await source.test.store.write((tx) =>
                tx
                  .prepare(
                    "UPDATE deliveries SET dead_at = 77, dead_reason = 'expired', leased_until = NULL WHERE recipient = ? AND read_at IS NULL AND dead_at IS NULL",
                  )
                  .run(one.who),
              );
              continue;
            }
            const { messages } = await source.service.inbox({ unreadOnly: true, limit: 2 }, callerOf(one.who));
            const [first] = messages;
            if (!first) continue;
            await source.service.markRead({ messageIds: [first.id] }, callerOf(one.who));
            if (one.type === 'reply' && first.from.id !== one.who)
              await source.service.send(
                { to: AgentId.parse(first.from.id), body: 'answer', kind: 'reply', priority: 'normal', inReplyTo: first.id },
                callerOf(one.who),
              );
          }
          const folder = await mirrored(source);
          const wanted = await contentOf(source);
          const target = await emptyCore(source.projectId);
          const first = await importInto(target, folder);
          expect(first).toMatchObject({ format: 'quarterdeck', added: wanted.length, present: 0, torn: [] });
          expect(await contentOf(target)).toEqual(wanted);
          await counts(target, source.projectId);
          const again = await importInto(target, folder);
          expect(again).toMatchObject({ added: 0, present: wanted.length, ends: 0 });
          expect(await contentOf(target)).toEqual(wanted);
          // Nothing is in an inbox, and the core's own session is not touched.
          expect((await target.service.counts({})).queues).toEqual([]);
          await source.dispose();
          await target.dispose();
          opened = [];
        }, 6_000),
      ),
      { numRuns: Math.ceil(effort.propertyRuns / 3) },
    );
    expect(runs).toBeGreaterThan(0);
  });

  it('belongs to an earlier session, is told by one event, and goes on where the mirror went on', async () => {
    const source = await core();
    const ada = source.addAgent('ada');
    const send = (body: string) => source.service.send({ to: 'operator', body, kind: 'note', priority: 'normal' }, ada);
    const { messageId } = await send('one');
    const folder = await mirrored(source);
    const target = await emptyCore(source.projectId);
    const { sessionIds } = await importInto(target, folder);
    const sessions = new SessionsService({ store: target.test.store, version: '1' });
    const [imported] = (await sessions.list(10)).filter(({ origin }) => origin === 'import');
    expect(imported).toMatchObject({ id: sessionIds[0], messages: 1, isCurrent: false, startedAt: 0 });
    const { rows } = await target.test.store.read('journal.page', { kind: 'session.imported', limit: 9 });
    expect(rows.map(({ subject, data }) => [subject, data?.['added']])).toEqual([[imported?.id, 1]]);
    const page = await target.service.list({ limit: 10, sessionId: imported?.id });
    expect(page.messages.map(({ id, sessionId }) => [id, sessionId])).toEqual([[messageId, imported?.id]]);
    // It is dead here and no dead letter: nobody could deliver it.
    expect(await target.service.dead({ limit: 10 })).toMatchObject({ messages: [], deliveries: [] });
    expect(await target.service.dead({ limit: 10, reason: 'imported' })).toMatchObject({ messages: [{ id: messageId }] });
    expect(await target.service.counts({})).toMatchObject({ total: 1, dead: 0 });

    await send('two');
    await source.service.markRead({ messageIds: [messageId] }, OPERATOR_CALLER);
    await mirrored(source);
    expect(await importInto(target, folder)).toMatchObject({ added: 1, present: 1, ends: 1 });
    const copy = (await target.service.get({ id: messageId })).deliveries[0];
    expect(copy).toMatchObject({ state: 'read', deadReason: null });
    await counts(target, source.projectId);
  });

  it('is neither answered nor handed out again: nobody is there to hear it', async () => {
    const source = await core();
    const ada = source.addAgent('ada');
    const { messageId } = await source.service.send({ to: 'operator', body: 'x', kind: 'request', priority: 'normal' }, ada);
    const target = await emptyCore(source.projectId);
    await importInto(target, await mirrored(source));
    target.addAgent('ada', { projectId: source.projectId });
    await expect(
      target.service.send(
        { to: AgentId.parse('ada'), body: 'y', kind: 'reply', priority: 'normal', inReplyTo: messageId },
        OPERATOR_CALLER,
      ),
    ).rejects.toMatchObject({ code: 'FORBIDDEN', message: containing('imported') });
    await expect(target.service.retry({ id: messageId }, OPERATOR_CALLER)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('is refused whole when a message is here with other content, and names it', async () => {
    const source = await core();
    const ada = source.addAgent('ada');
    const { messageId } = await source.service.send(
      { to: 'operator', body: 'true words', kind: 'note', priority: 'normal' },
      ada,
    );
    await source.service.send({ to: 'operator', body: 'more', kind: 'note', priority: 'normal' }, ada);
    const folder = await mirrored(source);
    const changed = join(dir, 'changed');
    cpSync(folder, changed, { recursive: true });
    const file = join(changed, 'messages.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('true words', 'false words'));
    const target = await emptyCore(source.projectId);
    await importInto(target, folder);
    await expect(importInto(target, changed)).rejects.toMatchObject({ code: 'CONFLICT', data: { messageIds: [messageId] } });
    // Into the core that it came from: nothing is new, and the changed one is found as well.
    expect(await importInto(source, folder)).toMatchObject({ added: 0, present: 2 });
    await expect(importInto(source, changed)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('passes over a torn last line, and refuses what it cannot read, by file and line', async () => {
    const source = await core();
    const ada = source.addAgent('ada');
    await source.service.send({ to: 'operator', body: 'x', kind: 'note', priority: 'normal' }, ada);
    const folder = await mirrored(source);
    const file = join(folder, 'messages.jsonl');
    const whole = readFileSync(file, 'utf8');
    appendFileSync(file, '{"type":"later","what":1}\n{"type":"message","mess');
    const target = await emptyCore(source.projectId);
    expect(await importInto(target, folder)).toMatchObject({ added: 1, torn: ['messages.jsonl:4'] });
    writeFileSync(file, `${whole}{"type":"message","message":{"id":"msg_x"}}\n`);
    await expect(importInto(target, folder)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: containing('messages.jsonl:3'),
    });
    writeFileSync(file, whole.replace('"version":1', '"version":2'));
    await expect(importInto(target, folder)).rejects.toMatchObject({ message: containing('newer Quarterdeck') });
    const other = await emptyCore();
    writeFileSync(file, whole);
    await expect(importInto(other, folder)).rejects.toMatchObject({ data: { field: 'projectId' } });
    expect(await importInto(other, folder, other.projectId)).toMatchObject({ added: 1 });
    for (const path of [join(dir, 'nowhere'), dir, 'relative'])
      await expect(importInto(other, path)).rejects.toMatchObject({ data: { field: 'path' } });
  });
});

it('says of a file that cannot be read that it cannot', { timeout: 90_000 }, async () => {
  const t = await core();
  symlinkSync(join(dir, 'gone'), join(dir, 'messages.jsonl'));
  await expect(importInto(t, dir, t.projectId)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: containing(`Cannot read ${join(dir, 'messages.jsonl')}`),
  });
});

describe('a session of crowd-mcp', { timeout: 90_000 }, () => {
  it('is an earlier session with its senders, broadcasts as one message, and what was read', async () => {
    const t = await core();
    await expect(importInto(t, CROWD)).rejects.toMatchObject({ data: { field: 'projectId' } });
    const report = await importInto(t, CROWD, t.projectId);
    expect(report).toMatchObject({ format: 'crowd-mcp', added: 4, present: 0, ends: 3 });
    const content = await contentOf(t);
    expect(
      content.map(({ message: m, copies }) => [
        m.from,
        m.to,
        m.body,
        m.priority,
        m.sentAt,
        copies.map((c) => [c.recipient, c.readAt, c.deadReason]),
      ]),
    ).toEqual([
      [
        { kind: 'operator', id: 'operator' },
        ['agent-1730000001000'],
        'Build the login form',
        'high',
        1730000002000,
        [['agent-1730000001000', 1730000002000, null]],
      ],
      [
        { kind: 'agent', id: 'agent-1730000001000' },
        ['operator'],
        'Which colour, "red" or = blue?',
        'normal',
        1730000003000,
        [['operator', null, 'imported']],
      ],
      [
        { kind: 'operator', id: 'operator' },
        ['*'],
        'Stop at noon\nplease ✓',
        'normal',
        1730000004000,
        [
          ['agent-1730000001000', 1730000004000, null],
          ['agent-1730000001500', null, 'imported'],
        ],
      ],
      [
        { kind: 'agent', id: 'agent-1730000001500' },
        ['agent-1730000001000'],
        'done, see the file',
        'low',
        1730000005000,
        [['agent-1730000001000', 1730000005000, null]],
      ],
    ]);
    expect(content[3]?.message.data).toMatchObject({
      crowdMcp: { sessionId: '1730000000000', more: { attachments: ['notes/done.md'] } },
    });
    expect(content.every(({ message }) => MessageId.safeParse(message.id).success)).toBe(true);
    expect(await importInto(t, CROWD, t.projectId)).toMatchObject({ added: 0, present: 4, ends: 0 });
    await counts(t, t.projectId);
    const [session] = (await new SessionsService({ store: t.test.store, version: '1' }).list(9)).filter(
      ({ origin }) => origin === 'import',
    );
    expect(session).toMatchObject({
      importedFrom: 'crowd-mcp 1730000000000',
      startedAt: 1730000002000,
      endedAt: 1730000005000,
      messages: 4,
    });
  });

  it('waits for nobody at a session.json that is no plain file, and reads none that is large', async () => {
    const t = await core();
    const line = JSON.stringify({ id: 'one', from: 'developer', to: 'agent-1', content: 'hi', timestamp: 1_730_000_000_000 });
    for (const [name, make] of [
      ['pipe', (file: string) => void execFileSync('mkfifo', [file])],
      ['large', (file: string) => writeFileSync(file, `{"sessionId":"stated","startTime":0,"more":"${'x'.repeat(100_000)}"}`)],
    ] as const) {
      const folder = join(dir, name);
      mkdirSync(folder);
      writeFileSync(join(folder, 'messages.jsonl'), `${line}\n`);
      make(join(folder, 'session.json'));
      expect(await importInto(t, folder, t.projectId)).toMatchObject({ added: 1 });
    }
    // Named after their folders: nothing else says what they are called.
    const { messages } = await t.service.list({ limit: 10 });
    expect(messages.map(({ data }) => data)).toMatchObject([
      { crowdMcp: { sessionId: 'large' } },
      { crowdMcp: { sessionId: 'pipe' } },
    ]);
  });
});

/** A matcher for texts that contain something; typed, as vitest's own is not. */
function containing(text: string): unknown {
  return expect.stringContaining(text);
}
