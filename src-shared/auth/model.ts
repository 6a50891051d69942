/** Who may call what. The rule itself is `refusalFor` in ./authorise.ts; the doors ask it for every call. */
import * as z from 'zod';
import { ProjectId, TokenId } from '#shared/kernel/ids.ts';

/** The roles of callers. `applicant` is whoever came to the agent port without a token: no token carries it. */
export const ROLES = ['operator', 'coordinator', 'agent', 'observer', 'automation', 'applicant'] as const;
/** The role of a caller. */
export const Role = z.enum(ROLES);
/** The role of a caller. */
export type Role = z.infer<typeof Role>;

/** Risk of an operation, rising. */
export const RISKS = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;
/** Risk of an operation. */
export const Risk = z.enum(RISKS);
/** Risk of an operation. */
export type Risk = z.infer<typeof Risk>;

/** Which interface an operation belongs to: the managing one, the agents' one, or both. */
export type Audience = 'manage' | 'agent' | 'both';

/** Through which door a call came. `core` is the core itself. */
export const Door = z.enum(['desktop', 'web', 'cli', 'rest', 'mcp', 'agent-mcp', 'core']);
/** Through which door a call came. */
export type Door = z.infer<typeof Door>;

/** Who acts: a person, an agent, a named token, or the core itself. */
export const Actor = z.object({ kind: z.enum(['operator', 'agent', 'token', 'system']), id: z.string() });
/** Who acts. */
export type Actor = z.infer<typeof Actor>;

/** Roles that an operator can mint tokens for. Agents' tokens are made by the core alone. */
export const MintableRole = z.enum(['operator', 'observer', 'automation']);
/** Roles that an operator can mint tokens for. */
export type MintableRole = z.infer<typeof MintableRole>;

/** An access token as it is shown: never the token itself. */
export const AccessToken = z.object({
  id: TokenId,
  projectId: ProjectId,
  name: z.string(),
  role: Role,
  /** Set on agents' tokens. */
  agentId: z.string().nullable(),
  createdAt: z.number().int(),
  expiresAt: z.number().int().nullable(),
  revokedAt: z.number().int().nullable(),
});
/** An access token as it is shown. */
export type AccessToken = z.infer<typeof AccessToken>;
