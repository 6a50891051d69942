/** Procedures about access. */
import * as z from 'zod';
import { TokenId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { DurationMs } from '#shared/kernel/units.ts';
import { AccessToken, Actor, Door, MintableRole, Role } from './model.ts';

/** Procedures about access. */
export const authContract = {
  whoami: procedure(query('whoami', 'full', 'both'), {
    method: 'GET',
    path: '/auth/whoami',
    summary: 'Who am I',
    description: 'Returns who the token belongs to, its role, and the door this call came through.',
  })
    .input(z.strictObject({}))
    .output(z.object({ actor: Actor, role: Role, door: Door })),

  createLoginLink: procedure(
    { ...command(undefined, 'HIGH', { role: 'operator' }), hasSecretResult: true },
    {
      method: 'POST',
      path: '/auth/login-links',
      summary: 'Make a one-time login link for a browser',
      description: 'Returns a link that logs one browser in, once, within ten minutes.',
    },
  )
    .input(z.strictObject({ idempotencyKey: IdempotencyKey.optional() }))
    .output(z.object({ url: z.string(), expiresAt: z.number().int() })),

  createToken: procedure(
    { ...command(undefined, 'HIGH', { role: 'operator' }), hasSecretResult: true },
    {
      method: 'POST',
      path: '/auth/tokens',
      summary: 'Make an access token',
      description:
        'Makes a token for a script, a second screen or another program. The token itself is returned this one time; only its hash is kept.',
    },
  )
    .input(
      z.strictObject({
        name: z.string().min(1).max(80).describe('What it is for'),
        role: MintableRole,
        ttlMs: DurationMs.optional().describe('How long it is valid; for ever when left out'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(z.object({ token: AccessToken, secret: z.string() })),

  listTokens: procedure(
    { ...query(undefined), role: 'operator' },
    {
      method: 'GET',
      path: '/auth/tokens',
      summary: 'List access tokens',
      description: 'Lists access tokens, revoked ones included, the newest first.',
    },
  )
    .input(z.strictObject({ limit: z.number().int().min(1).max(500).default(100) }))
    .output(z.object({ tokens: z.array(AccessToken) })),

  changeTokenRole: procedure(command(undefined, 'HIGH', { role: 'operator' }), {
    method: 'PATCH',
    path: '/auth/tokens/{id}',
    summary: 'Change what an access token may',
    description:
      'Gives a token another role, from its next call on. Clients of MCP that stay connected are told that their tools are others now; windows are closed and connect again. Tokens of agents and of browser logins keep their role.',
  })
    .input(z.strictObject({ id: TokenId, role: MintableRole }))
    .output(AccessToken),

  revokeToken: procedure(command(undefined, 'HIGH', { role: 'operator' }), {
    method: 'DELETE',
    path: '/auth/tokens/{id}',
    summary: 'Revoke an access token',
    description: 'Ends a token at once; connections that use it are closed. Repeating it is harmless.',
  })
    .input(z.strictObject({ id: TokenId }))
    .output(AccessToken),
};
