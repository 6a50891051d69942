/** Secrets: kept encrypted, named, never shown again. */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';

/** Name of a secret, like an environment variable. */
export const SecretName = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'must be a name such as OPENAI_API_KEY');

/** A secret as it is shown: never its value. */
export const SecretInfo = z.object({
  projectId: ProjectId,
  name: SecretName,
  createdAt: z.number().int(),
  updatedAt: z.number().int(),
});
/** A secret as it is shown. */
export type SecretInfo = z.infer<typeof SecretInfo>;
