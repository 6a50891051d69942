/**
 * Who a token belongs to; making and ending tokens; browser logins.
 * Invariants: a token is found by the hash of what was presented and nothing else; what is in memory is what is committed;
 * a revoked or expired token opens nothing from that moment on, and listeners are told so that its connections end.
 */
import type { AccessToken, Actor, MintableRole } from '#shared/auth/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { AgentId, TokenId, mintId } from '#shared/kernel/ids.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Caller, Principal } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import { LoginCodes } from './login-codes.ts';
import type { LoginCode } from './login-codes.ts';
import { loadOperatorToken } from './operator-token.ts';
import { hashToken, isTokenShaped, newTokenSecret } from './token-format.ts';
import {
  insertToken,
  liveTokens,
  markRevoked,
  setRole,
  operatorTokenFact,
  setOperatorTokenFact,
  tokenById,
  unrevokedByName,
  unrevokedOfAgent,
} from './tokens-repository.ts';
import type { StoredToken } from './tokens-repository.ts';

/** What a browser gets for a login code. */
export interface BrowserLogin {
  /** The token, for the cookie. */
  readonly secret: string;
  readonly tokenId: TokenId;
  readonly expiresAt: number;
}

/** A token just made, with the one sight of its secret. */
export interface NewToken {
  readonly token: AccessToken;
  readonly secret: string;
}

/** What a token is to be. */
export interface TokenRequest {
  readonly name: string;
  readonly role: MintableRole;
  readonly ttlMs?: number | undefined;
}

/** How long a browser stays logged in, in milliseconds. */
export const BROWSER_TTL_MS = 30 * 86_400_000;
/** Name of the tokens behind browser logins; no other token may have it. */
const BROWSER = 'browser';
/** The shortest and longest lifetimes of a token, in milliseconds: a second, and ten years. */
const TTL_RANGE_MS = { least: 1_000, most: 10 * 365 * 86_400_000 } as const;
/** The longest time a timer can wait, in milliseconds (31 bits). */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Where the service finds things. */
export interface AuthServiceOptions {
  readonly store: AppStore;
  readonly operatorTokenFile: string;
  readonly now?: () => number;
  /** Told what the operator should know at start-up, such as a token file that others could read. */
  readonly warn?: (message: string) => void;
}

interface LiveToken {
  readonly principal: Principal;
  readonly expiresAt: number | null;
}

const OPERATOR: Principal = { actor: { kind: 'operator', id: 'operator' }, role: 'operator', tokenId: null };

function principalFor(token: AccessToken): Principal {
  if (token.agentId !== null) {
    return {
      actor: { kind: 'agent', id: token.agentId },
      role: token.role,
      tokenId: token.id,
      agentId: AgentId.parse(token.agentId),
    };
  }
  // A browser that the operator logged in is the operator; any other token acts in its own name.
  if (token.name === BROWSER) return { ...OPERATOR, tokenId: token.id };
  return { actor: { kind: 'token', id: token.id }, role: token.role, tokenId: token.id };
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex');
}

/** Whether it opens something at `now`. */
function isLive({ revokedAt, expiresAt }: AccessToken, now: number): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt > now);
}

