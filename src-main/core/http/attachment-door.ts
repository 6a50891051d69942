/**
 * Attachments as bytes: uploads that are too large for JSON, and downloads. Beside the contract's own routes on the main port;
 * who may do it stands in the contract all the same.
 *
 *   POST /api/v1/attachments?name=NAME[&mediaType=TYPE][&projectId=ID]   the bytes as the body, of any content-type but JSON
 *   GET  /api/v1/messages/{id}/attachments/{index}/file                  the bytes, always as a download
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import type { StoredAttachment } from '#shared/attachments/contract.ts';
import { attachmentsContract } from '#shared/attachments/contract.ts';
import { refusalFor } from '#shared/auth/authorise.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { MessageId, ProjectId } from '#shared/kernel/ids.ts';
import type { ProcedureMeta } from '#shared/kernel/procedure.ts';
import type { Attachment } from '#shared/messages/attachment.ts';
import { AttachmentName, MAX_ATTACHMENT_BYTES, MediaType } from '#shared/messages/attachment.ts';
import type { FileHandle } from 'node:fs/promises';
import type { Caller } from '#core/caller.ts';
import { sendJson } from './respond.ts';

/** What keeps the files. */
export interface AttachmentFiles {
  store(
    file: {
      readonly name: string;
      readonly mediaType?: string | undefined;
      readonly projectId?: ProjectId | undefined;
      readonly chunks: AsyncIterable<Uint8Array>;
    },
    caller: Caller,
  ): Promise<StoredAttachment>;
  read(
    messageId: MessageId,
    index: number,
    caller: Caller,
  ): Promise<{
    readonly attachment: Attachment;
    readonly handle: FileHandle;
    readonly bytes: number;
    readonly isChanged: boolean;
  }>;
}

const UPLOAD_PATH = '/api/v1/attachments';
const DOWNLOAD_PATH = /^\/api\/v1\/messages\/(msg_[0-9a-f-]{36})\/attachments\/(\d{1,2})\/file$/;

const UploadQuery = z.strictObject({
  name: AttachmentName,
  mediaType: MediaType.optional(),
  projectId: ProjectId.optional(),
});

/** Serves uploads and downloads. */
export class AttachmentDoor {
  readonly #files: AttachmentFiles;

  constructor(files: AttachmentFiles) {
    this.#files = files;
  }

  /** Whether a request is for this door. */
  knows(request: IncomingMessage, url: URL): boolean {
    if (DOWNLOAD_PATH.test(url.pathname)) return request.method === 'GET';
    return url.pathname === UPLOAD_PATH && request.method === 'POST' && !isJson(request);
  }

  /** Answers one. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL, caller: Caller): Promise<void> {
    const download = DOWNLOAD_PATH.exec(url.pathname);
    if (download) await this.#download(response, MessageId.parse(download[1]), Number(download[2]), caller);
    else await this.#upload(request, response, url, caller);
  }

  async #upload(request: IncomingMessage, response: ServerResponse, url: URL, caller: Caller): Promise<void> {
    requireRole(caller, attachmentsContract.put['~orpc'].meta);
    const query = UploadQuery.safeParse(Object.fromEntries(url.searchParams));
    if (!query.success) {
      const [issue] = query.error.issues;
      throw new AppError(
        'BAD_REQUEST',
        `The query needs name=FILENAME: "${issue?.path.join('.') ?? ''}" ${issue?.message ?? 'is wrong'}.`,
        {
          data: { field: String(issue?.path[0] ?? 'name') },
        },
      );
    }
    // Who says beforehand that it is too large is spared the sending; what remains unread is closed with the answer.
    if (Number(request.headers['content-length'] ?? 0) > MAX_ATTACHMENT_BYTES) {
      response.setHeader('connection', 'close');
      throw new AppError('PAYLOAD_TOO_LARGE', `The file has more than ${MAX_ATTACHMENT_BYTES} bytes. Nothing was stored.`, {
        data: { limitBytes: MAX_ATTACHMENT_BYTES },
      });
    }
    try {
      const stored = await this.#files.store({ ...query.data, chunks: chunksOf(request) }, caller);
      sendJson(response, 200, stored);
    } catch (error) {
      if (!request.complete && !response.headersSent) response.setHeader('connection', 'close');
      throw error;
    }
  }

  async #download(response: ServerResponse, messageId: MessageId, index: number, caller: Caller): Promise<void> {
    requireRole(caller, attachmentsContract.get['~orpc'].meta);
    const { attachment, handle, bytes, isChanged } = await this.#files.read(messageId, index, caller);
    try {
      // Whatever it is, no browser takes it for a page of ours: a download of bytes, without a type to run by.
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-disposition': dispositionOf(attachment.name),
        'content-security-policy': "default-src 'none'; sandbox",
        'x-quarterdeck-changed': String(isChanged),
        'content-length': bytes,
      });
      // No more than was said: a file that grows meanwhile would break the answer.
      if (bytes === 0) response.end();
      else await pipeline(handle.createReadStream({ start: 0, end: bytes - 1, autoClose: false }), response);
    } catch (error) {
      // The client has gone away, or the file became shorter: there is no answer left to give.
      if (!response.headersSent) throw error;
      response.destroy();
    } finally {
      await handle.close();
    }
  }
}

function isJson(request: IncomingMessage): boolean {
  return request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() === 'application/json';
}

function requireRole(caller: Caller, meta: ProcedureMeta): void {
  const refusal = refusalFor(caller.role, meta);
  if (refusal !== undefined) throw new AppError('FORBIDDEN', `${meta.tool ?? 'This'} ${refusal.reason}.`);
}

/** Leaving the loop must not destroy the request: its socket carries the answer. */
async function* chunksOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  for await (const chunk of request.iterator({ destroyOnReturn: false })) if (chunk instanceof Uint8Array) yield chunk;
  if (!request.complete) throw new AppError('BAD_REQUEST', 'The upload ended before its end. Nothing was stored.');
}

/** Content-Disposition (RFC 6266): the name as it is in UTF-8, and for old clients without what they may misread. */
function dispositionOf(name: string): string {
  const plain = name.replaceAll(/[^\w. -]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
