import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JournalEvent } from '#shared/journal/model.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { Message } from '#shared/messages/model.ts';
import { Address } from '#shared/messages/model.ts';
import { MiddlewareChain, MiddlewareStep } from '#shared/middleware/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import type { SendInput } from '#core/messages/message-draft.ts';
import { draftOf } from '#core/messages/message-draft.ts';
import { findByKey } from '#core/messages/messages-repository.ts';
import type { TestMessages } from '#core/messages/testing/open-messages.ts';
import { openMessages, OPERATOR_CALLER, tokenCaller } from '#core/messages/testing/open-messages.ts';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { ChainAgent, KeptSecret } from './middleware-service.ts';
import { MiddlewareService } from './middleware-service.ts';

const KEY = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';

let t: TestMessages;
let middleware: MiddlewareService;
let ada: Caller;
let clock: number;
const capabilities = new Map<string, string[]>();
const secrets = new Map<string, string>();
const events: JournalEvent[] = [];

function chainAgent(id: string): ChainAgent | undefined {
  const agent = t.agents.get(id);
  return agent && { kind: 'agent', id, projectId: agent.projectId, template: null, capabilities: capabilities.get(id) ?? [] };
}

function makeMiddleware(): MiddlewareService {
  return new MiddlewareService({
    store: t.test.store,
    folder: join(t.test.dir, 'middleware'),
    agentOf: chainAgent,
    agentsOf: (projectId) =>
      [...t.agents.values()].filter((agent) => agent.projectId === projectId).flatMap((agent) => chainAgent(agent.id) ?? []),
    defaultProject: () => t.projectId,
    isProject: () => true,
    secrets: {
      list: async () => [...secrets.keys()].map((name): KeptSecret => ({ name, projectId: t.projectId })),
      reveal: ({ name }) => secrets.get(name),
    },
    digestKey: new Uint8Array(32).fill(9),
    findByKey: (from, key) => t.test.store.peek((db) => findByKey(db, from, key)),
    steadyNow: () => clock,
    log: (message, error) => {
      throw new Error(message, { cause: error });
    },
  });
}

beforeEach(async () => {
  clock = 0;
  capabilities.clear();
  secrets.clear();
  events.length = 0;
  t = await openMessages({
    extend: async () => ({ prepare: (draft, sender, caller) => middleware.prepare(draft, sender, caller) }),
  });
  middleware = makeMiddleware();
  await middleware.open();
  t.test.journal.onCommitted((committed) => events.push(...committed));
  ada = t.addAgent('ada');
  t.addAgent('ben');
  t.addAgent('lead');
});

afterEach(async () => {
  middleware.dispose();
  await t.dispose();
});

async function set(steps: unknown[], projectId: ProjectId = t.projectId): Promise<void> {
  await middleware.set({ projectId, chain: MiddlewareChain.parse({ steps }) }, OPERATOR_CALLER);
}

async function send(caller: Caller, to: string | string[], more: Partial<SendInput> = {}): Promise<Message> {
  const addresses = (Array.isArray(to) ? to : [to]).map((one) => Address.parse(one));
  const input = { to: addresses, body: 'text', kind: 'note' as const, priority: 'normal' as const, ...more };
  return (await t.service.get({ id: (await t.service.send(input, caller)).messageId })).message;
}

async function refusal(sending: Promise<unknown>): Promise<AppError> {
  const outcome = await sending.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof AppError)) throw new Error(`expected a refusal, got ${String(outcome)}`);
  return outcome;
}

async function accept(name: string, code: string): Promise<void> {
  mkdirSync(middleware.modules.folder, { recursive: true });
  writeFileSync(join(middleware.modules.folder, `${name}.mjs`), code);
  const { module } = await middleware.modules.get(name);
  await middleware.modules.accept(name, module.sha256 ?? '', OPERATOR_CALLER);
}

const redact = { id: 'no-secrets', kind: 'redact' };

