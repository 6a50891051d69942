/** What the journal says about itself. */
import * as z from 'zod';

/** Data of each journal event about the journal, by kind. The subject is "journal". */
export const journalEvents = {
  /** At its start the core found that the end of the journal was not the one it had left: rows are gone, or the head file is. */
  'journal.fault-found': z.object({
    /** Number in the head file; null when it could not be read. */
    headSeq: z.number().int().nullable(),
    /** Number of the last row that was there. */
    foundSeq: z.number().int(),
    detail: z.string(),
  }),
};
