import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import type { Agent } from './agents/model.ts';
import { AgentConfig, AgentState } from './agents/model.ts';
import type { JournalEvent } from './journal/model.ts';
import { EventKind } from './journal/model.ts';
import type { EnrolmentRequest } from './enrolments/model.ts';
import { EnrolmentRequestId, AgentId, ProjectId, SessionId, TokenId, mintId } from './kernel/ids.ts';
import { DEFAULT_SETTINGS } from './settings/model.ts';
import type { CrewState } from './state.ts';
import { CrewState as CrewStateSchema, EMPTY_STATE, applyEvent } from './state.ts';

const projectId = ProjectId.parse(mintId('prj'));
const sessionId = SessionId.parse(mintId('ses'));
const tokenId = TokenId.parse(mintId('tok'));

const status = (name: 'idle' | 'working', at: number) =>
  AgentState.parse({ status: name, since: at, evidence: { source: 'process', detail: 'seen', at } });

function agent(id: string, at: number): Agent {
  return {
    id: AgentId.parse(id),
    projectId,
    config: AgentConfig.parse({ id, type: 'worker', projectId }),
    template: null,
    state: status('idle', at),
    says: null,
    run: null,
    boundary: 'host',
    boundaryNote: 'host: not contained',
    starts: 0,
    createdAt: at,
  };
}

function enrolment(name: string, n: number): EnrolmentRequest {
  return {
    id: EnrolmentRequestId.parse(`enr_00000000-0000-7000-8000-00000000000${['a', 'b', 'c'].indexOf(name) + 1}`),
    projectId,
    status: 'pending',
    wish: { name, agentId: null, project: null, capabilities: [], specialisations: [], note: '', heartbeatMs: 60_000 },
    address: '127.0.0.1',
    check: 'ABC-123',
    requestedAt: n,
    expiresAt: n + 1,
    agentId: null,
  };
}

type Body = Pick<JournalEvent, 'kind' | 'subject' | 'data'>;

function bodies(id: string, n: number): Body[] {
  return [
    {
      kind: 'project.opened',
      subject: projectId,
      data: { project: { id: projectId, name: `p${n}`, folder: '/p', isGitRepository: false, createdAt: 1, openedAt: n } },
    },
    { kind: 'session.started', subject: sessionId, data: { session: { id: sessionId, projectId, startedAt: n, endedAt: null } } },
    { kind: 'session.ended', subject: sessionId, data: { endedAt: n } },
    { kind: 'core.started', subject: sessionId, data: { version: '1', afterCrash: false } },
    { kind: 'core.stopped', subject: sessionId, data: {} },
    { kind: 'agent.created', subject: id, data: { agent: agent(id, n) } },
    { kind: 'agent.state-changed', subject: id, data: { state: status('working', n) } },
    {
      kind: 'agent.run-started',
      subject: id,
      data: { run: { id: `run${n}`, pid: n + 1, startedAt: n, attachCommand: null }, starts: n },
    },
    { kind: 'agent.reported', subject: id, data: { says: { doing: `step ${n}`, progress: null, at: n } } },
    { kind: 'agent.config-changed', subject: id, data: { config: { ...agent(id, n).config, description: `v${n}` } } },
    { kind: 'agent.boundary-changed', subject: id, data: { boundary: 'host', note: `held by ${n}` } },
    { kind: 'agent.memory-refused', subject: id, data: { limit: '2GB' } },
    { kind: 'agent.removed', subject: id, data: {} },
    { kind: 'terminal.typed', subject: id, data: { window: 'main' } },
    { kind: 'terminal.control-taken', subject: id, data: { window: 'main', from: null } },
    { kind: 'terminal.control-released', subject: id, data: { window: 'main', reason: 'closed' } },
    { kind: 'token.role-changed', subject: tokenId, data: { role: 'observer', before: 'automation' } },
    { kind: 'token.revoked', subject: tokenId, data: { revokedAt: n } },
    { kind: 'login.completed', subject: tokenId, data: {} },
    { kind: 'access.refused', subject: 'x', data: { procedure: 'x', reason: 'y' } },
    { kind: 'secret.set', subject: 'A', data: { isNew: true } },
    { kind: 'secret.removed', subject: 'A', data: {} },
    {
      kind: 'settings.changed',
      subject: 'settings',
      data: { settings: { ...DEFAULT_SETTINGS, terminalFontSize: 8 + (n % 20), dismissed: [`att-${n}`] } },
    },
    { kind: 'enrolment.requested', subject: enrolment(id, n).id, data: { request: enrolment(id, n) } },
    { kind: 'enrolment.decided', subject: enrolment(id, n).id, data: { status: 'denied', agentId: null } },
    { kind: 'journal.fault-found', subject: 'journal', data: { headSeq: null, foundSeq: n, detail: 'x' } },
  ];
}

