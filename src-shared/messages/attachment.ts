/** Files that go with a message, by reference: where each is, and what it must be when it is read. */
import * as z from 'zod';
import { AttachmentId } from '#shared/kernel/ids.ts';

/** Most files that go with one message. */
export const MAX_ATTACHMENTS = 20;

/** Where an attachment's file is: in the workspace, by a path relative to it, or kept in the data folder. */
export const AttachmentSource = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('workspace'), path: z.string().min(1).max(4096).describe('Relative to the workspace') }),
  z.object({ kind: z.literal('stored'), id: AttachmentId }),
]);
/** Where an attachment's file is. */
export type AttachmentSource = z.infer<typeof AttachmentSource>;

/** A file that goes with a message. */
export const Attachment = z.object({
  name: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^/\\\0]+$/, 'must be a file name without slashes'),
  source: AttachmentSource,
  bytes: z.number().int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
  mediaType: z.string().min(1).max(127),
});
/** A file that goes with a message. */
export type Attachment = z.infer<typeof Attachment>;
