/** Procedures about files that go with messages. Who may read one follows from the message that carries it. */
import * as z from 'zod';
import { AttachmentId, MessageId, ProjectId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { Attachment, AttachmentName, MAX_ATTACHMENTS, MediaType } from '#shared/messages/attachment.ts';

/** Longest content of one call, in characters of Base64: with what is around it, a call has 1 MB at most. */
export const MAX_CONTENT_CHARS = 1_000_000;
/** Most bytes of a file in one answer. */
export const MAX_READ_BYTES = 512 * 1024;

/** A file that was stored. */
export const StoredAttachment = z.object({
  attachmentId: AttachmentId,
  name: z.string(),
  bytes: z.number().int(),
  sha256: z.string(),
  mediaType: z.string(),
});
/** A file that was stored. */
export type StoredAttachment = z.infer<typeof StoredAttachment>;

/** Procedures about files that go with messages. */
export const attachmentsContract = {
  put: procedure(command('put_attachment', 'LOW', { audience: 'both' }), {
    method: 'POST',
    path: '/attachments',
    summary: 'Store a file to send with messages',
    description:
      'Stores a file of up to 750 KB and returns its id: name it in send_message as attachments: [{"attachmentId": id}]. A file in your workspace needs no storing: send it as {"path": "relative/path"}. It is removed a day later when no message carries it. Larger ones, up to 64 MB, go over REST: POST /api/v1/attachments?name=NAME with the bytes as the body and content-type application/octet-stream.',
  })
    .input(
      z.strictObject({
        name: AttachmentName.describe('File name, without folders'),
        content: z.string().max(MAX_CONTENT_CHARS).describe('The bytes, as Base64'),
        mediaType: MediaType.optional().describe('For example text/plain; by the name unless stated'),
        projectId: ProjectId.optional().describe('Only for management, when more than one project is open'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(StoredAttachment),

  get: procedure(query('get_attachment', 'agent-core', 'both'), {
    method: 'GET',
    path: '/messages/{messageId}/attachments/{index}',
    summary: 'Read a file that came with a message',
    description:
      'Returns a piece of an attachment of a message that you sent or were sent: as text where it is text, else as Base64. index counts from 0 in the message\'s "attachments". Go on with "next" as offset until it is null. isChanged says that a file in the sender\'s workspace is not any more what it was when it was sent.',
  })
    .input(
      z.strictObject({
        messageId: MessageId,
        index: z
          .number()
          .int()
          .min(0)
          .max(MAX_ATTACHMENTS - 1),
        offset: z.number().int().min(0).default(0).describe('In bytes'),
        maxBytes: z
          .number()
          .int()
          .min(4)
          .max(MAX_READ_BYTES)
          .default(64 * 1024),
      }),
    )
    .output(
      z.object({
        attachment: Attachment,
        content: z.string(),
        encoding: z.enum(['utf8', 'base64']),
        offset: z.number().int(),
        next: z.number().int().nullable().describe('State it in "offset" for what follows; null at the end'),
        isChanged: z.boolean().describe('true: this is not the file as it was sent'),
      }),
    ),
};
