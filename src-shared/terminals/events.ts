/** What the journal says about terminals: who had control, and that somebody typed, never what. */
import * as z from 'zod';
import { Actor, Door } from '#shared/auth/model.ts';

/** Data of each journal event about terminals, by kind. The subject is the agent's id. */
export const terminalEvents = {
  /** Somebody typed into the terminal; written at the first byte, and again after a minute of silence. */
  'terminal.typed': z.object({ window: z.string() }),

  /** Somebody took control, so that only they can type; `from` is who had it before, when it was taken away by force. */
  'terminal.control-taken': z.object({
    window: z.string(),
    from: z.object({ actor: Actor, door: Door, name: z.string() }).nullable(),
  }),

  /**
   * Control is free again. `reason`: given back, the view was closed, its connection was lost and did not come back, or the
   * agent ended.
   */
  'terminal.control-released': z.object({ window: z.string(), reason: z.enum(['released', 'closed', 'lost', 'ended']) }),
};
