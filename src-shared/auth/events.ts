/** What the journal says about access: tokens made, given another role and revoked, browser logins, calls refused. */
import * as z from 'zod';
import { AccessToken, Role } from './model.ts';

/** Data of each journal event about access, by kind. The subject is the token's id, or the procedure that was refused. */
export const authEvents = {
  'token.created': z.object({ token: AccessToken }),
  'token.role-changed': z.object({ role: Role, before: Role }),
  'token.revoked': z.object({ revokedAt: z.number().int() }),
  'login.completed': z.object({}),
  'access.refused': z.object({ procedure: z.string(), reason: z.string() }),
};
