import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AgentConfig } from '#shared/agents/model.ts';
import { MAX_PENDING, REQUEST_TTL_MS, RegisterInput } from '#shared/enrolments/model.ts';
import type { Registration } from '#shared/enrolments/model.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { freeId } from '#core/agents/agent-draft.ts';
import { AgentRegistry } from '#core/agents/agent-registry.ts';
import { ExternalAgents } from '#core/agents/external-agents.ts';
import { AuthService } from '#core/auth/auth-service.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { ProjectsService } from '#core/projects/projects-service.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { MAX_CALLS, MAX_WRONG } from './attempt-limits.ts';
import { EnrolmentsService } from './enrolments-service.ts';
import { newSecret } from './secrets.ts';

const OPERATOR: Caller = { actor: { kind: 'operator', id: 'operator' }, role: 'operator', door: 'web' };

function applicant(address = '127.0.0.1'): Caller {
  return { actor: { kind: 'token', id: `applicant ${address}` }, role: 'applicant', door: 'agent-mcp' };
}

let now: number;
let test: TestStore;
let auth: AuthService;
let registry: AgentRegistry;
let external: ExternalAgents;
let service: EnrolmentsService;
let events: JournalEvent[];
let first: ProjectId;
let second: ProjectId;

async function open(): Promise<void> {
  test.journal.onCommitted((batch) => events.push(...batch));
  auth = new AuthService({ store: test.store, operatorTokenFile: join(test.dir, 'operator-token'), now: () => now });
  await auth.open();
  registry = new AgentRegistry({ store: test.store, now: () => now });
  registry.open();
  const projects = new ProjectsService({ store: test.store, now: () => now });
  projects.open();
  for (const name of ['second', 'first']) {
    const folder = join(test.dir, name);
    mkdirSync(folder, { recursive: true });
    const { id } = await projects.openFolder(folder, CORE);
    if (name === 'first') first = id;
    else second = id;
    now += 1;
  }
  external = new ExternalAgents({ registry, heldBy: () => 0, now: () => now, log: () => undefined });
  external.open();
  service = new EnrolmentsService({
    store: test.store,
    projects: () => projects.list(),
    agents: {
      find: (id) => registry.find(id),
      isTaken: (id) => registry.isTaken(id),
      freeId: (name) => freeId(name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'), (id) => registry.isTaken(id)),
      enrol: (about, caller, also) => external.enrol(about, caller, also),
      change: (id, changes, caller) => external.change(id, changes, caller),
    },
    mintToken: (agent, caller) => auth.mintAgentToken({ agentId: agent.id, projectId: agent.projectId, caller }),
    now: () => now,
    steadyNow: () => now,
    log: () => undefined,
  });
  await service.open();
}

async function close(): Promise<void> {
  service.dispose();
  external.dispose();
  auth.dispose();
  registry.dispose();
  await test.close();
}

/** The core ends and starts again on the same folder. */
async function restart(): Promise<void> {
  await close();
  test = openTestStore({ dir: test.dir, now: () => now });
  await open();
}

beforeEach(async () => {
  now = 1_750_000_000_000;
  events = [];
  test = openTestStore({ now: () => now });
  await open();
});

afterEach(async () => {
  service.dispose();
  external.dispose();
  auth.dispose();
  registry.dispose();
  await test.dispose();
});

const register = (
  input: Partial<RegisterInput>,
  caller = applicant(),
  signal = new AbortController().signal,
): Promise<Registration> => service.register(RegisterInput.parse({ waitMs: 0, ...input }), caller, signal);

const code = async (limits: Partial<Parameters<EnrolmentsService['createCode']>[0]> = {}): Promise<string> =>
  (await service.createCode({ note: '', ...limits }, OPERATOR)).secret;

/** Who a token that was handed out belongs to. */
const ownerOf = ({ token }: Registration): string | undefined => auth.principalOf(token ?? '')?.agentId;

const id = (text: string): AgentId => AgentId.parse(text);

describe('a code', () => {
  it('brings in one agent, once, with what it states, and is never stored itself', async () => {
    const secret = await code();
    const answer = await register({
      code: secret,
      name: 'Claude Code in api',
      capabilities: ['api'],
      specialisations: ['graphql'],
    });
    expect(answer).toMatchObject({ status: 'enrolled', agentId: 'claude-code-in-api-1', projectId: first, heartbeatMs: 60_000 });
    expect(ownerOf(answer)).toBe('claude-code-in-api-1');
    expect(registry.get(id('claude-code-in-api-1'))).toMatchObject({
      config: {
        type: 'external',
        capabilities: ['api', 'graphql'],
        external: { name: 'Claude Code in api', specialisations: ['graphql'], heartbeatMs: 60_000, allowed: null },
      },
      boundary: 'host',
      boundaryNote: expect.stringContaining('not contained, not controlled') as string,
      state: { status: 'idle', evidence: { source: 'interface' } },
      run: null,
    });
    await expect(register({ code: secret, name: 'another' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(JSON.stringify(events)).not.toContain(secret);
    expect(JSON.stringify(events)).not.toContain(answer.token);
    expect((await service.list()).codes).toEqual([]);
  });

  it('ends when it is revoked, and when its time is over', async () => {
    const made = await service.createCode({ note: '' }, OPERATOR);
    await service.revokeCode(made.code.id, OPERATOR);
    await service.revokeCode(made.code.id, OPERATOR);
    await expect(register({ code: made.secret, name: 'late' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const short = await code({ ttlMs: 60_000 });
    now += 60_000;
    await expect(register({ code: short, name: 'late' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(registry.all()).toEqual([]);
  });

  it('is used by one of two that race with it', async () => {
    const secret = await code();
    const outcomes = await Promise.allSettled([register({ code: secret, name: 'a' }), register({ code: secret, name: 'b' })]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(registry.all()).toHaveLength(1);
  });

  it('gives the same client the same agent again, over a restart, and nobody else', async () => {
    const secret = await code();
    const mine = { code: secret, name: 'tool', clientKey: 'a key of sixteen or more' };
    const before = await register({ ...mine, capabilities: ['one'] });
    await restart();
    const after = await register({ ...mine, capabilities: ['two'] });
    expect(after.agentId).toBe(before.agentId);
    expect(registry.all().map(({ config }) => config.capabilities)).toEqual([['two']]);
    // The lost answer's token is good no more.
    expect([ownerOf(before), ownerOf(after)]).toEqual([undefined, before.agentId]);
    await expect(register({ ...mine, clientKey: 'another key of that length' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(register({ code: secret, name: 'tool' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(register({ ...mine, id: id('somebody') })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(ownerOf(after)).toBe(before.agentId);
    now += 16 * 60_000;
    await expect(register(mine)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('does not open another project, id or capability than it names', async () => {
    const secret = await code({ projectId: second, agentId: id('fixed'), capabilities: ['api', 'db'] });
    await expect(register({ code: secret, project: 'first' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      data: { field: 'project' },
    });
    await expect(register({ code: secret, project: first })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(register({ code: secret, id: id('other') })).rejects.toMatchObject({ code: 'FORBIDDEN', data: { field: 'id' } });
    await expect(register({ code: secret, specialisations: ['root'] })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      data: { field: 'capabilities' },
    });
    // None of that used it up.
    expect(await register({ code: secret, capabilities: ['db'] })).toMatchObject({ agentId: 'fixed', projectId: second });
    expect(registry.get(id('fixed')).config.capabilities).toEqual(['db']);
  });

  it('takes nobody’s place: an id that is there or was removed is a conflict, and the code stays good', async () => {
    await register({ code: await code(), id: id('mine'), name: 'mine' });
    const worker = AgentConfig.parse({ id: 'worker', type: 'worker', projectId: first });
    const known = registry.get(id('mine'));
    await registry.add({ ...known, id: id('worker'), config: worker }, CORE);
    await registry.add({ ...known, id: id('gone'), config: { ...known.config, id: id('gone') } }, CORE);
    await registry.remove(id('gone'), CORE);
    const secret = await code();
    for (const taken of ['mine', 'worker', 'gone'])
      await expect(register({ code: secret, id: id(taken), name: taken })).rejects.toMatchObject({ code: 'CONFLICT' });
    for (const agentId of [id('worker'), id('gone')])
      await expect(service.createCode({ note: '', agentId }, OPERATOR)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await register({ code: secret, id: id('free'), name: 'free' })).toMatchObject({ agentId: 'free' });
  });

  it('made for an agent from outside gives that agent a new token', async () => {
    const before = await register({ code: await code(), id: id('mine'), name: 'mine', capabilities: ['api'] });
    await expect(service.createCode({ note: '', agentId: id('mine'), projectId: second }, OPERATOR)).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    const after = await register({ code: await code({ agentId: id('mine') }) });
    expect(after.agentId).toBe('mine');
    expect([ownerOf(before), ownerOf(after)]).toEqual([undefined, 'mine']);
    expect(registry.get(id('mine')).config.capabilities).toEqual(['api']);
  });

  it('cannot be guessed: wrong ones are counted for each address, and a good one goes through all the same', async () => {
    const secret = await code();
    for (let n = 0; n < MAX_WRONG; n += 1)
      await expect(register({ code: n % 2 === 0 ? newSecret('code') : 'guess', name: 'x' })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
    await expect(register({ code: newSecret('code'), name: 'x' })).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await expect(register({ requestId: newSecret('request') })).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await expect(register({ code: newSecret('code'), name: 'x' }, applicant('10.0.0.9'))).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await register({ code: secret, name: 'x' })).toMatchObject({ status: 'enrolled' });
    now += 60_000;
    await expect(register({ code: newSecret('code'), name: 'x' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('a request', () => {
  it('waits for the operator; approved, it gives its token to who made it', async () => {
    const asked = await register({ name: 'helper', id: id('helper'), capabilities: ['api'], project: 'second', note: 'from CI' });
    expect(asked).toMatchObject({
      status: 'pending',
      token: null,
      agentId: null,
      next: expect.stringContaining(asked.check ?? '-') as string,
    });
    const [request] = (await service.list()).requests;
    expect(request).toMatchObject({
      address: '127.0.0.1',
      check: asked.check,
      projectId: second,
      wish: { name: 'helper', note: 'from CI' },
    });
    const { requestId } = asked;
    if (request === undefined || requestId === null) throw new Error('no request');
    // What the operator sees is not what the token is fetched with.
    expect(JSON.stringify(events)).not.toContain(requestId);
    await expect(register({ requestId: request.id })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const waiting = register({ requestId, waitMs: 50_000 });
    expect(await service.decide({ id: request.id, isApproved: true }, OPERATOR)).toMatchObject({
      status: 'approved',
      agentId: 'helper',
    });
    const answer = await waiting;
    expect(answer).toMatchObject({ status: 'enrolled', agentId: 'helper', projectId: second });
    expect(ownerOf(answer)).toBe('helper');
    // Asked again, because the answer was lost: the same agent, a token that takes the place of the first.
    const again = await register({ requestId });
    expect([again.agentId, ownerOf(answer), ownerOf(again)]).toEqual(['helper', undefined, 'helper']);
    expect(registry.all()).toHaveLength(1);
    await expect(service.decide({ id: request.id, isApproved: false }, OPERATOR)).rejects.toMatchObject({ code: 'CONFLICT' });
    await service.decide({ id: request.id, isApproved: true }, OPERATOR);
  });

  it('is told that it was denied', async () => {
    const { requestId } = await register({ name: 'helper' });
    const [request] = (await service.list()).requests;
    if (request === undefined || requestId === null) throw new Error('no request');
    await service.decide({ id: request.id, isApproved: false }, OPERATOR);
    expect(await register({ requestId })).toMatchObject({ status: 'denied', token: null });
    expect(registry.all()).toEqual([]);
  });

  it('learns nothing of who is there: an id that is taken gets another, a project that is not is not told', async () => {
    await register({ code: await code(), id: id('helper'), name: 'helper' });
    const asked = await register({ name: 'x', id: id('helper'), project: 'no such project' });
    expect(asked.status).toBe('pending');
    const [request] = (await service.list()).requests;
    if (request === undefined) throw new Error('no request');
    expect(await service.decide({ id: request.id, isApproved: true }, OPERATOR)).toMatchObject({
      agentId: 'helper-1',
      projectId: first,
    });
  });

  it('is one of few that may wait', async () => {
    for (let n = 0; n < MAX_PENDING.perAddress; n += 1)
      expect(await register({ name: `n${n}` })).toMatchObject({ status: 'pending' });
    await expect(register({ name: 'more' })).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    // At once from many addresses: each sees those before it.
    const many = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) => register({ name: 'n' }, applicant(`10.0.0.${n}`))),
    );
    expect(many.filter(({ status }) => status === 'fulfilled')).toHaveLength(MAX_PENDING.inAll - MAX_PENDING.perAddress);
    expect((await service.list()).requests).toHaveLength(MAX_PENDING.inAll);
  });

  it('is counted as a call: a program in a loop is told to wait', async () => {
    const { requestId } = await register({ name: 'loop' });
    for (let n = 1; n < MAX_CALLS; n += 1) await register({ requestId: requestId ?? '' });
    await expect(register({ requestId: requestId ?? '' })).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  });

  it('survives a restart of the core, and expires', async () => {
    const { requestId } = await register({ name: 'helper' });
    await restart();
    expect(await register({ requestId: requestId ?? '' })).toMatchObject({ status: 'pending' });
    now += REQUEST_TTL_MS;
    await restart();
    await vi.waitFor(async () => expect((await service.list()).requests).toEqual([]), { timeout: 30_000 });
    expect(await register({ requestId: requestId ?? '' })).toMatchObject({ status: 'expired' });
    expect(events.filter(({ kind }) => kind === 'enrolment.decided')).toMatchObject([{ data: { status: 'expired' } }]);
  });

  it('ends its waiting when nobody wants to know any more', async () => {
    const gone = new AbortController();
    const asked = register({ name: 'helper', waitMs: 50_000 }, applicant(), gone.signal);
    await vi.waitFor(async () => expect((await service.list()).requests).toHaveLength(1), { timeout: 30_000 });
    gone.abort();
    expect(await asked).toMatchObject({ status: 'pending' });
  });

  it('must say what it is called, and not too much', async () => {
    await expect(register({})).rejects.toMatchObject({ code: 'BAD_REQUEST', data: { field: 'name' } });
    expect(RegisterInput.safeParse({ name: 'x'.repeat(81) }).success).toBe(false);
    expect(RegisterInput.safeParse({ name: 'two\nlines' }).success).toBe(false);
    expect(RegisterInput.safeParse({ name: 'x', note: 'x'.repeat(401) }).success).toBe(false);
    expect(RegisterInput.safeParse({ name: 'x', capabilities: Array.from({ length: 33 }, (_, n) => `c${n}`) }).success).toBe(
      false,
    );
    expect(RegisterInput.safeParse({ name: 'x', code: 'x'.repeat(101) }).success).toBe(false);
  });
});

describe('an agent that is in', () => {
  it('registers again with its token: the same agent, with what it states now', async () => {
    await register({ code: await code(), id: id('mine'), name: 'mine', capabilities: ['a'], specialisations: ['b'] });
    const me: Caller = { actor: { kind: 'agent', id: 'mine' }, role: 'agent', door: 'agent-mcp', agentId: id('mine') };
    expect(await register({ capabilities: ['c'], heartbeatMs: 5_000 }, me)).toMatchObject({
      agentId: 'mine',
      token: null,
      heartbeatMs: 5_000,
    });
    expect(registry.all().map(({ config }) => [config.id, config.capabilities, config.external?.name])).toEqual([
      ['mine', ['c', 'b'], 'mine'],
    ]);
    await expect(register({ id: id('other') }, me)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(register({ project: 'second' }, me)).rejects.toMatchObject({ code: 'CONFLICT' });
    await register({ project: 'first' }, me);
  });

  it('stays within what its code allowed', async () => {
    await register({ code: await code({ capabilities: ['db'] }), id: id('mine'), name: 'mine' });
    const me: Caller = { actor: { kind: 'agent', id: 'mine' }, role: 'agent', door: 'agent-mcp', agentId: id('mine') };
    await expect(register({ specialisations: ['root'] }, me)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(registry.get(id('mine')).config.capabilities).toEqual(['db']);
    await register({ capabilities: [] }, me);
    expect(registry.get(id('mine')).config.capabilities).toEqual([]);
  });
});
