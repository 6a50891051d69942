/** Files that go with a message, by reference: where each is, and what it must be when it is read. */
import * as z from 'zod';
import { AttachmentId } from '#shared/kernel/ids.ts';
import { isPlainName } from '#shared/kernel/plain-name.ts';

/** Most files that go with one message. */
export const MAX_ATTACHMENTS = 20;

/** Largest file that goes with a message, in bytes: 64 MB. */
export const MAX_ATTACHMENT_BYTES = 64 * 1024 * 1024;

/** The name of a file: what a person sees and a download is called. Never a way to a place. */
export const AttachmentName = z
  .string()
  .min(1)
  .max(255)
  // oxlint-disable-next-line no-control-regex -- names with control characters deceive whoever reads them
  .regex(/^(?!\.{1,2}$)[^/\\\u0000-\u001f\u007f]+$/, 'must be a file name without slashes and control characters')
  .refine((name) => name.isWellFormed() && isPlainName(name), 'must be text that shows as it is written');

/** What a file holds, as a media type such as text/plain. */
export const MediaType = z
  .string()
  .max(127)
  .regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/, 'must be a media type such as "text/plain"');

/** A file that is to go with a message: one in the sender's workspace, or one that put_attachment stored. */
export const AttachmentInput = z
  .union([
    z.strictObject({
      path: z.string().min(1).max(4096).describe('A file in your workspace, relative to it'),
      name: AttachmentName.optional(),
      mediaType: MediaType.optional(),
    }),
    z.strictObject({
      attachmentId: AttachmentId.describe('The id that put_attachment answered'),
      name: AttachmentName.optional(),
    }),
  ])
  .describe(
    '{"path": "out/report.txt"} names a file in your workspace; {"attachmentId": "att_…"} one that put_attachment stored',
  );
/** A file that is to go with a message. */
export type AttachmentInput = z.infer<typeof AttachmentInput>;

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
