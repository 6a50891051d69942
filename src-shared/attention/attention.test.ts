import { describe, expect, it } from 'vitest';
import type { AgentState, AgentType } from '#shared/agents/model.ts';
import type { EnrolmentRequest } from '#shared/enrolments/model.ts';
import type { AgentId, MessageId } from '#shared/kernel/ids.ts';
import { EnrolmentRequestId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import type { AttentionAgent, AttentionMessage } from './attention.ts';
import { attentionOf, fleetOf } from './attention.ts';
import { actionsOf, pathOfItem } from './notification-rules.ts';

const evidence = { source: 'process', detail: '', at: 0 } as const;

function agent(id: string, state: Partial<AgentState> & Pick<AgentState, 'status'>, type: AgentType = 'worker'): AttentionAgent {
  return {
    id: id as AgentId,
    config: { type },
    state: { since: 100, evidence, reason: 'it ended with code 1', ...state } as AgentState,
  };
}

function message(id: string, over: Partial<AttentionMessage> = {}): AttentionMessage {
  return {
    id: id as MessageId,
    from: { kind: 'agent', id: 'ada' },
    kind: 'request',
    subject: null,
    body: 'Which branch\n  should I use?',
    sentAt: 200,
    state: 'queued',
    ...over,
  };
}

const crew = (...agents: AttentionAgent[]): Record<string, AttentionAgent> => Object.fromEntries(agents.map((a) => [a.id, a]));

describe('who asks to join from outside', () => {
  const request: EnrolmentRequest = {
    id: EnrolmentRequestId.parse(mintId('enr')),
    projectId: ProjectId.parse(mintId('prj')),
    status: 'pending',
    wish: {
      name: 'Claude',
      agentId: null,
      project: null,
      capabilities: [],
      specialisations: [],
      note: 'CI',
      heartbeatMs: 60_000,
    },
    address: '127.0.0.1',
    check: 'ABC-123',
    requestedAt: 100,
    expiresAt: 1_000,
    agentId: null,
  };

  it('needs the operator until the request is over, and leads to where it is decided', () => {
    const input = { agents: {}, inbox: [], enrolments: { [request.id]: request } };
    const [item] = attentionOf({ ...input, now: 999 });
    expect(item).toMatchObject({ kind: 'applicant', title: 'Claude asks to join from outside', needsOperator: true });
    expect(item?.detail).toContain('ABC-123');
    expect(fleetOf({}, item ? [item] : []).mood).toBe('needs');
    expect(item && [pathOfItem(item), actionsOf(item)]).toEqual(['/settings/connections', [{ action: 'open', text: 'Open' }]]);
    expect(attentionOf({ ...input, now: 1_000 })).toEqual([]);
  });
});

describe('attentionOf', () => {
  it('lists questions of agents and agents in trouble, newest first', () => {
    const agents = crew(
      agent('ada', { status: 'idle' }),
      agent('bob', { status: 'failed', since: 300 }),
      agent('cy', { status: 'lost' }),
      agent('dee', { status: 'lost', since: 50 }, 'external'),
    );
    expect(attentionOf({ agents, inbox: [message('m1')], now: 1000 })).toEqual([
      {
        id: 'failed:bob:300',
        kind: 'failed',
        agentId: 'bob',
        messageId: null,
        title: 'bob failed',
        detail: 'it ended with code 1',
        at: 300,
        needsOperator: true,
        isAwaited: true,
        canRestart: true,
      },
      {
        id: 'question:m1',
        kind: 'question',
        agentId: 'ada',
        messageId: 'm1',
        title: 'ada asks',
        detail: 'Which branch should I use?',
        at: 200,
        needsOperator: true,
        isAwaited: true,
        canRestart: false,
      },
      {
        id: 'lost:cy:100',
        kind: 'lost',
        agentId: 'cy',
        messageId: null,
        title: 'cy is lost',
        detail: 'it ended with code 1',
        at: 100,
        needsOperator: true,
        isAwaited: true,
        canRestart: true,
      },
      // One from outside is not ours to start.
      expect.objectContaining({ id: 'lost:dee:50', needsOperator: true, canRestart: false }),
    ]);
  });

  it('asks for an answer only where one is awaited', () => {
    const inbox = [
      message('note', { kind: 'note' }),
      message('event', { kind: 'event' }),
      message('reply', { kind: 'reply' }),
      message('read', { state: 'read' }),
      message('script', { from: { kind: 'token', id: 't' } }),
      message('late', { expiresAt: 1000 }),
      message('answered'),
      message('task', { kind: 'task', subject: 'Review it', state: 'delivered', expiresAt: 1001 }),
    ];
    const agents = crew(agent('ada', { status: 'working' }));
    const items = attentionOf({ agents, inbox, answered: new Set(['answered']), now: 1000 });
    expect(items.map(({ id, title, detail }) => ({ id, title, detail }))).toEqual([
      { id: 'question:task', title: 'ada has a task for you', detail: 'Review it' },
    ]);
  });

  it('lists a question that nobody waits for any more, and counts it no longer, until its agent runs again', () => {
    const look = (agents: Record<string, AttentionAgent>): unknown =>
      attentionOf({ agents, inbox: [message('m1')], now: 0 })
        .filter(({ kind }) => kind === 'question')
        .map(({ title, needsOperator }) => [title, needsOperator]);
    expect(look(crew(agent('ada', { status: 'stopped' })))).toEqual([['ada asked you, and has stopped', false]]);
    expect(look(crew(agent('ada', { status: 'failed' })))).toEqual([['ada asked you, and has failed', false]]);
    expect(look({})).toEqual([['ada asked you, and was removed', false]]);
    for (const status of ['waiting', 'paused', 'starting', 'lost'] as const)
      expect(look(crew(agent('ada', { status })))).toEqual([['ada asks', true]]);
    const stopped = crew(agent('ada', { status: 'stopped' }));
    expect(fleetOf(stopped, attentionOf({ agents: stopped, inbox: [message('m1')], now: 0 }))).toMatchObject({
      mood: 'idle',
      needs: 0,
    });
  });

  it('keeps what was dismissed listed, until the same agent fails again', () => {
    const dismissed = ['failed:bob:300'];
    const once = attentionOf({ agents: crew(agent('bob', { status: 'failed', since: 300 })), inbox: [], dismissed, now: 0 });
    expect(once).toMatchObject([{ needsOperator: false }]);
    const again = attentionOf({ agents: crew(agent('bob', { status: 'failed', since: 301 })), inbox: [], dismissed, now: 0 });
    expect(again).toMatchObject([{ id: 'failed:bob:301', needsOperator: true }]);
  });

  it('lists an agent that the core paused by itself, and none that somebody paused', () => {
    const held = { source: 'runtime', detail: 'It uses 12 GB of disk, and its limit is 10 GB.', at: 0 } as const;
    const agents = crew(
      agent('ada', { status: 'paused', evidence: held } as Partial<AgentState> & { status: 'paused' }),
      agent('bob', { status: 'paused' }),
    );
    const items = attentionOf({ agents, inbox: [], now: 0 });
    expect(items).toMatchObject([
      { id: 'held:ada:100', kind: 'held', title: 'ada was paused', detail: held.detail, needsOperator: true },
    ]);
    expect(fleetOf(agents, items)).toMatchObject({ mood: 'trouble', needs: 1 });
  });

  it('leaves the marks of code out: a notification has one face', () => {
    const detailOf = (body: string): string | undefined =>
      attentionOf({ agents: {}, inbox: [message('m', { body })], now: 0 })[0]?.detail;
    expect(detailOf('Keep `couponCode`, or drop it?')).toBe('Keep couponCode, or drop it?');
    expect(detailOf('Run this?\n```sh\nrm -r out\n```')).toBe('Run this? rm -r out');
    expect(detailOf("It's a ` alone")).toBe("It's a ` alone");
  });

  it('cuts a long question by characters, never inside one', () => {
    const [item] = attentionOf({ agents: {}, inbox: [message('m', { body: '😀'.repeat(300) })], now: 0 });
    expect([...(item?.detail ?? '')]).toEqual([...'😀'.repeat(199), '…']);
  });
});

describe('fleetOf', () => {
  const moodOf = (agents: Record<string, AttentionAgent>, inbox: AttentionMessage[] = [], dismissed: string[] = []): string =>
    fleetOf(agents, attentionOf({ agents, inbox, dismissed, now: 0 })).mood;

  it('says in one word how the fleet stands, what waits for the operator first', () => {
    const working = agent('ada', { status: 'working' });
    const failed = agent('bob', { status: 'failed' });
    expect(moodOf({})).toBe('idle');
    expect(moodOf(crew(agent('ada', { status: 'idle' }), agent('bob', { status: 'stopped' })))).toBe('idle');
    expect(moodOf(crew(agent('ada', { status: 'starting' })))).toBe('working');
    expect(moodOf(crew(working, agent('bob', { status: 'idle' })))).toBe('working');
    expect(moodOf(crew(working, failed))).toBe('trouble');
    expect(moodOf(crew(working, failed), [], ['failed:bob:100'])).toBe('working');
    expect(moodOf(crew(working, failed), [message('m')])).toBe('needs');
    expect(moodOf(crew(failed), [message('m', { from: { kind: 'agent', id: 'bob' } })])).toBe('trouble');
  });

  it('counts agents by state, and what needs the operator', () => {
    const agents = crew(
      agent('a', { status: 'idle' }),
      agent('b', { status: 'idle' }),
      agent('c', { status: 'failed' }),
      agent('d', { status: 'stopped' }),
    );
    const items = attentionOf({ agents, inbox: [message('m', { from: { kind: 'agent', id: 'a' } })], now: 0 });
    expect(fleetOf(agents, items)).toEqual({
      mood: 'needs',
      needs: 2,
      agents: 4,
      alive: 2,
      byStatus: { idle: 2, failed: 1, stopped: 1 },
    });
  });
});