/** Owns the tokens and the login codes. */
export class AuthService {
  readonly #store: AppStore;
  readonly #options: AuthServiceOptions;
  readonly #now: () => number;
  readonly #codes: LoginCodes;
  readonly #revoked = new Emitter<TokenId>((error) =>
    this.#options.warn?.(`a listener for revoked tokens failed: ${String(error)}`),
  );
  readonly #changed = new Emitter<TokenId>((error) =>
    this.#options.warn?.(`a listener for changed tokens failed: ${String(error)}`),
  );
  /** By hash, in hex. */
  readonly #live = new Map<string, LiveToken>();
  #expiryTimer: NodeJS.Timeout | undefined;

  constructor(options: AuthServiceOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#now = options.now ?? Date.now;
    this.#codes = new LoginCodes(this.#now);
  }

  /**
   * Reads or makes the operator's token and loads the others. When the operator's token is another than at the last
   * start, every browser login ends: whoever changes it wants the old access gone.
   */
  async open(): Promise<void> {
    const secret = loadOperatorToken(this.#options.operatorTokenFile, this.#options.warn);
    const hash = keyOf(hashToken(secret));
    const known = this.#store.peek(operatorTokenFact);
    if (known !== hash) {
      await this.#store.write((tx) => {
        if (known !== undefined)
          for (const { token } of unrevokedByName(tx, BROWSER, 'operator')) this.#revokeIn(tx, token, CORE);
        setOperatorTokenFact(tx, hash);
      });
    }
    this.#live.set(hash, { principal: OPERATOR, expiresAt: null });
    for (const stored of this.#store.peek((db) => liveTokens(db, this.#now()))) this.#remember(stored);
    this.#armExpiry();
  }

  /** Whose token this is; undefined when it opens nothing (unknown, revoked, expired, malformed). */
  principalOf(secret: string): Principal | undefined {
    if (!isTokenShaped(secret)) return undefined;
    const live = this.#live.get(keyOf(hashToken(secret)));
    if (!live || (live.expiresAt !== null && live.expiresAt <= this.#now())) return undefined;
    return live.principal;
  }

  /** Tells of each token that ended, revoked or expired: the doors close what it opened. */
  onRevoked(listener: (tokenId: TokenId) => void): Disposable {
    return this.#revoked.on(listener);
  }

  /** Tells of each token that has another role now: what it opened is to go by it, or to close. */
  onRoleChanged(listener: (tokenId: TokenId) => void): Disposable {
    return this.#changed.on(listener);
  }

  /** A code that logs one browser in, once, within ten minutes. */
  createLoginCode(): LoginCode {
    return this.#codes.create();
  }

  /**
   * Exchanges a login code for a browser's token; undefined when the code is wrong, used or too old.
   * Fails with TOO_MANY_REQUESTS after ten wrong codes within a minute.
   */
  async redeemLoginCode(code: string): Promise<BrowserLogin | undefined> {
    const codeExpiresAt = this.#codes.take(code);
    if (codeExpiresAt === undefined) return undefined;
    const secret = newTokenSecret('token');
    const expiresAt = this.#now() + BROWSER_TTL_MS;
    const by: Caller = { actor: OPERATOR.actor, role: 'operator', door: 'web' };
    try {
      const token = await this.#store.write((tx) => {
        const made = this.#insertIn(
          tx,
          { name: BROWSER, role: 'operator', agentId: null, projectId: SYSTEM_PROJECT_ID, expiresAt },
          secret,
          by,
        );
        tx.record(
          event({ projectId: SYSTEM_PROJECT_ID, actor: by.actor, door: by.door, subject: made.id }, 'login.completed', {}),
        );
        return made;
      });
      return { secret, tokenId: token.id, expiresAt };
    } catch (error) {
      this.#codes.giveBack(code, codeExpiresAt);
      throw error;
    }
  }

  /** Makes a token for a script, a second screen or another program. Its secret is seen here and never again. */
  createToken(request: TokenRequest, caller: Caller): Promise<NewToken> {
    const { name, role, ttlMs } = request;
    if (name.trim().toLowerCase() === BROWSER) {
      return Promise.reject(
        new AppError('BAD_REQUEST', `name: "${BROWSER}" is kept for browser logins. Choose another name.`, {
          data: { field: 'name' },
        }),
      );
    }
    if (ttlMs !== undefined && (ttlMs < TTL_RANGE_MS.least || ttlMs > TTL_RANGE_MS.most)) {
      return Promise.reject(
        new AppError('BAD_REQUEST', 'ttlMs: must be from 1 s to 3650d. Leave it out for a token that does not expire.', {
          data: { field: 'ttlMs' },
        }),
      );
    }
    const secret = newTokenSecret('token');
    return this.#store.write((tx) => {
      const expiresAt = ttlMs === undefined ? null : this.#now() + ttlMs;
      return {
        token: this.#insertIn(tx, { name, role, agentId: null, projectId: SYSTEM_PROJECT_ID, expiresAt }, secret, caller),
        secret,
      };
    });
  }

  /** What people call somebody: the name of a token, else the id. */
  nameOf(actor: Actor): string {
    const id = TokenId.safeParse(actor.id);
    if (actor.kind !== 'token' || !id.success) return actor.id;
    return this.#store.peek((db) => tokenById(db, id.data))?.token.name ?? actor.id;
  }

  /** Access tokens, the newest first, ended ones included. */
  listTokens(limit: number): Promise<AccessToken[]> {
    return this.#store.read('auth.tokens', { limit });
  }

  /** Ends a token at once. Repeating it changes nothing. */
  revokeToken(id: TokenId, caller: Caller): Promise<AccessToken> {
    return this.#store.write((tx) => {
      const { token } = this.#tokenIn(tx, id);
      return token.revokedAt === null ? this.#revokeIn(tx, token, caller) : token;
    });
  }

  /**
   * Gives a token another role, from its next call on; the one it has changes nothing. NOT_FOUND; BAD_REQUEST for tokens whose
   * role comes with what they are (agents', browser logins'); CONFLICT for one that has ended.
   */
  changeRole(id: TokenId, role: MintableRole, caller: Caller): Promise<AccessToken> {
    return this.#store.write((tx) => {
      const stored = this.#tokenIn(tx, id);
      const { token } = stored;
      if (token.agentId !== null || token.name === BROWSER)
        throw new AppError('BAD_REQUEST', `The role of ${token.name} comes with what it is. Revoke the token instead.`, {
          data: { id },
        });
      if (!isLive(token, this.#now()))
        throw new AppError('CONFLICT', 'This token opens nothing any more. Make a new one.', { data: { id } });
      if (token.role === role) return token;
      setRole(tx, id, role);
      tx.record(
        event({ projectId: token.projectId, actor: caller.actor, door: caller.door, subject: id }, 'token.role-changed', {
          role,
          before: token.role,
        }),
      );
      const changed = { ...token, role };
      tx.afterCommit(() => {
        this.#remember({ ...stored, token: changed });
        this.#changed.fire(id);
      });
      return changed;
    });
  }

  /** A new token for an agent; the agent's earlier ones end in the same transaction. */
  mintAgentToken(options: { agentId: AgentId; projectId: ProjectId; caller: Caller }): Promise<string> {
    const { agentId, projectId, caller } = options;
    const secret = newTokenSecret('agent');
    return this.#store.write((tx) => {
      for (const { token } of unrevokedOfAgent(tx, agentId)) this.#revokeIn(tx, token, caller);
      this.#insertIn(tx, { name: `agent ${agentId}`, role: 'agent', agentId, projectId, expiresAt: null }, secret, caller);
      return secret;
    });
  }

  /** Ends every token of an agent. */
  revokeAgentTokens(agentId: AgentId, caller: Caller): Promise<void> {
    return this.#store.write((tx) => {
      for (const { token } of unrevokedOfAgent(tx, agentId)) this.#revokeIn(tx, token, caller);
    });
  }

  /** Ends timers and listeners. Tokens stay. */
  dispose(): void {
    clearTimeout(this.#expiryTimer);
    this.#expiryTimer = undefined;
    this.#live.clear();
    this.#revoked.dispose();
    this.#changed.dispose();
  }

  #tokenIn(tx: Tx, id: TokenId): StoredToken {
    const stored = tokenById(tx, id);
    if (stored) return stored;
    throw new AppError('NOT_FOUND', `There is no token ${id}. List the tokens to see which there are.`, { data: { id } });
  }

  #insertIn(
    tx: Tx,
    about: Pick<AccessToken, 'name' | 'role' | 'agentId' | 'projectId' | 'expiresAt'>,
    secret: string,
    caller: Caller,
  ): AccessToken {
    const token: AccessToken = { id: TokenId.parse(mintId('tok')), ...about, createdAt: this.#now(), revokedAt: null };
    const stored = { token, hash: hashToken(secret) };
    insertToken(tx, stored);
    tx.record(
      event({ projectId: token.projectId, actor: caller.actor, door: caller.door, subject: token.id }, 'token.created', {
        token,
      }),
    );
    tx.afterCommit(() => {
      this.#remember(stored);
      this.#armExpiry();
    });
    return token;
  }

  #revokeIn(tx: Tx, token: AccessToken, caller: Caller): AccessToken {
    const revokedAt = this.#now();
    markRevoked(tx, token.id, revokedAt);
    tx.record(
      event({ projectId: token.projectId, actor: caller.actor, door: caller.door, subject: token.id }, 'token.revoked', {
        revokedAt,
      }),
    );
    tx.afterCommit(() => this.#forget(token.id));
    return { ...token, revokedAt };
  }

  #remember({ token, hash }: StoredToken): void {
    this.#live.set(keyOf(hash), { principal: principalFor(token), expiresAt: token.expiresAt });
  }

  #forget(id: TokenId): void {
    for (const [key, { principal }] of this.#live) {
      if (principal.tokenId === id) this.#live.delete(key);
    }
    this.#revoked.fire(id);
  }

  /** Waits for the next token to expire, so that what it opened is closed then and not at its next call. */
  #armExpiry(): void {
    clearTimeout(this.#expiryTimer);
    this.#expiryTimer = undefined;
    const next = Math.min(...[...this.#live.values()].map(({ expiresAt }) => expiresAt ?? Infinity));
    if (next === Infinity) return;
    this.#expiryTimer = setTimeout(
      () => {
        const now = this.#now();
        for (const { principal, expiresAt } of [...this.#live.values()]) {
          if (principal.tokenId !== null && expiresAt !== null && expiresAt <= now) this.#forget(principal.tokenId);
        }
        this.#armExpiry();
      },
      // At least a millisecond: a clock that lags behind the timer must not make it spin.
      Math.min(Math.max(next - this.#now(), 1), MAX_TIMER_MS),
    );
    this.#expiryTimer.unref();
  }
}
