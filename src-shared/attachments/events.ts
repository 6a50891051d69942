/** What the journal says about stored files. The subject is the attachment's id. */
import * as z from 'zod';

/** Data of each journal event about stored files, by kind. */
export const attachmentEvents = {
  'attachment.stored': z.object({ name: z.string(), bytes: z.number().int(), sha256: z.string() }),
};
