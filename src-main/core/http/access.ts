/** Who calls over HTTP: from a bearer token or, for browsers on the main port, a cookie. A token in a query string is never taken. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isAbsolute } from 'node:path';
import type { Door } from '#shared/auth/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { AGENT_HEADER, GATEWAY_HEADER } from '#shared/gateway/model.ts';
import type { AgentId, TokenId } from '#shared/kernel/ids.ts';
import { AgentId as AgentIdSchema } from '#shared/kernel/ids.ts';
import type { Caller, Principal } from '#core/caller.ts';

/** What the doors need of the auth service. */
export interface Gatekeeper {
  /** Who a token or a browser's session belongs to; undefined when it is unknown, expired or revoked. */
  principalOf(secret: string): Principal | undefined;
  /** Exchanges a one-time login code for a browser's session. */
  redeemLoginCode(code: string): Promise<{ secret: string; expiresAt: number } | undefined>;
  onRevoked(listener: (tokenId: TokenId) => void): Disposable;
  /** Tells of each token that has another role now. */
  onRoleChanged(listener: (tokenId: TokenId) => void): Disposable;
}

/** A request whose token was checked. */
export interface Visitor {
  readonly principal: Principal;
  readonly secret: string;
  /** Whether it came by cookie: a browser. */
  readonly isBrowser: boolean;
  /** Set for who came without a token: when what it opened is closed, in ms since the epoch. */
  readonly until?: number;
}

/**
 * Name of the cookie of a browser's session. It carries the port: browsers do not separate cookies by port, and two cores
 * on one machine would overwrite each other's login.
 */
export function sessionCookieName(port: number | undefined): string {
  return `qd_session_${port ?? 0}`;
}

/** Names under which people put tokens into addresses, where they end up in logs and histories. */
const TOKEN_PARAMETERS: ReadonlySet<string> = new Set([
  'token',
  'access_token',
  'auth_token',
  'api_key',
  'apikey',
  'authorization',
  'bearer',
  'secret',
]);

/** Fails when the address carries a token. */
export function refuseQueryTokens(url: URL): void {
  for (const name of url.searchParams.keys()) {
    if (TOKEN_PARAMETERS.has(name.toLowerCase())) {
      throw new AppError(
        'BAD_REQUEST',
        `A token in an address is not accepted, because addresses end up in logs: leave out "${name}" and send the header "Authorization: Bearer <token>".`,
      );
    }
  }
}

/** How a port lets callers in. */
export interface Admission {
  readonly cookie: boolean;
  /** Whose port it is: decides what a caller without a token is told. */
  readonly side: 'manage' | 'agent';
}

/** Finds out who calls. Fails with UNAUTHORIZED, saying what to do. */
export function authenticate(request: IncomingMessage, gatekeeper: Gatekeeper, allow: Admission): Visitor {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const secret = /^Bearer +([^\s]+)$/i.exec(authorization)?.[1];
    if (secret === undefined) throw new AppError('UNAUTHORIZED', 'The Authorization header must have the form "Bearer <token>".');
    const principal = gatekeeper.principalOf(secret);
    if (principal === undefined)
      throw new AppError(
        'UNAUTHORIZED',
        'This token is not known, or it was revoked or has expired. The operator\'s token is in the file "operator-token" of the data folder.',
      );
    return { principal, secret, isBrowser: false };
  }
  const session = allow.cookie ? cookieOf(request, sessionCookieName(request.socket.localPort)) : undefined;
  const principal = session === undefined ? undefined : gatekeeper.principalOf(session);
  if (session === undefined || principal === undefined) {
    throw new AppError(
      'UNAUTHORIZED',
      allow.side === 'manage'
        ? `Send the header "Authorization: Bearer <token>"; the operator's token is in the file "operator-token" of the data folder.${allow.cookie ? ' In a browser, open the login link that Quarterdeck printed.' : ''}`
        : 'Send the header "Authorization: Bearer <token>" with the agent\'s token (QUARTERDECK_AGENT_TOKEN).',
    );
  }
  return { principal, secret: session, isBrowser: true };
}

/** What the agent port knows of the gateway. */
export interface GatewayGate {
  /** The word that only core and gateway know; undefined: nobody is the gateway. */
  readonly word: string | undefined;
  /** Whether an agent is in a box: then it calls through the gateway, and its token opens nothing anywhere else. */
  isContained(id: AgentId): boolean;
}

/** How a request came to the agent port: directly, through an agent's own socket, or claiming so falsely. */
export type Way =
  | { readonly via: 'port' }
  | { readonly via: 'gateway'; readonly agentId: AgentId }
  | { readonly via: 'impostor'; readonly reason: string };

/** How a request came. Agents cannot send the headers that say so: the gateway removes them from what they send. */
export function wayOf(request: IncomingMessage, gate: GatewayGate): Way {
  const { [GATEWAY_HEADER]: word, [AGENT_HEADER]: through } = request.headers;
  if (word === undefined && through === undefined) return { via: 'port' };
  if (!isWord(word, gate.word)) return { via: 'impostor', reason: 'a request claimed to come from the gateway and did not' };
  const id = AgentIdSchema.safeParse(through);
  return id.success ? { via: 'gateway', agentId: id.data } : { via: 'impostor', reason: 'the gateway named no agent' };
}

/** Why a good token may not come this way; undefined when it may. */
export function refusalOfWay(way: Way, { agentId }: Principal, gate: GatewayGate): string | undefined {
  if (way.via === 'impostor') return way.reason;
  if (way.via === 'port')
    return agentId !== undefined && gate.isContained(agentId)
      ? `the token of agent "${agentId}", which is contained, was used outside its box`
      : undefined;
  if (way.agentId === agentId) return undefined;
  const whose = agentId === undefined ? "a token that is no agent's" : `the token of agent "${agentId}"`;
  return `agent "${way.agentId}" used ${whose}: impersonation`;
}

function isWord(given: string | readonly string[] | undefined, word: string | undefined): boolean {
  if (typeof given !== 'string' || word === undefined) return false;
  // Of one length whatever was given, so that the time tells nothing.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(word));
}

/** The caller for services: who, through which door, and the folder it stands in when it says so. */
export function callerOf(visitor: Visitor, door: Door, request: IncomingMessage): Caller {
  const { actor, role, agentId } = visitor.principal;
  const folder = folderOf(request);
  return { actor, role, door, ...(agentId === undefined ? {} : { agentId }), ...(folder === undefined ? {} : { folder }) };
}

/** The door of a request on the main port: the CLI says so itself, a cookie is a browser, all else a program. */
export function doorOf(visitor: Visitor, request: IncomingMessage): Door {
  if (visitor.isBrowser) return 'web';
  return request.headers['x-quarterdeck-client'] === 'cli' ? 'cli' : 'rest';
}

/** Longest path in characters (PATH_MAX of Linux). */
const MAX_PATH = 4_096;

function folderOf(request: IncomingMessage): string | undefined {
  const header = request.headers['x-quarterdeck-folder'];
  if (typeof header !== 'string') return undefined;
  try {
    const folder = decodeURIComponent(header);
    if (isAbsolute(folder) && folder.length <= MAX_PATH && !folder.includes('\0')) return folder;
  } catch {
    // Not URI-encoded: falls through to the refusal.
  }
  throw new AppError('BAD_REQUEST', 'The header "x-quarterdeck-folder" must be an absolute path, URI-encoded.');
}

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
