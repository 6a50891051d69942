import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '#shared/kernel/errors.ts';
import { AgentId, MessageId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import type { Address, Message } from '#shared/messages/model.ts';
import { MAX_DATA_CHARS } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import type { SendInput } from './message-draft.ts';
import type { SendResult } from './messages-service.ts';
import type { TestMessages } from './testing/open-messages.ts';
import { openMessages, OPERATOR_CALLER, tokenCaller } from './testing/open-messages.ts';

let t: TestMessages;
let alice: Caller;
let bob: Caller;

beforeEach(async () => {
  t = await openMessages();
  alice = t.addAgent('alice');
  bob = t.addAgent('bob');
});

afterEach(async () => {
  await t.dispose();
});

const UNKNOWN = MessageId.parse(mintId('msg'));

function address(to: string): Address {
  return to === '*' || to === 'operator' ? to : AgentId.parse(to);
}

function send(caller: Caller, to: string | string[], more: Partial<SendInput> = {}): Promise<SendResult> {
  return t.service.send(
    { to: Array.isArray(to) ? to.map(address) : address(to), body: 'text', kind: 'note', priority: 'normal', ...more },
    caller,
  );
}

async function read(caller: Caller, more: { unreadOnly?: boolean; limit?: number; after?: MessageId; agentId?: AgentId } = {}) {
  return t.service.inbox({ unreadOnly: true, limit: 50, ...more }, caller);
}

async function failureOf(call: Promise<unknown>): Promise<AppError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof AppError)) throw new Error(`expected an AppError, got ${String(outcome)}`);
  return outcome;
}

async function stored(): Promise<Message[]> {
  return (await t.service.list({ limit: 500 })).messages;
}

