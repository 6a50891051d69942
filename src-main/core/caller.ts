/** Who a token belongs to, and who calls: made by the doors from a token, carried through every service into the journal. */
import type { Actor, Door, Role } from '#shared/auth/model.ts';
import type { AgentId, TokenId } from '#shared/kernel/ids.ts';

/** Who a token speaks for. */
export interface Principal {
  readonly actor: Actor;
  readonly role: Role;
  /** Null for the operator's own token, which is no row. */
  readonly tokenId: TokenId | null;
  /** Set when it is an agent's token. */
  readonly agentId?: AgentId;
}

/** A caller whose token was checked. */
export interface Caller {
  readonly actor: Actor;
  readonly role: Role;
  readonly door: Door;
  /** Set when the caller is an agent. */
  readonly agentId?: AgentId;
  /** The folder the caller stands in, when it said so (CLI, stdio MCP): the project for spawns that name none. */
  readonly folder?: string;
}

/** The core acting by itself. */
export const CORE: Caller = { actor: { kind: 'system', id: 'core' }, role: 'operator', door: 'core' };

/** The operator at the window of the desktop app. */
export const DESKTOP_OPERATOR: Caller = { actor: { kind: 'operator', id: 'operator' }, role: 'operator', door: 'desktop' };
