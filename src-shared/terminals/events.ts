/** What the journal says about terminals: that somebody typed, never what. */
import * as z from 'zod';

/** Data of each journal event about terminals, by kind. The subject is the agent's id. */
export const terminalEvents = {
  /** Somebody typed into the terminal; written at the first byte, and again after a minute of silence. */
  'terminal.typed': z.object({ window: z.string() }),
};
