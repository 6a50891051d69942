import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JournalEvent } from '#shared/journal/model.ts';
import { AgentId, TokenId, mintId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { AuthService, BROWSER_TTL_MS } from './auth-service.ts';
import { authHandlers } from './handlers.ts';
import { LOGIN_CODE_TTL_MS, MAX_OPEN_CODES } from './login-codes.ts';

const operator: Caller = { actor: { kind: 'operator', id: 'operator' }, role: 'operator', door: 'rest' };
const agentId = AgentId.parse('api-tests');

let now: number;
let test: TestStore;
let auth: AuthService;
let events: JournalEvent[];
let warnings: string[];

async function openAuth(): Promise<void> {
  auth = new AuthService({
    store: test.store,
    operatorTokenFile: join(test.dir, 'operator-token'),
    now: () => now,
    warn: (message) => warnings.push(message),
  });
  await auth.open();
}

/** The core ends and starts again on the same folder. */
async function restart(): Promise<void> {
  auth.dispose();
  await test.close();
  test = openTestStore({ dir: test.dir });
  test.journal.onCommitted((batch) => events.push(...batch));
  await openAuth();
}

const operatorToken = (): string => readFileSync(join(test.dir, 'operator-token'), 'utf8').trim();

beforeEach(async () => {
  now = 1_750_000_000_000;
  events = [];
  warnings = [];
  test = openTestStore();
  test.journal.onCommitted((batch) => events.push(...batch));
  await openAuth();
});

afterEach(async () => {
  auth.dispose();
  await test.dispose();
});

describe("the operator's token", () => {
  it('is made once, readable by the operator alone, and opens everything', async () => {
    const token = operatorToken();
    expect(token).toMatch(/^qdo_[A-Za-z0-9_-]{43}$/);
    expect(statSync(join(test.dir, 'operator-token')).mode & 0o777).toBe(0o600);
    expect(auth.principalOf(token)).toEqual({ actor: { kind: 'operator', id: 'operator' }, role: 'operator', tokenId: null });
    await restart();
    expect(operatorToken()).toBe(token);
    expect(auth.principalOf(token)?.role).toBe('operator');
    expect(events).toEqual([]);
  });

  it('is replaced by deleting the file, which also ends browser logins but no other token', async () => {
    const old = operatorToken();
    const browser = await auth.redeemLoginCode(auth.createLoginCode().code);
    const script = await auth.createToken({ name: 'script', role: 'automation' }, operator);
    rmSync(join(test.dir, 'operator-token'));
    await restart();
    expect(operatorToken()).not.toBe(old);
    expect(auth.principalOf(old)).toBeUndefined();
    expect(auth.principalOf(browser?.secret ?? '')).toBeUndefined();
    expect(auth.principalOf(script.secret)?.role).toBe('automation');
    expect(events.filter((event) => event.kind === 'token.revoked').map((event) => event.subject)).toEqual([browser?.tokenId]);
  });

  it('is refused when malformed, with what to do, and left as it is', async () => {
    const file = join(test.dir, 'operator-token');
    for (const text of ['', 'secret', operatorToken().slice(0, -1), `${operatorToken()} x`]) {
      writeFileSync(file, text);
      const other = new AuthService({ store: test.store, operatorTokenFile: file });
      await expect(other.open()).rejects.toThrow(expect.objectContaining({ code: 'UNAVAILABLE', retryable: false }));
      await expect(other.open()).rejects.toThrow('Delete the file');
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });
});

describe('tokens', () => {
  it('are found by the whole secret only', async () => {
    const { secret } = await auth.createToken({ name: 'screen', role: 'observer' }, operator);
    expect(auth.principalOf(secret)?.role).toBe('observer');
    const last = secret.endsWith('A') ? 'B' : 'A';
    for (const wrong of [
      '',
      ' ',
      secret.slice(0, -1),
      secret.slice(0, -1) + last,
      `${secret} `,
      `${secret}A`,
      secret.toUpperCase(),
      'x'.repeat(1_000_000),
      '__proto__',
    ]) {
      expect(auth.principalOf(wrong)).toBeUndefined();
    }
  });

  it('act in their own name, survive a restart, and only their hash is kept', async () => {
    const { token, secret } = await auth.createToken({ name: 'second screen', role: 'operator' }, operator);
    const expected = { actor: { kind: 'token', id: token.id }, role: 'operator', tokenId: token.id };
    expect(auth.principalOf(secret)).toEqual(expected);
    await restart();
    expect(auth.principalOf(secret)).toEqual(expected);
    const row = test.store.peek((db) => db.prepare('SELECT hash FROM tokens WHERE id = ?').get(token.id)) as { hash: Uint8Array };
    expect(Buffer.from(row.hash)).toEqual(createHash('sha256').update(secret).digest());
    await test.close();
    const stored = ['quarterdeck.db', 'audit-head'].map((name) => readFileSync(join(test.dir, name), 'latin1')).join('');
    expect(stored).toContain(token.id);
    for (const kept of [secret, secret.slice(4), operatorToken().slice(4)]) expect(stored).not.toContain(kept);
  });

  it('open nothing from the moment they are revoked, which is told once', async () => {
    const told: TokenId[] = [];
    const listening = auth.onRevoked((id) => {
      told.push(id);
      expect(auth.principalOf(secret)).toBeUndefined();
    });
    const { token, secret } = await auth.createToken({ name: 'script', role: 'automation' }, operator);
    const revoked = await auth.revokeToken(token.id, operator);
    expect(revoked).toEqual({ ...token, revokedAt: now });
    now += 5;
    expect(await auth.revokeToken(token.id, operator)).toEqual(revoked);
    expect(told).toEqual([token.id]);
    expect(events.map((event) => event.kind)).toEqual(['token.created', 'token.revoked']);
    listening.dispose();
    await restart();
    expect(auth.principalOf(secret)).toBeUndefined();
  });

  it('that get another role have it from the next call on, which is told once and kept', async () => {
    const told: TokenId[] = [];
    const listening = auth.onRoleChanged((id) => {
      told.push(id);
      expect(auth.principalOf(secret)?.role).toBe('observer');
    });
    const { token, secret } = await auth.createToken({ name: 'script', role: 'automation' }, operator);
    expect(await auth.changeRole(token.id, 'observer', operator)).toEqual({ ...token, role: 'observer' });
    expect(await auth.changeRole(token.id, 'observer', operator)).toEqual({ ...token, role: 'observer' });
    expect(told).toEqual([token.id]);
    expect(events.slice(1)).toMatchObject([
      { kind: 'token.role-changed', subject: token.id, data: { role: 'observer', before: 'automation' } },
    ]);
    listening.dispose();
    await restart();
    expect(auth.principalOf(secret)?.role).toBe('observer');
  });

  it('of agents, of browsers and of the past keep their role', async () => {
    await expect(auth.changeRole(TokenId.parse(mintId('tok')), 'observer', operator)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const { token } = await auth.createToken({ name: 'gone', role: 'automation' }, operator);
    await auth.revokeToken(token.id, operator);
    await expect(auth.changeRole(token.id, 'operator', operator)).rejects.toMatchObject({ code: 'CONFLICT' });
    const { code } = auth.createLoginCode();
    const browser = await auth.redeemLoginCode(code);
    await expect(auth.changeRole(browser?.tokenId ?? TokenId.parse(mintId('tok')), 'observer', operator)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
  });

  it('that do not exist cannot be revoked', async () => {
    await expect(auth.revokeToken(TokenId.parse(mintId('tok')), operator)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('open nothing once expired, also after a restart', async () => {
    const { token, secret } = await auth.createToken({ name: 'guest', role: 'observer', ttlMs: 60_000 }, operator);
    expect(token.expiresAt).toBe(now + 60_000);
    now += 59_999;
    expect(auth.principalOf(secret)?.role).toBe('observer');
    now += 1;
    expect(auth.principalOf(secret)).toBeUndefined();
    await restart();
    expect(auth.principalOf(secret)).toBeUndefined();
  });

  it('tell of their expiry by themselves, so that open connections end', async () => {
    const real = new AuthService({ store: test.store, operatorTokenFile: join(test.dir, 'operator-token') });
    await real.open();
    const told: TokenId[] = [];
    real.onRevoked((id) => told.push(id));
    const long = await real.createToken({ name: 'long', role: 'observer', ttlMs: 3_600_000 }, operator);
    const short = await real.createToken({ name: 'short', role: 'observer', ttlMs: 1_000 }, operator);
    await vi.waitFor(() => expect(told).toEqual([short.token.id]), { timeout: 10_000, interval: 20 });
    expect(real.principalOf(short.secret)).toBeUndefined();
    expect(real.principalOf(long.secret)?.role).toBe('observer');
    real.dispose();
  });

  it('refuse a lifetime and a name that make no sense', async () => {
    for (const ttlMs of [0, 999, Number.MAX_SAFE_INTEGER]) {
      await expect(auth.createToken({ name: 'x', role: 'observer', ttlMs }, operator)).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        data: { field: 'ttlMs' },
      });
    }
    await expect(auth.createToken({ name: 'Browser ', role: 'operator' }, operator)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'name' },
    });
    expect(await auth.listTokens(100)).toEqual([]);
  });

  it('are listed newest first, by page, without secrets', async () => {
    const made = [];
    for (const name of ['a', 'b', 'c']) made.push(await auth.createToken({ name, role: 'observer' }, operator));
    await auth.revokeToken(made[1]?.token.id ?? TokenId.parse(mintId('tok')), operator);
    const listed = await auth.listTokens(100);
    expect(listed.map((token) => [token.name, token.revokedAt])).toEqual([
      ['c', null],
      ['b', now],
      ['a', null],
    ]);
    expect((await auth.listTokens(2)).map((token) => token.name)).toEqual(['c', 'b']);
    for (const { secret } of made) expect(JSON.stringify([listed, events])).not.toContain(secret);
  });

  it('are not there when their commit failed', async () => {
    test.store.peek((db) => db.prepare('DROP TABLE tokens').run());
    await expect(auth.createToken({ name: 'x', role: 'observer' }, operator)).rejects.toThrow('tokens');
    expect(events).toEqual([]);
  });
});

describe("agents' tokens", () => {
  it('are one per agent: a new one ends those before, in one step', async () => {
    const told: TokenId[] = [];
    auth.onRevoked((id) => told.push(id));
    const first = await auth.mintAgentToken({ agentId, projectId: SYSTEM_PROJECT_ID, caller: CORE });
    const firstId = auth.principalOf(first)?.tokenId;
    expect(auth.principalOf(first)).toEqual({ actor: { kind: 'agent', id: agentId }, role: 'agent', tokenId: firstId, agentId });
    const second = await auth.mintAgentToken({ agentId, projectId: SYSTEM_PROJECT_ID, caller: CORE });
    expect(first).toMatch(/^qda_/);
    expect(auth.principalOf(first)).toBeUndefined();
    expect(auth.principalOf(second)?.agentId).toBe(agentId);
    expect(told).toEqual([firstId]);
    expect(events.map((event) => [event.kind, event.door])).toEqual([
      ['token.created', 'core'],
      ['token.revoked', 'core'],
      ['token.created', 'core'],
    ]);
  });

  it('outlive the core, because agents do', async () => {
    const secret = await auth.mintAgentToken({ agentId, projectId: SYSTEM_PROJECT_ID, caller: CORE });
    await restart();
    expect(auth.principalOf(secret)?.agentId).toBe(agentId);
  });

  it('asked for twice at once leave one that lives', async () => {
    const both = await Promise.all(
      [1, 2].map(() => auth.mintAgentToken({ agentId, projectId: SYSTEM_PROJECT_ID, caller: CORE })),
    );
    expect(both.map((secret) => auth.principalOf(secret)?.agentId)).toEqual([undefined, agentId]);
  });

  it("end with the agent, and no other agent's do", async () => {
    const other = AgentId.parse('other');
    const mine = await auth.mintAgentToken({ agentId, projectId: SYSTEM_PROJECT_ID, caller: CORE });
    const theirs = await auth.mintAgentToken({ agentId: other, projectId: SYSTEM_PROJECT_ID, caller: CORE });
    await auth.revokeAgentTokens(agentId, operator);
    await auth.revokeAgentTokens(agentId, operator);
    expect(auth.principalOf(mine)).toBeUndefined();
    expect(auth.principalOf(theirs)?.agentId).toBe(other);
    expect(events.filter((event) => event.kind === 'token.revoked')).toHaveLength(1);
  });
});

describe('browser login', () => {
  it('turns a code into a token, once, and says so in the journal', async () => {
    const { code, expiresAt } = auth.createLoginCode();
    expect(expiresAt).toBe(now + LOGIN_CODE_TTL_MS);
    expect(code.length).toBeGreaterThanOrEqual(22);
    const [login, again] = await Promise.all([auth.redeemLoginCode(code), auth.redeemLoginCode(code)]);
    expect(again).toBeUndefined();
    expect(login?.expiresAt).toBe(now + BROWSER_TTL_MS);
    expect(auth.principalOf(login?.secret ?? '')).toEqual({
      actor: { kind: 'operator', id: 'operator' },
      role: 'operator',
      tokenId: login?.tokenId,
    });
    expect(events.map((event) => [event.kind, event.subject, event.door])).toEqual([
      ['token.created', login?.tokenId, 'web'],
      ['login.completed', login?.tokenId, 'web'],
    ]);
    expect((await auth.listTokens(10)).map((token) => [token.name, token.role])).toEqual([['browser', 'operator']]);
    now += BROWSER_TTL_MS;
    expect(auth.principalOf(login?.secret ?? '')).toBeUndefined();
  });

  it('refuses a code that is too old, and any code after a restart', async () => {
    const { code } = auth.createLoginCode();
    now += LOGIN_CODE_TTL_MS;
    expect(await auth.redeemLoginCode(code)).toBeUndefined();
    const fresh = auth.createLoginCode();
    await restart();
    expect(await auth.redeemLoginCode(fresh.code)).toBeUndefined();
  });

  it('keeps at most so many codes open: the oldest gives way', async () => {
    const codes = Array.from({ length: MAX_OPEN_CODES + 1 }, () => auth.createLoginCode().code);
    expect(await auth.redeemLoginCode(codes[0] ?? '')).toBeUndefined();
    expect(await auth.redeemLoginCode(codes[1] ?? '')).toBeDefined();
    expect(await auth.redeemLoginCode(codes.at(-1) ?? '')).toBeDefined();
  });

  it('limits wrong codes to ten a minute, and never locks a right one out', async () => {
    const { code } = auth.createLoginCode();
    for (let i = 0; i < 10; i += 1) expect(await auth.redeemLoginCode(`wrong ${i}`)).toBeUndefined();
    await expect(auth.redeemLoginCode('wrong')).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', retryable: true });
    expect(await auth.redeemLoginCode(code)).toBeDefined();
    now += 60_000;
    expect(await auth.redeemLoginCode('wrong')).toBeUndefined();
  });

  it('gives the code back when the login could not be stored', async () => {
    const { code } = auth.createLoginCode();
    test.store.peek((db) => db.prepare('ALTER TABLE tokens RENAME TO away').run());
    await expect(auth.redeemLoginCode(code)).rejects.toThrow('tokens');
    test.store.peek((db) => db.prepare('ALTER TABLE away RENAME TO tokens').run());
    expect(await auth.redeemLoginCode(code)).toBeDefined();
  });
});

describe('the handlers', () => {
  const signal = new AbortController().signal;

  it('say who calls, and put a code into the link', async () => {
    const handlers = authHandlers(auth, { loginUrl: (code) => `http://127.0.0.1:3000/#login=${code}` });
    expect(await handlers.whoami({}, { caller: operator, signal })).toEqual({
      actor: operator.actor,
      role: 'operator',
      door: 'rest',
    });
    const { url } = await handlers.createLoginLink({}, { caller: operator, signal });
    expect(await auth.redeemLoginCode(url.split('#login=')[1] ?? '')).toBeDefined();
    const { token } = await handlers.createToken({ name: 'ci', role: 'automation' }, { caller: operator, signal });
    expect((await handlers.listTokens({ limit: 1 }, { caller: operator, signal })).tokens).toEqual([token]);
    expect((await handlers.revokeToken({ id: TokenId.parse(token.id) }, { caller: operator, signal })).revokedAt).toBe(now);
  });
});
