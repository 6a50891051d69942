/** A session: one run of the crew. It ends at a clean end of the core; after a crash it goes on. */
import * as z from 'zod';
import { ProjectId, SessionId } from '#shared/kernel/ids.ts';

/** A session. */
export const Session = z.object({
  id: SessionId,
  projectId: ProjectId,
  startedAt: z.number().int(),
  endedAt: z.number().int().nullable(),
});
/** A session. */
export type Session = z.infer<typeof Session>;
