/** Procedures about sessions. */
import * as z from 'zod';
import { procedure, query } from '#shared/kernel/procedure.ts';
import { Session } from './model.ts';

/** Procedures about sessions. */
export const sessionsContract = {
  list: procedure(query('list_sessions'), {
    method: 'GET',
    path: '/sessions',
    summary: 'List sessions',
    description: 'Lists the runs of the crew, the newest first.',
  })
    .input(z.strictObject({ limit: z.number().int().min(1).max(500).default(50) }))
    .output(z.object({ sessions: z.array(Session) })),
};
