/** The chain that every call passes: the rule, idempotency, errors, output. */
import { MessageChannel } from 'node:worker_threads';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { ContractRouterClient } from '@orpc/contract';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { refusalFor } from '#shared/auth/authorise.ts';
import { ROLES } from '#shared/auth/model.ts';
import type { Role } from '#shared/auth/model.ts';
import type { Contract } from '#shared/contract.ts';
import { contract } from '#shared/contract.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { Caller } from '#core/caller.ts';
import type { SomeHandlers } from '#core/http/testing/open-doors.ts';
import { handlersFrom } from '#core/http/testing/open-doors.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { serveMessagePort } from './message-port.ts';
import type { Rpc } from './router.ts';
import { createRouter } from './router.ts';

const stores: TestStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.dispose();
});

function router(some: SomeHandlers = {}, test = openTestStore()): { rpc: Rpc; test: TestStore; bugs: unknown[] } {
  if (!stores.includes(test)) stores.push(test);
  const bugs: unknown[] = [];
  const rpc = createRouter({
    handlers: handlersFrom(some),
    store: test.store,
    log: { error: (facts) => void bugs.push(facts) },
    metrics: new Registry(),
  });
  return { rpc, test, bugs };
}

function caller(role: Role, id: string = role): Caller {
  return {
    actor: { kind: role === 'operator' ? 'operator' : role === 'agent' || role === 'coordinator' ? 'agent' : 'token', id },
    role,
    door: 'rest',
  };
}

const OPERATOR = caller('operator');
const OPEN = { folder: '/tmp/somewhere', idempotencyKey: 'k1' };
const PROJECT = {
  id: 'prj_00000000-0000-7000-8000-000000000001' as never,
  name: 'n',
  folder: '/tmp/somewhere',
  isGitRepository: false,
  createdAt: 1,
  openedAt: 1,
};

