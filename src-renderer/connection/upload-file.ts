/** Bytes of a file to the core: over HTTP in a browser, where they may be many and progress is told; in a call in the desktop app. */
import * as z from 'zod';
import type { StoredAttachment } from '#shared/attachments/contract.ts';
import { MAX_CONTENT_CHARS, StoredAttachment as StoredAttachmentSchema } from '#shared/attachments/contract.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { MAX_ATTACHMENT_BYTES } from '#shared/messages/attachment.ts';
import type { CoreClient } from './line.ts';

/** Whether the page came from the core over HTTP: then there is a door for large files. */
const HAS_DOOR = location.protocol.startsWith('http');

/** Largest file that can be sent from this window, in bytes. Base64 makes four characters of three bytes. */
export const MAX_UPLOAD_BYTES = HAS_DOOR ? MAX_ATTACHMENT_BYTES : Math.floor(MAX_CONTENT_CHARS / 4) * 3;

/** What an upload needs. */
export interface FileUpload {
  readonly file: File;
  readonly name: string;
  /** Whose it is counted to; the project opened last unless stated. */
  readonly projectId: ProjectId | undefined;
  readonly client: () => { readonly attachments: Pick<CoreClient['attachments'], 'put'> };
  readonly signal: AbortSignal;
  /** Told how much of it was sent, 0 to 1. */
  readonly onProgress: (share: number) => void;
}

const Refusal = z.object({ message: z.string() });

/** Stores a file. Rejects with a sentence that says why it was not; when `signal` is aborted, with anything. */
export function uploadFile(upload: FileUpload): Promise<StoredAttachment> {
  return HAS_DOOR ? byHttp(upload) : byCall(upload);
}

async function byCall({ file, name, projectId, client, signal }: FileUpload): Promise<StoredAttachment> {
  const content = await base64Of(file);
  signal.throwIfAborted();
  return client().attachments.put({ name, content, ...(projectId === undefined ? {} : { projectId }) }, { signal });
}

function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => {
      const url = typeof reader.result === 'string' ? reader.result : '';
      resolve(url.slice(url.indexOf(',') + 1));
    });
    reader.addEventListener('error', () => reject(new Error('The file could not be read')));
    reader.readAsDataURL(file);
  });
}

/** `fetch` tells nobody how much of a body was sent: the older way does. */
function byHttp({ file, name, projectId, signal, onProgress }: FileUpload): Promise<StoredAttachment> {
  const query = new URLSearchParams({ name, ...(projectId === undefined ? {} : { projectId }) });
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const fail = (text: string): void => reject(new Error(text));
    request.open('POST', `/api/v1/attachments?${query.toString()}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total));
    request.addEventListener('load', () => {
      try {
        const answer: unknown = JSON.parse(request.responseText);
        if (request.status === 200) resolve(StoredAttachmentSchema.parse(answer));
        else fail(Refusal.parse(answer).message);
      } catch (error) {
        fail(`The core answered ${request.status}, which is not understood (${messageOf(error)})`);
      }
    });
    request.addEventListener('error', () => fail('It could not be read, or the core was not reached. Nothing was stored.'));
    request.addEventListener('abort', () => fail('It was given up.'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    // Whatever it says it is: bytes. The core tells the type by the name.
    request.send(file.slice(0, file.size, 'application/octet-stream'));
  });
}
