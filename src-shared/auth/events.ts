/** What the journal says about access: tokens made and revoked, browser logins, calls refused. */
import * as z from 'zod';
import { AccessToken } from './model.ts';

/** Data of each journal event about access, by kind. The subject is the token's id, or the procedure that was refused. */
export const authEvents = {
  'token.created': z.object({ token: AccessToken }),
  'token.revoked': z.object({ revokedAt: z.number().int() }),
  'login.completed': z.object({}),
  'access.refused': z.object({ procedure: z.string(), reason: z.string() }),
};