describe('a chain', () => {
  it('that is not set does nothing: the very draft goes on, without a promise', () => {
    const draft = draftOf({ to: AgentId.parse('ben'), body: KEY, kind: 'note', priority: 'normal', idempotencyKey: 'k' });
    const from = { kind: 'agent' as const, id: 'ada' };
    const facts = { from, agent: t.agents.get('ada'), wish: { ...from, boundary: 'host' as const }, inbox: 'ada' };
    expect(middleware.prepare(draft, facts, ada)).toBe(draft);
  });

  it('is carried out in order, each step on what the one before left', async () => {
    const prefix = (id: string, text: string) => ({ id, kind: 'transform', subject: { prefix: text } });
    await set([prefix('one', 'a'), { ...prefix('off', 'x'), enabled: false }, prefix('two', 'b'), prefix('three', '{from} ')]);
    expect((await send(ada, 'ben', { subject: 's' })).subject).toBe('ada bas');
  });

  it('holds after a restart, and says what it did', async () => {
    await set([redact]);
    middleware.dispose();
    middleware = makeMiddleware();
    await middleware.open();
    expect((await send(ada, 'ben', { body: `x ${KEY}` })).body).toBe('x [redacted:token]');
    expect(middleware.get(t.projectId)).toMatchObject({
      revision: 1,
      counters: [{ id: 'no-secrets', seen: 1, changed: 1, refused: 0, redacted: 1 }],
    });
    const stale = middleware.set({ projectId: t.projectId, chain: { steps: [] }, revision: 0 }, OPERATOR_CALLER);
    expect((await refusal(stale)).code).toBe('CONFLICT');
  });

  it.each([
    [[{ id: 'a', kind: 'magic' }], 'steps.0.kind'],
    [[redact, redact], 'steps.1.id'],
    [[{ id: 'a', kind: 'limit', perMinute: 0, burst: 1 }], 'steps.0.perMinute'],
    [
      [{ id: 'a', kind: 'authorise', default: 'deny', rules: [{ from: ['topic:a'], to: ['*'], effect: 'allow' }] }],
      'steps.0.rules.0.from.0',
    ],
    [[{ id: 'a', kind: 'validate', data: { type: 'string', pattern: '(a+)+$' } }], 'steps.0.data'],
    [[{ id: 'a', kind: 'validate', data: { type: 'nothing' } }], 'steps.0.data'],
    [[{ id: 'a', kind: 'module', module: '../x' }], 'steps.0.module'],
  ])('that is wrong says where: %j', (steps, field) => {
    expect(MiddlewareChain.safeParse({ steps }).error?.issues[0]?.path.join('.')).toBe(field);
  });

  it('of both projects holds for what goes from one to the other', async () => {
    const other = await t.addProject();
    t.addAgent('olga', { projectId: other });
    await set([{ id: 'here', kind: 'transform', subject: { suffix: '-here' } }]);
    await set([{ id: 'there', kind: 'transform', subject: { suffix: '-there' } }], other);
    expect((await send(ada, 'olga', { subject: 's' })).subject).toBe('s-here-there');
    expect((await send(OPERATOR_CALLER, 'olga', { subject: 's' })).subject).toBe('s-there');
  });
});

describe('validate', () => {
  it('says what is missing or too much, and never what the message holds', async () => {
    await set([
      {
        id: 'form',
        kind: 'validate',
        requireSubject: true,
        kinds: ['note', 'task'],
        maxBodyChars: 10,
        data: { type: 'object', properties: { op: { enum: ['a', 'b'] } }, required: ['op'] },
      },
    ]);
    const ok = { subject: 's', data: { op: 'a' } };
    await send(ada, 'ben', ok);
    const cases: [Partial<SendInput>, RegExp][] = [
      [{ ...ok, subject: ' ' }, /a subject is required/],
      [{ ...ok, kind: 'event' }, /kind "event" is not sent here, only note, task/],
      [{ ...ok, body: 'x'.repeat(11) }, /11 characters; at most 10/],
      [{ ...ok, data: { op: 'hunter2' } }, /"data.op" is not as/],
      [{ subject: 's' }, /"data" is not as/],
    ];
    for (const [more, says] of cases) {
      const error = await refusal(send(ada, 'ben', more));
      expect(error).toMatchObject({ code: 'BAD_REQUEST', data: { step: 'form', kind: 'validate' } });
      expect(error.message).toMatch(says);
      expect(error.message).not.toContain('hunter2');
    }
    expect((await t.service.list({ limit: 100 })).messages).toHaveLength(1);
  });
});