describe('send', () => {
  it('stores the message, a delivery for each recipient and one journal event', async () => {
    const before = t.test.journal.seq;
    const sent = await send(alice, 'bob', { kind: 'task', priority: 'high', subject: 'count', data: { op: 'run', n: [1, 2] } });
    expect(sent).toMatchObject({ recipients: ['bob'], isDuplicate: false, threadId: sent.messageId });
    const { message, deliveries } = await t.service.get({ id: sent.messageId });
    expect(message).toMatchObject({
      from: { kind: 'agent', id: 'alice' },
      to: ['bob'],
      recipients: ['bob'],
      kind: 'task',
      priority: 'high',
      subject: 'count',
      body: 'text',
      data: { op: 'run', n: [1, 2] },
      projectId: t.projectId,
      originator: { kind: 'agent', id: 'alice', boundary: 'host' },
    });
    expect(deliveries).toEqual([
      {
        messageId: sent.messageId,
        recipient: 'bob',
        state: 'queued',
        queuedAt: message.sentAt,
        deliveredAt: null,
        readAt: null,
        deadAt: null,
        deadReason: null,
        attempts: 0,
        leasedUntil: null,
        availableAt: message.sentAt,
      },
    ]);
    const events = t.test.journal.recentAfter(before, 10);
    expect(events).toMatchObject([
      { kind: 'message.sent', subject: sent.messageId, actor: alice.actor, door: 'agent-mcp', data: { message } },
    ]);
  });

  it('takes the sender from the caller', async () => {
    await send(OPERATOR_CALLER, 'alice');
    await send(tokenCaller('nightly'), 'alice');
    await t.service.send({ to: address('alice'), body: 'x', kind: 'event', priority: 'low' }, CORE);
    expect((await stored()).map((message) => message.from)).toEqual([
      { kind: 'system', id: 'core' },
      { kind: 'token', id: 'nightly' },
      { kind: 'operator', id: 'operator' },
    ]);
  });

  it('delivers to each recipient once, and "*" to everybody but the sender', async () => {
    t.addAgent('carol');
    const gone = t.agents.get('carol');
    if (gone) t.agents.set('carol', { ...gone, isRemoved: true });
    expect((await send(alice, ['bob', 'operator', 'bob'])).recipients).toEqual(['bob', 'operator']);
    expect((await send(alice, '*')).recipients.sort()).toEqual(['bob', 'operator']);
    expect((await send(OPERATOR_CALLER, '*')).recipients.sort()).toEqual(['alice', 'bob']);
    expect((await send(tokenCaller('nightly'), '*')).recipients.sort()).toEqual(['alice', 'bob', 'operator']);
    expect((await send(alice, ['*', 'alice'])).recipients.sort()).toEqual(['alice', 'bob', 'operator']);
  });

  it('refuses unknown and removed agents, stores nothing and says how to see who is there', async () => {
    const unknown = await failureOf(send(alice, ['bob', 'nobody']));
    expect(unknown.code).toBe('NOT_FOUND');
    expect(unknown.message).toContain('"nobody"');
    expect(unknown.message).toContain('list_agents');
    const carol = t.addAgent('carol');
    const entry = t.agents.get('carol');
    if (entry) t.agents.set('carol', { ...entry, isRemoved: true });
    expect(await failureOf(send(alice, 'carol'))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await failureOf(send(carol, 'alice'))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await stored()).toEqual([]);
    expect(t.service.unreadOf('bob')).toBe(0);
  });

  it('refuses a broadcast that reaches nobody', async () => {
    t.agents.clear();
    expect(await failureOf(send(OPERATOR_CALLER, '*'))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('finds the project from the recipients, else from the sender', async () => {
    const other = await t.addProject();
    const dora = t.addAgent('dora', { projectId: other });
    await send(OPERATOR_CALLER, 'dora');
    await send(dora, 'operator');
    await send(OPERATOR_CALLER, 'operator');
    await send(OPERATOR_CALLER, '*', { projectId: other });
    expect((await stored()).map((message) => message.projectId)).toEqual([other, t.projectId, other, other]);
    expect((await stored())[0]?.recipients).toEqual(['dora']);
    expect(await failureOf(send(OPERATOR_CALLER, ['alice', 'dora']))).toMatchObject({ code: 'BAD_REQUEST' });
    expect(await failureOf(send(OPERATOR_CALLER, 'alice', { projectId: other }))).toMatchObject({ code: 'BAD_REQUEST' });
    expect(await failureOf(send(alice, '*', { projectId: other }))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(send(OPERATOR_CALLER, '*', { projectId: ProjectId.parse(mintId('prj')) }))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('refuses data that is too large', async () => {
    const fits = 'x'.repeat(MAX_DATA_CHARS - 2);
    await send(alice, 'bob', { data: fits });
    expect(await failureOf(send(alice, 'bob', { data: `${fits}x` }))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(await stored()).toHaveLength(1);
  });

  it('keeps text as it was, and mends half surrogate pairs the same way each time', async () => {
    const body = 'a\0b "\u{1F600}" \u2028 zażółć';
    await send(alice, 'bob', { body });
    expect((await stored())[0]?.body).toBe(body);
    const half = { body: 'x\ud800', subject: '\udc00', idempotencyKey: 'half', data: 'y\ud800' };
    const first = await send(alice, 'bob', half);
    expect(await send(alice, 'bob', half)).toEqual({ ...first, isDuplicate: true });
    expect((await t.service.get({ id: first.messageId })).message).toMatchObject({
      body: 'x\ufffd',
      subject: '\ufffd',
      data: 'y\ud800',
    });
  });
});

describe('inReplyTo', () => {
  it('continues the thread of what is answered', async () => {
    const first = await send(alice, 'bob', { kind: 'request' });
    const reply = await send(bob, 'alice', { kind: 'reply', inReplyTo: first.messageId });
    const more = await send(alice, 'bob', { inReplyTo: reply.messageId });
    expect([reply.threadId, more.threadId]).toEqual([first.messageId, first.messageId]);
    expect((await t.service.list({ limit: 10, threadId: first.messageId })).messages.map((message) => message.id)).toEqual([
      more.messageId,
      reply.messageId,
      first.messageId,
    ]);
  });

  it('must exist and involve the sender', async () => {
    const carol = t.addAgent('carol');
    const between = await send(alice, 'bob');
    expect(await failureOf(send(alice, 'bob', { inReplyTo: UNKNOWN }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await failureOf(send(carol, 'bob', { inReplyTo: between.messageId }))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await failureOf(send(OPERATOR_CALLER, 'bob', { inReplyTo: between.messageId }))).toMatchObject({ code: 'FORBIDDEN' });
    const toOperator = await send(alice, 'operator');
    await send(tokenCaller('desk', 'operator'), 'alice', { kind: 'reply', inReplyTo: toOperator.messageId });
    expect(await failureOf(send(tokenCaller('nightly'), 'alice', { inReplyTo: toOperator.messageId }))).toMatchObject({
      code: 'FORBIDDEN',
    });
  });
});

describe('idempotencyKey', () => {
  it('does the work once', async () => {
    const input = { idempotencyKey: 'k', data: { a: 1, b: 2 } };
    const first = await send(alice, 'bob', input);
    const again = await send(alice, ['bob', 'bob'], { idempotencyKey: 'k', data: { b: 2, a: 1 } });
    expect(again).toEqual({ ...first, isDuplicate: true });
    expect(await stored()).toHaveLength(1);
  });

  it('does the work once when both calls share a transaction', async () => {
    const [first, second] = await Promise.all([
      send(alice, 'bob', { idempotencyKey: 'k' }),
      send(alice, 'bob', { idempotencyKey: 'k' }),
    ]);
    expect(second).toEqual({ ...first, isDuplicate: true });
    expect(t.service.unreadOf('bob')).toBe(1);
  });

  it('belongs to its sender', async () => {
    const mine = await send(alice, 'bob', { idempotencyKey: 'k' });
    const theirs = await send(OPERATOR_CALLER, 'bob', { idempotencyKey: 'k' });
    expect(theirs.isDuplicate).toBe(false);
    expect(theirs.messageId).not.toBe(mine.messageId);
  });

  it('is refused for another message', async () => {
    await send(alice, 'bob', { idempotencyKey: 'k' });
    for (const other of [
      { body: 'other' },
      { priority: 'low' as const },
      { data: 1 },
      { subject: 's' },
      { kind: 'task' as const },
    ]) {
      expect(await failureOf(send(alice, 'bob', { idempotencyKey: 'k', ...other }))).toMatchObject({ code: 'CONFLICT' });
    }
    expect(await failureOf(send(alice, 'operator', { idempotencyKey: 'k' }))).toMatchObject({ code: 'CONFLICT' });
    expect(await stored()).toHaveLength(1);
  });

  it('gives the first result also when the recipient is gone by now', async () => {
    const first = await send(alice, 'bob', { idempotencyKey: 'k' });
    t.agents.delete('bob');
    expect(await send(alice, 'bob', { idempotencyKey: 'k' })).toEqual({ ...first, isDuplicate: true });
  });
});

describe('the rule on boundaries', () => {
  it('refuses work for a weaker boundary, naming both, and lets notes, replies and events pass', async () => {
    const boxed = t.addAgent('boxed', { boundary: 'container' });
    for (const kind of ['task', 'request'] as const) {
      const refused = await failureOf(send(boxed, ['alice', 'operator'], { kind }));
      expect(refused.code).toBe('FORBIDDEN');
      expect(refused.message).toContain('"boxed" is confined by container, agent "alice" only by host');
      expect(refused.data).toMatchObject({ originatorBoundary: 'container', recipientBoundary: 'host' });
    }
    expect(await stored()).toEqual([]);
    for (const kind of ['note', 'reply', 'event'] as const) await send(boxed, 'alice', { kind });
    await send(boxed, 'operator', { kind: 'task' });
    expect(await failureOf(send(boxed, '*', { kind: 'task' }))).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('follows a wish through those who pass it on', async () => {
    const boxed = t.addAgent('boxed', { boundary: 'container' });
    const hint = await send(boxed, 'alice', { kind: 'note' });
    const refused = await failureOf(send(alice, 'bob', { kind: 'task', inReplyTo: hint.messageId }));
    expect(refused.code).toBe('FORBIDDEN');
    expect(refused.message).toContain('"boxed"');
    const passedOn = await send(alice, 'bob', { kind: 'note', inReplyTo: hint.messageId });
    expect((await t.service.get({ id: passedOn.messageId })).message.originator).toEqual({
      kind: 'agent',
      id: 'boxed',
      boundary: 'container',
    });
    expect(await failureOf(send(bob, 'alice', { kind: 'request', inReplyTo: passedOn.messageId }))).toMatchObject({
      code: 'FORBIDDEN',
    });
    await send(alice, 'bob', { kind: 'task' });
  });

  it('lets the operator order anything, and keeps the operator as originator of what is passed on', async () => {
    const boxed = t.addAgent('boxed', { boundary: 'container' });
    await send(boxed, 'operator', { kind: 'request' });
    const [request] = await stored();
    await send(OPERATOR_CALLER, 'alice', { kind: 'task', inReplyTo: MessageId.parse(request?.id) });
    const task = await send(OPERATOR_CALLER, ['alice', 'boxed'], { kind: 'task' });
    const passedOn = await send(alice, 'bob', { kind: 'task', inReplyTo: task.messageId });
    expect((await t.service.get({ id: passedOn.messageId })).message.originator).toEqual({
      kind: 'operator',
      id: 'operator',
      boundary: 'host',
    });
    expect(await failureOf(send(boxed, 'bob', { kind: 'task', inReplyTo: task.messageId }))).toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('inbox', () => {
  it('orders by priority, then by age, in pages', async () => {
    const ids: Record<string, MessageId> = {};
    for (const [name, priority] of [
      ['n1', 'normal'],
      ['l1', 'low'],
      ['c1', 'critical'],
      ['n2', 'normal'],
      ['h1', 'high'],
      ['c2', 'critical'],
    ] as const) {
      ids[name] = (await send(alice, 'bob', { priority, subject: name })).messageId;
    }
    const names = async (more: Parameters<typeof read>[1]) => (await read(bob, more)).messages.map((message) => message.subject);
    expect(await names({})).toEqual(['c1', 'c2', 'h1', 'n1', 'n2', 'l1']);
    expect(await names({ limit: 2 })).toEqual(['c1', 'c2']);
    expect(await names({ limit: 3, after: ids['c2'] })).toEqual(['h1', 'n1', 'n2']);
    await t.service.markRead({ messageIds: [MessageId.parse(ids['c1'])] }, bob);
    expect(await names({})).toEqual(['c2', 'h1', 'n1', 'n2', 'l1']);
    expect(await names({ unreadOnly: false, after: ids['c1'], limit: 2 })).toEqual(['c2', 'h1']);
    expect(await failureOf(read(bob, { after: UNKNOWN }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await failureOf(read(OPERATOR_CALLER, { after: UNKNOWN }))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('ends a page early when its messages are large', async () => {
    for (let i = 0; i < 6; i += 1) await send(alice, 'bob', { data: 'x'.repeat(250_000), subject: String(i) });
    const first = await read(bob);
    expect(first.messages.map((message) => message.subject)).toEqual(['0', '1', '2', '3']);
    expect(first.unread).toBe(6);
    const rest = await read(bob, { after: first.messages[3]?.id });
    expect(rest.messages.map((message) => message.subject)).toEqual(['4', '5']);
    const page = await t.service.list({ limit: 10 });
    expect([page.messages.length, page.hasMore]).toEqual([4, true]);
    const next = await t.service.list({ limit: 10, before: page.messages[3]?.id });
    expect([next.messages.length, next.hasMore]).toEqual([2, false]);
  });

  it('counts as handed out for an agent that reads its own, and for nobody else', async () => {
    await send(alice, 'bob', { kind: 'task' });
    await send(alice, 'operator');
    const bobId = AgentId.parse('bob');
    for (const caller of [OPERATOR_CALLER, tokenCaller('eye', 'observer'), tokenCaller('nightly')]) {
      expect((await read(caller, { agentId: bobId })).messages).toMatchObject([{ state: 'queued' }]);
      expect((await read(caller)).messages).toMatchObject([{ state: 'queued', recipients: ['operator'] }]);
    }
    expect(t.service.heldBy('bob')).toBe(0);
    expect(await read(bob)).toMatchObject({ messages: [{ state: 'delivered' }], unread: 1 });
    expect(t.service.heldBy('bob')).toBe(1);
    expect((await read(OPERATOR_CALLER, { agentId: bobId })).messages).toMatchObject([{ state: 'delivered' }]);
    expect((await read(bob)).messages).toHaveLength(1);
  });

  it('shows an agent nobody else’s inbox', async () => {
    expect(await failureOf(read(alice, { agentId: AgentId.parse('bob') }))).toMatchObject({ code: 'FORBIDDEN' });
    expect((await read(alice, { agentId: AgentId.parse('alice') })).messages).toEqual([]);
    expect(await failureOf(read(OPERATOR_CALLER, { agentId: AgentId.parse('nobody') }))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('markRead', () => {
  it('acknowledges once, and repeating is harmless', async () => {
    const { messageId } = await send(alice, 'bob', { kind: 'request' });
    await read(bob);
    expect(await t.service.markRead({ messageIds: [messageId, messageId] }, bob)).toEqual({ marked: 1 });
    expect(await t.service.markRead({ messageIds: [messageId] }, bob)).toEqual({ marked: 0 });
    expect([t.service.unreadOf('bob'), t.service.heldBy('bob')]).toEqual([0, 0]);
    expect((await read(bob)).messages).toEqual([]);
    expect((await read(bob, { unreadOnly: false })).messages).toMatchObject([{ state: 'read' }]);
  });

  it('marks nothing when an id is not in the caller’s inbox', async () => {
    const mine = await send(alice, 'bob');
    const other = await send(bob, 'alice');
    for (const id of [UNKNOWN, other.messageId]) {
      const failure = await failureOf(t.service.markRead({ messageIds: [mine.messageId, id] }, bob));
      expect(failure.code).toBe('NOT_FOUND');
      expect(failure.message).toContain(id);
    }
    expect(t.service.unreadOf('bob')).toBe(1);
  });

  it('acknowledges what was never handed out, which is then not handed out any more', async () => {
    const { messageId } = await send(alice, 'bob', { kind: 'task' });
    await t.service.markRead({ messageIds: [messageId] }, bob);
    const page = await t.service.wait({ timeoutMs: 0, limit: 10 }, bob, new AbortController().signal);
    expect(page).toEqual({ messages: [], unread: 0 });
    expect((await t.service.get({ id: messageId })).deliveries).toMatchObject([{ state: 'read' }]);
    expect(t.service.heldBy('bob')).toBe(0);
  });

  it('belongs to the operator’s role on the management side', async () => {
    const { messageId } = await send(alice, 'operator');
    for (const role of ['observer', 'automation'] as const) {
      expect(await failureOf(t.service.markRead({ messageIds: [messageId] }, tokenCaller('x', role)))).toMatchObject({
        code: 'FORBIDDEN',
      });
      expect(
        await failureOf(t.service.wait({ timeoutMs: 0, limit: 1 }, tokenCaller('x', role), new AbortController().signal)),
      ).toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(await t.service.markRead({ messageIds: [messageId] }, tokenCaller('desk', 'operator'))).toEqual({ marked: 1 });
  });
});

describe('history', () => {
  it('pages newest first and filters', async () => {
    const other = await t.addProject();
    t.addAgent('dora', { projectId: other });
    const a = await send(alice, 'bob', { kind: 'request', priority: 'critical' });
    const b = await send(bob, 'alice', { kind: 'reply', inReplyTo: a.messageId, priority: 'low' });
    const c = await send(OPERATOR_CALLER, 'dora');
    const d = await send(OPERATOR_CALLER, ['alice', 'bob'], { priority: 'high' });
    const list = async (more: Partial<Parameters<typeof t.service.list>[0]>) =>
      (await t.service.list({ limit: 100, ...more })).messages.map((message) => message.id);
    expect(await list({})).toEqual([d, c, b, a].map((sent) => sent.messageId));
    expect(await list({ participant: 'alice' })).toEqual([d, b, a].map((sent) => sent.messageId));
    expect(await list({ participant: 'operator' })).toEqual([d, c].map((sent) => sent.messageId));
    expect(await list({ participant: 'alice', kind: 'reply' })).toEqual([b.messageId]);
    expect(await list({ participant: 'alice', before: d.messageId, limit: 1 })).toEqual([b.messageId]);
    expect(await list({ projectId: other })).toEqual([c.messageId]);
    expect(await list({ kind: 'note', projectId: t.projectId })).toEqual([d.messageId]);
    expect(await list({ threadId: a.messageId })).toEqual([b.messageId, a.messageId]);
    expect(await t.service.list({ limit: 3 })).toMatchObject({ hasMore: true });
    expect(await t.service.list({ limit: 4 })).toMatchObject({ hasMore: false });
    expect(await failureOf(t.service.list({ limit: 1, before: UNKNOWN }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await failureOf(t.service.get({ id: UNKNOWN }))).toMatchObject({ code: 'NOT_FOUND' });
  });
});
