/** What the journal says about retention. The subject is the project. */
import * as z from 'zod';
import { RetentionPolicy, RetentionReport } from './model.ts';

/** Data of each journal event about retention, by kind. */
export const retentionEvents = {
  'retention.policy-set': z.object({ policy: RetentionPolicy }),
  /** Messages were removed, and what the journal had of their text. `isCut`: it was broken off, and what it did until then is told. */
  'retention.applied': z.object({ report: RetentionReport, isCut: z.boolean(), removedMirrors: z.array(z.string()) }),
};