describe('authorise', () => {
  const rules = [
    { from: ['capability:boss'], to: ['*'], effect: 'allow' },
    { from: ['token:ci-*'], to: ['ben'], effect: 'allow' },
    { from: ['*'], to: ['lead'], effect: 'deny' },
    { from: ['a*'], to: ['b*', 'topic:health.#', 'operator'], effect: 'allow' },
  ];

  it('decides for each recipient by the first rule that fits, through groups and broadcasts, too', async () => {
    await set([{ id: 'who', kind: 'authorise', rules, default: 'deny' }]);
    await send(ada, ['ben', 'operator']);
    await send(ada, 'topic:health.db');
    for (const to of ['lead', '*', 'topic:secret', ['ben', 'lead']]) {
      const error = await refusal(send(ada, to));
      expect(error).toMatchObject({ code: 'FORBIDDEN', data: { step: 'who' } });
      expect(error.message).toMatch(/^Step "who" \(authorise\) .* agent "ada" may not write to .* Nothing was sent\./);
    }
    await send(tokenCaller('ci-main'), 'ben');
    expect((await refusal(send(tokenCaller('other'), 'ben'))).code).toBe('FORBIDDEN');
    capabilities.set('ada', ['boss']);
    await send(ada, '*');
  });

  it('lets the operator and the core through unless told otherwise', async () => {
    await set([{ id: 'who', kind: 'authorise', rules: [], default: 'deny' }]);
    await send(OPERATOR_CALLER, 'lead');
    await send(CORE, 'lead');
    await set([{ id: 'who', kind: 'authorise', rules: [], default: 'deny', forOperatorToo: true }]);
    expect((await refusal(send(OPERATOR_CALLER, 'lead'))).message).toContain('the operator may not write to agent "lead"');
    await send(CORE, 'lead');
  });
});

describe('limit', () => {
  it('says when to come back, and lets through then', async () => {
    await set([{ id: 'slow', kind: 'limit', perMinute: 60, burst: 2 }]);
    await send(ada, 'ben');
    await send(ada, 'lead');
    const error = await refusal(send(ada, 'ben'));
    expect(error).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryable: true, data: { step: 'slow', retryAfterMs: 1_000 } });
    await send(OPERATOR_CALLER, 'ben');
    clock += 1_000;
    await send(ada, 'ben');
  });

  it('counts pairs apart, and what is repeated with its key once', async () => {
    await set([{ id: 'slow', kind: 'limit', per: 'pair', perMinute: 1, burst: 1 }]);
    const first = await send(ada, 'ben', { idempotencyKey: 'k' });
    await send(ada, 'lead');
    expect((await send(ada, 'ben', { idempotencyKey: 'k' })).id).toBe(first.id);
    expect((await refusal(send(ada, 'ben'))).data['retryAfterMs']).toBe(60_000);
  });
});

describe('redact', () => {
  it('takes out shapes and stored values, also those stored since', async () => {
    await set([redact]);
    secrets.set('DB', 'opensesame-7');
    middleware.noteSecretsChanged();
    const sent = await send(ada, 'ben', { subject: `k ${KEY}`, body: 'say opensesame-7!', data: { deep: ['opensesame-7'] } });
    expect(sent).toMatchObject({
      subject: 'k [redacted:token]',
      body: 'say [redacted:secret]!',
      data: { deep: ['[redacted:secret]'] },
    });
    expect(JSON.stringify(events)).not.toMatch(/opensesame|0123456789abcdefghij/);
    secrets.clear();
    middleware.noteSecretsChanged();
    expect((await send(ada, 'ben', { body: 'opensesame-7' })).body).toBe('opensesame-7');
  });

  it('holds for the operator and the core, too', async () => {
    await set([redact]);
    expect((await send(OPERATOR_CALLER, 'ben', { body: KEY })).body).toBe('[redacted:token]');
    expect((await send(CORE, 'ben', { body: KEY })).body).toBe('[redacted:token]');
  });
});

describe('transform and audit', () => {
  it('change what they say, and write down what was done', async () => {
    await set([
      redact,
      {
        id: 'shape',
        kind: 'transform',
        when: { from: ['ada'], kinds: ['task'] },
        priority: { atMost: 'high' },
        ttlMs: { atMost: 60_000 },
        labels: { team: '{from}' },
      },
      { id: 'book', kind: 'audit', when: { to: ['ben'] } },
    ]);
    const sent = await send(ada, 'ben', { kind: 'task', priority: 'critical', body: KEY, data: { op: 'x' } });
    expect(sent).toMatchObject({
      priority: 'high',
      data: { op: 'x', labels: { team: 'ada' } },
      expiresAt: expect.any(Number) as number,
    });
    expect(events.at(-1)).toMatchObject({
      kind: 'middleware.audited',
      subject: sent.id,
      data: { step: 'book', from: 'ada', kind: 'task', did: [{ step: 'no-secrets' }, { step: 'shape' }] },
    });
    expect(await send(ada, 'lead', { priority: 'critical' })).toMatchObject({
      priority: 'critical',
      data: null,
      expiresAt: null,
    });
    expect(events.at(-1)?.kind).toBe('message.sent');
  });
});

