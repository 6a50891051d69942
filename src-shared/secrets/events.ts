/** What the journal says about secrets: their names, never their values. */
import * as z from 'zod';

/** Data of each journal event about secrets, by kind. The subject is the secret's name. */
export const secretEvents = {
  'secret.set': z.object({ isNew: z.boolean() }),
  'secret.removed': z.object({}),
};