describe('the rule', () => {
  it('is asked for every procedure and role, and refuses before anything is looked at', async () => {
    const { rpc } = router();
    for (const procedure of rpc.procedures) {
      for (const role of ROLES) {
        const refusal = refusalFor(role, procedure.meta);
        await expect(rpc.invoke(procedure.name, { nonsense: true }, caller(role))).rejects.toMatchObject(
          refusal
            ? { code: 'FORBIDDEN', status: 403, message: containing(refusal.reason) }
            : { code: 'BAD_REQUEST', status: 400, message: containing('"nonsense" is not known here') },
        );
      }
    }
  });

  it('journals refused commands, once a second for a caller and procedure, and no refused reads', async () => {
    const { rpc, test } = router();
    for (let i = 0; i < 5; i += 1)
      await expect(rpc.invoke('system.shutdown', {}, caller('observer'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(rpc.invoke('auth.listTokens', {}, caller('observer'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(rpc.invoke('system.shutdown', {}, caller('observer', 'second'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const { rows } = await test.store.read('journal.page', { limit: 10 } as never);
    expect(rows.map(({ kind, subject, actor }) => [kind, subject, actor.id])).toEqual(
      expect.arrayContaining([
        ['access.refused', 'system.shutdown', 'observer'],
        ['access.refused', 'system.shutdown', 'second'],
      ]),
    );
    expect(rows).toHaveLength(2);
  });
});

describe('a command with an idempotency key', () => {
  it('is done once, also by two at the same time, and across a restart', async () => {
    let runs = 0;
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const open = async (): Promise<typeof PROJECT> => {
      runs += 1;
      await gate;
      return PROJECT;
    };
    const { rpc, test } = router({ projects: { open } });
    const both = [rpc.invoke('projects.open', OPEN, OPERATOR), rpc.invoke('projects.open', OPEN, OPERATOR)];
    await expect(rpc.invoke('projects.open', { ...OPEN, folder: '/tmp/other' }, OPERATOR)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: containing('another input'),
    });
    release();
    expect(await Promise.all(both)).toEqual([PROJECT, PROJECT]);
    expect(await rpc.invoke('projects.open', OPEN, OPERATOR)).toEqual(PROJECT);
    await expect(rpc.invoke('projects.open', { ...OPEN, name: 'x' }, OPERATOR)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(runs).toBe(1);

    const again = router({ projects: { open } }, test).rpc;
    expect(await again.invoke('projects.open', OPEN, OPERATOR)).toEqual(PROJECT);
    expect(runs).toBe(1);
    // The key belongs to its caller, and to the procedure.
    await again.invoke('projects.open', OPEN, caller('automation'));
    expect(runs).toBe(2);
  });

  it('runs again after a failure, and is not remembered', async () => {
    let runs = 0;
    const { rpc } = router({
      projects: {
        open: async () => {
          runs += 1;
          if (runs === 1) throw new AppError('NOT_FOUND', 'There is no such folder.');
          return PROJECT;
        },
      },
    });
    await expect(rpc.invoke('projects.open', OPEN, OPERATOR)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await rpc.invoke('projects.open', OPEN, OPERATOR)).toEqual(PROJECT);
  });

  it('never leaves a secret behind', async () => {
    const token = {
      id: 'tok_00000000-0000-7000-8000-000000000001' as never,
      projectId: PROJECT.id,
      name: 'ci',
      role: 'observer' as const,
      agentId: null,
      createdAt: 1,
      expiresAt: null,
      revokedAt: null,
    };
    const { rpc, test } = router({ auth: { createToken: async () => ({ token, secret: 'very-secret' }) } });
    const input = { name: 'ci', role: 'observer', idempotencyKey: 'k' };
    expect(await rpc.invoke('auth.createToken', input, OPERATOR)).toMatchObject({ secret: 'very-secret' });
    await expect(rpc.invoke('auth.createToken', input, OPERATOR)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: containing('shown once'),
    });
    const kept = test.store.peek((db) => db.prepare('SELECT * FROM command_results').all());
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toContain('very-secret');
  });
});

describe('errors', () => {
  it('keep code, message and facts when they are expected, and show nothing of a bug', async () => {
    const { rpc, bugs } = router({
      agents: {
        get: async () => Promise.reject(new AppError('NOT_FOUND', 'There is no agent "x".', { data: { id: 'x' } })),
        list: async () => Promise.reject(new Error('password=hunter2')),
        // A wrong output is a bug too.
        templates: async () => ({ templates: 'none' }) as never,
      },
    });
    await expect(rpc.invoke('agents.get', { id: 'x' }, OPERATOR)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      status: 404,
      message: 'There is no agent "x".',
      data: { id: 'x' },
    });
    expect(bugs).toHaveLength(0);
    for (const name of ['agents.list', 'agents.templates']) {
      const error: unknown = await rpc.invoke(name, {}, OPERATOR).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'INTERNAL', status: 500 });
      expect(JSON.stringify(error)).not.toContain('hunter2');
    }
    expect(bugs).toHaveLength(2);
    expect(rpc.underWay).toBe(0);
  });

  it('never blame the core for a bad input: random values at every procedure', async () => {
    const { rpc, bugs } = router();
    const keys = [
      ...new Set(
        rpc.procedures.flatMap(({ inputSchema }) => Object.keys((inputSchema['properties'] as object | undefined) ?? {})),
      ),
      '__proto__',
      'constructor',
      '',
    ];
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 })),
      fc.constantFrom(undefined, Number.NaN, 10n, new Date(0), new Map(), Symbol('x')),
    );
    for (const procedure of rpc.procedures) {
      await fc.assert(
        fc.asyncProperty(
          value,
          withinTime(async (input) => {
            const error: unknown = await rpc
              .invoke(procedure.name, input, caller(procedure.meta.audience === 'agent' ? 'agent' : 'operator'))
              .catch((thrown: unknown) => thrown);
            // A valid input reaches the stub, which answers NOT_FOUND.
            expect(error).toMatchObject({ code: matching(/^(BAD_REQUEST|NOT_FOUND|FORBIDDEN)$/), message: matching(/\.$/) });
          }),
        ),
        { numRuns: effort.propertyRuns },
      );
    }
    expect(bugs).toEqual([]);
  });
});

describe('over a MessagePort', () => {
  it('the same calls work, streams are followed and ended', async () => {
    let wasAborted = false;
    const { rpc } = router({
      agents: { list: async () => ({ agents: [], total: 0 }) },
      journal: { follow: async ({ after }, { signal }) => count(after, signal, () => (wasAborted = true)) },
    });
    const { port1, port2 } = new MessageChannel();
    serveMessagePort(rpc.router, port1, { ...OPERATOR, door: 'desktop' });
    port1.start();
    port2.start();
    const client: ContractRouterClient<Contract> = createORPCClient(new RPCLink({ port: port2 }));
    expect(await client.agents.list({})).toEqual({ agents: [], total: 0 });
    await expect(client.agents.get({ id: 'BAD' as never })).rejects.toMatchObject({ code: 'BAD_REQUEST', defined: true });
    const stop = new AbortController();
    const seqs: number[] = [];
    const follow = async (): Promise<void> => {
      for await (const item of await client.journal.follow({ after: 5 }, { signal: stop.signal })) {
        if (item.type === 'heartbeat') seqs.push(item.seq);
        if (seqs.length === 3) stop.abort();
      }
    };
    await follow().catch(() => undefined);
    expect(seqs).toEqual([6, 7, 8]);
    await expect.poll(() => [wasAborted, rpc.underWay]).toEqual([true, 0]);
    // The core's end reaches a stream as an error that is worth a retry.
    const items = await client.journal.follow({ after: 0 });
    await items.next();
    rpc.end();
    const ended = async (): Promise<void> => {
      for await (const _item of items) expect(rpc.underWay).toBeLessThan(2);
    };
    await expect(ended()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(client.agents.list({})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    port1.close();
  });
});

it('knows every procedure of the contract', () => {
  const { rpc } = router();
  const names = Object.entries(contract).flatMap(([group, members]) => Object.keys(members).map((name) => `${group}.${name}`));
  expect(rpc.procedures.map(({ name }) => name)).toEqual(names);
});

async function* count(
  after: number,
  signal: AbortSignal,
  onEnd: () => void,
): AsyncGenerator<{ type: 'heartbeat'; seq: number }, void, void> {
  try {
    for (let seq = after + 1; !signal.aborted; seq += 1) {
      yield { type: 'heartbeat', seq };
      if (seq >= after + 3) {
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    }
  } finally {
    onEnd();
  }
}

/** vitest's own matcher is of type any. */
function containing(text: string): unknown {
  return expect.stringContaining(text);
}

/** vitest's own matcher is of type any. */
function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}
