/** What the journal says about boundaries. The subject is the agent's id. */
import * as z from 'zod';
import { Boundary } from '#shared/runtimes/model.ts';

/** Data of each journal event about boundaries, by kind. */
export const boundaryEvents = {
  'boundary.proved': z.object({ proofId: z.string(), kind: z.enum(['launch', 'exhaustion']), checks: z.number().int() }),
  'boundary.failed': z.object({ proofId: z.string(), kind: z.enum(['launch', 'exhaustion']), problem: z.string() }),
  /** Somebody in a stronger boundary asked for something that a weaker one would have done. */
  'boundary.refused': z.object({
    /** What was asked for: a task for a host worker, a spawn. */
    asked: z.string(),
    from: Boundary,
    to: Boundary,
    reason: z.string(),
  }),
  /** An operator had something done nevertheless that came from somebody in a stronger boundary. */
  'boundary.accepted': z.object({ asked: z.string(), from: Boundary, to: Boundary }),
};
