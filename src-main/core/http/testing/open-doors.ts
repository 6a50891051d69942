/** For tests: doors on ports of the system's choice, over a real store, with the handlers that a test states. */
import type { WebSocket } from 'ws';
import { contract } from '#shared/contract.ts';
import type { Contract } from '#shared/contract.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { Role } from '#shared/auth/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AgentId, TokenId } from '#shared/kernel/ids.ts';
import type { RunInfo } from '#shared/system/model.ts';
import type { Caller, Principal } from '#core/caller.ts';
import type { Handlers } from '#core/rpc/router.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import type { Gatekeeper } from '../access.ts';
import type { Doors, DoorsOptions } from '../doors.ts';
import { createDoors } from '../doors.ts';

/** The tokens that the test's gatekeeper knows. */
export const TOKENS = {
  operator: 'op-token',
  observer: 'ob-token',
  automation: 'au-token',
  agent: 'ag-token',
  otherAgent: 'a2-token',
} as const;
/** A login code that works once. */
export const LOGIN_CODE = 'good-code';
/** The session that it opens. */
export const SESSION = 'browser-session';

const PRINCIPALS: ReadonlyMap<string, Principal> = new Map<string, Principal>([
  [TOKENS.operator, { actor: { kind: 'operator', id: 'operator' }, role: 'operator', tokenId: null }],
  [TOKENS.observer, { actor: { kind: 'token', id: 'observer' }, role: 'observer', tokenId: tokenId(1) }],
  [TOKENS.automation, { actor: { kind: 'token', id: 'automation' }, role: 'automation', tokenId: tokenId(2) }],
  [TOKENS.agent, { actor: { kind: 'agent', id: 'a1' }, role: 'agent', tokenId: tokenId(3), agentId: AgentId.parse('a1') }],
  [TOKENS.otherAgent, { actor: { kind: 'agent', id: 'a2' }, role: 'agent', tokenId: tokenId(4), agentId: AgentId.parse('a2') }],
  [SESSION, { actor: { kind: 'operator', id: 'operator' }, role: 'operator', tokenId: tokenId(5) }],
]);

/** A token's id, by number. */
export function tokenId(number: number): TokenId {
  return TokenId.parse(`tok_00000000-0000-7000-8000-00000000000${number}`);
}

/** A gatekeeper with the tokens above. */
export class TestGatekeeper implements Gatekeeper {
  readonly #listeners = new Set<(id: TokenId) => void>();
  readonly #revoked = new Set<TokenId>();
  readonly #roleListeners = new Set<(id: TokenId) => void>();
  readonly #roles = new Map<TokenId, Role>();
  #isCodeUsed = false;

  principalOf(secret: string): Principal | undefined {
    const principal = PRINCIPALS.get(secret);
    if (!principal?.tokenId) return principal;
    const { tokenId } = principal;
    return this.#revoked.has(tokenId) ? undefined : { ...principal, role: this.#roles.get(tokenId) ?? principal.role };
  }

  async redeemLoginCode(code: string): Promise<{ secret: string; expiresAt: number } | undefined> {
    if (code !== LOGIN_CODE || this.#isCodeUsed) return undefined;
    this.#isCodeUsed = true;
    return { secret: SESSION, expiresAt: Date.now() + 3_600_000 };
  }

  onRevoked(listener: (id: TokenId) => void): Disposable {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  }

  onRoleChanged(listener: (id: TokenId) => void): Disposable {
    this.#roleListeners.add(listener);
    return { dispose: () => this.#roleListeners.delete(listener) };
  }

  /** Gives a token another role. */
  changeRole(id: TokenId, role: Role): void {
    this.#roles.set(id, role);
    for (const listener of this.#roleListeners) listener(id);
  }

  /** Ends a token. */
  revoke(id: TokenId): void {
    this.#revoked.add(id);
    for (const listener of this.#listeners) listener(id);
  }

  /** Leak check. */
  get listeners(): number {
    return this.#listeners.size + this.#roleListeners.size;
  }
}

/** Handlers for some procedures; the others fail with NOT_FOUND. */
export type SomeHandlers = { readonly [G in keyof Contract]?: Partial<Handlers[G]> };

/** Completes the handlers of a test. */
export function handlersFrom(some: SomeHandlers): Handlers {
  const all = Object.entries(contract).map(([group, members]) => {
    const given: Readonly<Record<string, unknown>> = some[group as keyof Contract] ?? {};
    const missing = async (): Promise<never> => Promise.reject(new AppError('NOT_FOUND', 'Not in this test.'));
    return [group, Object.fromEntries(Object.keys(members).map((name) => [name, given[name] ?? missing]))];
  });
  // Complete by construction: every member of the contract was visited.
  return Object.fromEntries(all) as Handlers;
}

/** Doors that listen. */
export interface TestDoors {
  readonly doors: Doors;
  readonly info: RunInfo;
  readonly gatekeeper: TestGatekeeper;
  readonly test: TestStore;
  /** What was logged as a bug. */
  readonly bugs: Readonly<Record<string, unknown>>[];
  /** Sockets handed to the terminals. */
  readonly terminals: { socket: WebSocket; caller: Caller; url: URL }[];
  /** A request on the main port with the operator's token. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  dispose(): Promise<void>;
}

/** Opens doors. */
export async function openDoors(some: SomeHandlers = {}, options: Partial<DoorsOptions> = {}): Promise<TestDoors> {
  const test = openTestStore();
  const gatekeeper = new TestGatekeeper();
  const bugs: Readonly<Record<string, unknown>>[] = [];
  const terminals: TestDoors['terminals'] = [];
  const doors = createDoors({
    handlers: handlersFrom(some),
    auth: gatekeeper,
    store: test.store,
    log: { error: (facts, message) => void bugs.push({ ...facts, message }), warn: () => undefined },
    version: '1.2.3',
    onTerminalSocket: (socket, caller, url) => void terminals.push({ socket, caller, url }),
    ...options,
  });
  const info = await doors.listen({ port: 0, agentPort: 0, isAgentPortNegotiable: false });
  return {
    doors,
    info,
    gatekeeper,
    test,
    bugs,
    terminals,
    fetch: async (path, init = {}) =>
      await fetch(new URL(path, info.url), {
        ...init,
        headers: { authorization: `Bearer ${TOKENS.operator}`, ...headersOf(init) },
      }),
    dispose: async () => {
      await doors.close();
      await test.dispose();
    },
  };
}

function headersOf(init: RequestInit): Record<string, string> {
  return Object.fromEntries(new Headers(init.headers));
}

/** Bearer header of a token. */
export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