/** Any history: any events about a few agents, in any order, numbered as the journal does. */
const history = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat({ max: bodies('a', 0).length - 1 })), { maxLength: 60 })
  .map((steps) =>
    steps.map(
      ([id, which], i) =>
        ({
          seq: i + 1,
          at: i + 1,
          projectId,
          actor: { kind: 'system', id: 'core' },
          door: 'core',
          ...bodies(id, i)[which],
        }) as JournalEvent,
    ),
  );

const fold = (events: readonly JournalEvent[], from: CrewState = EMPTY_STATE): CrewState => events.reduce(applyEvent, from);

const runs = { numRuns: effort.propertyRuns };

describe('folding events', () => {
  it('gives the same state from any point on: state(n) + events(n..m) = state(m)', () => {
    fc.assert(
      fc.property(history, fc.nat(), (events, at) => {
        const n = events.length === 0 ? 0 : at % events.length;
        expect(fold(events.slice(n), fold(events.slice(0, n)))).toEqual(fold(events));
      }),
      runs,
    );
  });

  it('ignores what was folded before: repeated and late events change nothing', () => {
    fc.assert(
      fc.property(history, fc.nat(), (events, overlap) => {
        const done = fold(events);
        for (const event of events) expect(applyEvent(done, event)).toBe(done);
        // As a window that resumes gets them: from some events before its own number on.
        const half = events.slice(0, Math.ceil(events.length / 2));
        expect(fold(events.slice(Math.max(0, half.length - (overlap % 5))), fold(half))).toEqual(done);
      }),
      runs,
    );
  });

  it('counts every kind of event, changes no state it was given, and survives JSON', () => {
    fc.assert(
      fc.property(history, (events) => {
        let state = Object.freeze({ ...EMPTY_STATE });
        for (const event of events) {
          const before = JSON.stringify(state);
          const next = applyEvent(state, event);
          expect(JSON.stringify(state)).toBe(before);
          expect(next.seq).toBe(event.seq);
          state = Object.freeze(next);
        }
        expect(CrewStateSchema.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
      }),
      runs,
    );
  });

  it('ignores events about agents that are unknown or gone', () => {
    const table = fold([]);
    for (const body of bodies('ghost', 1).filter(({ kind }) => kind.startsWith('agent.') && kind !== 'agent.created')) {
      const event = { seq: 1, at: 1, projectId, actor: { kind: 'system', id: 'core' }, door: 'core', ...body } as JournalEvent;
      expect(applyEvent(table, event)).toEqual({ ...EMPTY_STATE, seq: 1 });
    }
  });

  it('is tested with every kind there is but what changes nothing here', () => {
    const tested = bodies('a', 1).map(({ kind }) => kind);
    const unchanged =
      /^enrolment\.code-|^(message|middleware|provenance|retention|attachment|topic|image|workspace|boundary|egress)\.|^token\.created$|^session\.(imported|mirror-placed)$/;
    expect(EventKind.options.filter((kind) => !tested.includes(kind) && !unchanged.test(kind))).toEqual([]);
  });
});
