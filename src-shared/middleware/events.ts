/** What the journal says about middleware. No text of a message is ever in it. */
import * as z from 'zod';
import { MiddlewareChain } from './model.ts';

/** Data of each journal event about middleware, by kind. */
export const middlewareEvents = {
  /** The subject is the project's id. */
  'middleware.changed': z.object({ revision: z.number().int(), chain: MiddlewareChain }),
  /** The operator accepted a module as it was then. The subject is its name. */
  'middleware.module-accepted': z.object({ sha256: z.string(), before: z.string().nullable() }),
  /**
   * A step refused messages of a sender, who is the subject. The first is told at once, the further ones of a minute together.
   * `reason` is of the newest.
   */
  'middleware.refused': z.object({
    step: z.string(),
    kind: z.string(),
    reason: z.string(),
    count: z.number().int(),
    firstAt: z.number().int(),
    lastAt: z.number().int(),
  }),
  /** A module failed; told as refusals are, also where the message went on. The subject is the step. */
  'middleware.module-failed': z.object({
    module: z.string(),
    problem: z.string(),
    count: z.number().int(),
    firstAt: z.number().int(),
    lastAt: z.number().int(),
  }),
  /** A message that an audit step looked at was sent; the subject is its id. */
  'middleware.audited': z.object({
    step: z.string(),
    from: z.string(),
    kind: z.string(),
    /** What the steps before did with it, where they did something. */
    did: z.array(z.object({ step: z.string(), outcome: z.string(), detail: z.string() })),
  }),
};