describe('modules', () => {
  const step = { id: 'style', kind: 'module', module: 'style', timeoutMs: 5_000 };

  it('run as the copy that was accepted, whatever becomes of the file', async () => {
    const naming = middleware.set({ projectId: t.projectId, chain: MiddlewareChain.parse({ steps: [step] }) }, OPERATOR_CALLER);
    expect((await refusal(naming)).code).toBe('NOT_FOUND');
    await accept('style', 'export default (draft, { config }) => ({ ...draft, body: draft.body + config });');
    await set([{ ...step, config: '!' }]);
    expect((await send(ada, 'ben')).body).toBe('text!');
    const file = join(middleware.modules.folder, 'style.mjs');
    writeFileSync(file, 'export default () => ({ refuse: "changed" });');
    expect((await middleware.modules.list())[0]).toMatchObject({ name: 'style', state: 'changed', usedBy: [t.projectId] });
    expect((await send(ada, 'ben')).body).toBe('text!');
    const { module } = await middleware.modules.get('style');
    writeFileSync(file, 'export default () => ({ refuse: "changed again" });');
    const unread = middleware.modules.accept('style', module.sha256 ?? '', OPERATOR_CALLER);
    expect((await refusal(unread)).code).toBe('CONFLICT');
    const now = await middleware.modules.get('style');
    await middleware.modules.accept('style', now.module.sha256 ?? '', OPERATOR_CALLER);
    expect((await refusal(send(ada, 'ben'))).message).toContain('module "style" says: changed again');
  }, 60_000);

  it('that fail refuse or let pass, as declared, and are told of once', async () => {
    await accept(
      'style',
      'export default (draft) => { if (draft.body === "hang") for (;;); return { ...draft, to: ["lead"] }; };',
    );
    await set([{ ...step, timeoutMs: 300 }]);
    const hung = await refusal(send(ada, 'ben', { body: 'hang' }));
    expect(hung).toMatchObject({ code: 'UNAVAILABLE', data: { step: 'style' } });
    expect(hung.message).toContain('gave no answer within 300 ms');
    await set([{ ...step, onFailure: 'open' }]);
    const sent = await send(ada, 'ben');
    expect(sent).toMatchObject({ to: ['ben'], body: 'text' });
    await vi.waitFor(
      () =>
        expect(events.filter(({ kind }) => kind === 'middleware.module-failed').map(({ data }) => data)).toEqual([
          expect.objectContaining({ module: 'style', problem: 'it gave no answer within 300 ms', count: 1 }),
        ]),
      { timeout: 30_000 },
    );
    expect(middleware.get(t.projectId).counters[0]).toMatchObject({ seen: 1, changed: 0, refused: 0, failed: 1 });
    // The second failure was gathered, and is told at the end.
    middleware.dispose();
    await vi.waitFor(() => expect(events.filter(({ kind }) => kind === 'middleware.module-failed')).toHaveLength(2), {
      timeout: 30_000,
    });
  }, 60_000);
});

describe('refusals', () => {
  it('are journaled once, and then counted', async () => {
    await set([{ id: 'who', kind: 'authorise', rules: [], default: 'deny' }]);
    for (let i = 0; i < 5; i += 1) await refusal(send(ada, 'ben'));
    middleware.dispose();
    const told = () => events.filter(({ kind }) => kind === 'middleware.refused');
    await vi.waitFor(() => expect(told()).toHaveLength(2), { timeout: 30_000 });
    expect(told()).toMatchObject([
      { subject: 'ada', projectId: t.projectId, data: { step: 'who', kind: 'authorise', count: 1 } },
      { subject: 'ada', data: { count: 4 } },
    ]);
  });
});

describe('a key', () => {
  it('is recognised although what was stored differs, and refused for another input', async () => {
    await set([redact]);
    const first = await send(ada, 'ben', { body: KEY, idempotencyKey: 'k' });
    expect((await send(ada, 'ben', { body: KEY, idempotencyKey: 'k' })).id).toBe(first.id);
    // What was stored is another input than what was asked for.
    for (const body of ['[redacted:token]', `${KEY}!`])
      expect((await refusal(send(ada, 'ben', { body, idempotencyKey: 'k' }))).code).toBe('CONFLICT');
    // Whatever holds now.
    await set([]);
    expect((await send(ada, 'ben', { body: KEY, idempotencyKey: 'k' })).id).toBe(first.id);
    const plain = await send(ada, 'ben', { body: KEY, idempotencyKey: 'plain' });
    await set([redact]);
    expect((await send(ada, 'ben', { body: KEY, idempotencyKey: 'plain' })).id).toBe(plain.id);
  });

  it('wins over a module that never answers the same, also at the same time', async () => {
    await accept('style', 'let n = 0; export default (draft) => ({ ...draft, body: draft.body + ++n + Math.random() });');
    await set([{ id: 'style', kind: 'module', module: 'style', timeoutMs: 5_000 }]);
    const sent = await Promise.all([1, 2, 3].map(() => send(ada, 'ben', { idempotencyKey: 'k' })));
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    expect((await send(ada, 'ben', { idempotencyKey: 'k' })).id).toBe(sent[0]?.id);
    expect((await t.service.list({ limit: 10 })).messages).toHaveLength(1);
  }, 60_000);
});

