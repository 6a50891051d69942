/** What the journal says about images. The subject is the image's reference. */
import * as z from 'zod';

/** Data of each journal event about images, by kind. */
export const runtimeEvents = {
  'image.made': z.object({ id: z.string(), kind: z.enum(['build', 'pull']), tookMs: z.number() }),
};