describe('a trial', () => {
  it('shows each step, and uses up and writes down nothing', async () => {
    await set([
      { id: 'slow', kind: 'limit', perMinute: 1, burst: 1 },
      { id: 'other', kind: 'audit', when: { from: ['ben'] } },
      redact,
      { id: 'off', kind: 'audit', enabled: false },
    ]);
    const seq = t.test.journal.seq;
    const draft = draftOf({ to: AgentId.parse('ben'), body: KEY, kind: 'note', priority: 'normal' });
    for (let i = 0; i < 3; i += 1) {
      const run = await middleware.tryOut({ projectId: t.projectId, draft, from: AgentId.parse('ada') });
      expect(run.steps.map(({ outcome }) => outcome)).toEqual(['passed', 'skipped', 'changed', 'off']);
      expect(run.draft.body).toBe('[redacted:token]');
    }
    expect(t.test.journal.seq).toBe(seq);
    await send(ada, 'ben');
  });
});

const patterns = fc.constantFrom('*', 'ada', 'b*', 'operator', 'capability:boss', 'template:x');
const when = fc.option(fc.record({ from: fc.array(patterns, { minLength: 1, maxLength: 2 }) }), { nil: undefined });
const anyStep = fc.oneof(
  fc.record({ kind: fc.constant('validate'), when, maxBodyChars: fc.integer({ min: 1, max: 40 }), requireSubject: fc.boolean() }),
  fc.record({
    kind: fc.constant('authorise'),
    when,
    default: fc.constantFrom('allow', 'deny'),
    rules: fc.array(
      fc.record({
        from: fc.array(patterns, { minLength: 1, maxLength: 2 }),
        to: fc.array(fc.oneof(patterns, fc.constant('topic:a.#')), { minLength: 1, maxLength: 2 }),
        effect: fc.constantFrom('allow', 'deny'),
      }),
      { maxLength: 3 },
    ),
  }),
  fc.record({
    kind: fc.constant('limit'),
    when,
    per: fc.constantFrom('sender', 'pair'),
    perMinute: fc.integer({ min: 1, max: 60 }),
    burst: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant('redact'), when }),
  fc.record({
    kind: fc.constant('transform'),
    when,
    subject: fc.record({ prefix: fc.string({ maxLength: 100 }), suffix: fc.string({ maxLength: 100, unit: 'binary' }) }),
    labels: fc.dictionary(fc.constantFrom('a', 'b-c'), fc.constantFrom('{from}', '{topic}')),
    ttlMs: fc.record({ atMost: fc.integer({ min: 1_000, max: 100_000 }) }),
  }),
  fc.record({ kind: fc.constant('audit'), when }),
);

it('whatever the chain, a send is stored or refused with a reason, and nothing else happens', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyStep, fc.boolean()), { maxLength: 6 }),
      fc.array(
        fc.record({
          to: fc.uniqueArray(fc.constantFrom('ben', 'lead', 'operator', '*', 'topic:a.b'), { minLength: 1, maxLength: 3 }),
          body: fc.string({ minLength: 1, maxLength: 60, unit: 'binary' }),
          subject: fc.option(fc.string({ maxLength: 200 }), { nil: undefined }),
          data: fc.option(fc.jsonValue({ maxDepth: 3 }), { nil: undefined }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      withinTime(async (list, drafts) => {
        const steps = list.map(([step, enabled], index) => MiddlewareStep.parse({ ...step, id: `s${index}`, enabled }));
        await set(steps);
        for (const { to, body, subject, data } of drafts) {
          const input = { to: to.map((one) => Address.parse(one)), body, kind: 'note' as const, priority: 'normal' as const };
          const outcome = await t.service
            .send(
              {
                ...input,
                ...(subject === undefined ? {} : { subject }),
                ...(data === undefined ? {} : { data: structuredClone(data) as never }),
              },
              ada,
            )
            .catch((error: unknown) => error);
          if (!(outcome instanceof Error)) continue;
          expect(outcome).toBeInstanceOf(AppError);
          expect(outcome.message).toMatch(/^Step "s\d" \((validate|authorise|limit)\)/);
        }
      }),
    ),
    { numRuns: effort.propertyRuns },
  );
}, 60_000);
