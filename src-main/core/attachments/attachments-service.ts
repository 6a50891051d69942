/**
 * Files that go with messages: stored ones in the data folder, and files in workspaces by reference.
 * Invariants: a stored file is on the disk before its row; it stays as long as a message carries it, and a day besides; an
 * agent reads what messages brought it, and nothing else.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, AttachmentId, MessageId, ProjectId } from '#shared/kernel/ids.ts';
import { mintId } from '#shared/kernel/ids.ts';
import type { attachmentsContract, StoredAttachment } from '#shared/attachments/contract.ts';
import type { Attachment, AttachmentInput } from '#shared/messages/attachment.ts';
import { AttachmentName, MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS } from '#shared/messages/attachment.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { AppStore } from '#core/reads.ts';
import { audienceOf } from '#shared/auth/authorise.ts';
import {
  dropUncarried,
  findAttachment,
  findCarrier,
  hasContent,
  insertAttachment,
  isCarried,
  isKnownTo,
  storedBytes,
} from './attachments-repository.ts';
import type { Blob } from './blob-store.ts';
import { BlobStore } from './blob-store.ts';
import { mediaTypeOf } from './media-type.ts';
import type { CoreFolders } from './workspace-file.ts';
import { openInside, partsOfPath } from './workspace-file.ts';

/** Most bytes of stored files of one project: 2 GB. */
export const MAX_PROJECT_BYTES = 2 * 1024 * 1024 * 1024;
/** A stored file that no message carries is kept so long, in milliseconds: a day. */
export const UNCARRIED_MS = 24 * 3_600_000;
/** It may be sent until this long before that: no sweep comes between. In milliseconds. */
const MARGIN_MS = 3_600_000;
/** How often what nothing carries is removed, in milliseconds. */
const SWEEP_MS = 3_600_000;
/** Rows that one write of a sweep removes. */
const SWEEP_ROWS = 200;
/** Files are read in pieces of so many bytes. */
const CHUNK_BYTES = 256 * 1024;
/** Hashes that are remembered, so that a file which is read in pieces is not hashed for each. */
const KNOWN_HASHES = 200;
/** A file that was written this long ago has another time when it is written again, in milliseconds: file systems keep 2 s at worst. */
const SETTLED_MS = 3_000;

type Inputs = { [K in keyof typeof attachmentsContract]: Parameters<HandlersOf<typeof attachmentsContract>[K]>[0] };

/** What the service needs. */
export interface AttachmentsOptions {
  readonly store: AppStore;
  /** Folder `attachments` of the data folder. */
  readonly dir: string;
  /** The core's own folders: nothing of them goes with a message. */
  readonly core: CoreFolders;
  /** The folder that an agent works on; undefined when it has none, or none any more. */
  readonly workspaceOf: (id: AgentId) => string | undefined;
  /** The folder of a project; undefined when it is unknown. */
  readonly projectFolder: (id: string) => string | undefined;
  readonly projectOf: (id: AgentId) => ProjectId | undefined;
  /** The project opened last; undefined when there is none. */
  readonly defaultProject: () => ProjectId | undefined;
  readonly log: (message: string, error: unknown) => void;
  readonly now?: () => number;
  /** Of tests; MAX_PROJECT_BYTES unless given. */
  readonly maxProjectBytes?: number;
}

/** What is stored. */
export interface NewAttachment {
  readonly name: string;
  readonly mediaType?: string | undefined;
  readonly projectId?: ProjectId | undefined;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** An attachment that is open to be read; whoever opened it closes it. */
export interface OpenAttachment {
  readonly attachment: Attachment;
  readonly handle: FileHandle;
  /** Bytes of the file as it is now. */
  readonly bytes: number;
  /** Whether it is not what was sent. */
  readonly isChanged: boolean;
}

/** Owns the stored files. */
export class AttachmentsService implements Disposable {
  readonly #o: AttachmentsOptions;
  readonly #blobs: BlobStore;
  readonly #now: () => number;
  readonly #bytes = new Map<string, number>();
  /** Of files as they were when they were read: by device, number, size and times, the one that was asked for last at the end. */
  readonly #hashes = new Map<string, string>();
  #sweeping: ReturnType<typeof setInterval> | undefined;

  constructor(options: AttachmentsOptions) {
    this.#o = options;
    this.#blobs = new BlobStore(options.dir);
    this.#now = options.now ?? Date.now;
  }

  /** Makes the folder and removes what nothing needs. Once, after the store is open. */
  async open(): Promise<void> {
    this.#o.store.peek((db) => storedBytes(db)).forEach(([projectId, bytes]) => this.#bytes.set(projectId, bytes));
    await this.#blobs.open((sha256) => this.#isNeeded(sha256));
    this.#sweeping = setInterval(() => {
      this.sweep().catch((error: unknown) => this.#o.log('stored files were not swept', error));
    }, SWEEP_MS);
    this.#sweeping.unref();
  }

  dispose(): void {
    clearInterval(this.#sweeping);
  }

  /** Stores a file that comes as Base64. BAD_REQUEST when it is none. */
  async put(input: Inputs['put'], caller: Caller): Promise<StoredAttachment> {
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(input.content))
      throw new AppError(
        'BAD_REQUEST',
        '"content" is no Base64 (RFC 4648, with padding and without line breaks). Nothing was stored.',
        {
          data: { field: 'content' },
        },
      );
    return this.store({ ...input, chunks: [Buffer.from(input.content, 'base64')] }, caller);
  }

  /**
   * Stores a file. PAYLOAD_TOO_LARGE beyond MAX_ATTACHMENT_BYTES, BAD_REQUEST without a project, UNAVAILABLE when the
   * project's share or the disk is full; nothing is stored then.
   */
  async store(file: NewAttachment, caller: Caller): Promise<StoredAttachment> {
    const projectId = this.#projectFor(caller, file.projectId);
    if (this.#o.projectFolder(projectId) === undefined)
      throw new AppError('NOT_FOUND', `There is no project ${projectId}. Nothing was stored. See list_projects.`, {
        data: { field: 'projectId' },
      });
    this.#refuseFull(projectId, 0);
    return this.#blobs.take(file.chunks, MAX_ATTACHMENT_BYTES, (blob) => this.#note(file, blob, projectId, caller));
  }

  async #note(file: NewAttachment, blob: Blob, projectId: ProjectId, caller: Caller): Promise<StoredAttachment> {
    this.#refuseFull(projectId, blob.bytes);
    // Counted before it is written: several at once must not pass together.
    this.#count(projectId, blob.bytes);
    const id = mintId('att') as AttachmentId;
    const mediaType = file.mediaType ?? mediaTypeOf(file.name);
    try {
      await this.#o.store.write((tx) => {
        insertAttachment(tx, { id, projectId, name: file.name, mediaType, ...blob, owner: caller.actor, createdAt: this.#now() });
        tx.record(
          event({ projectId, actor: caller.actor, door: caller.door, subject: id }, 'attachment.stored', {
            name: file.name,
            ...blob,
          }),
        );
      });
    } catch (error) {
      this.#count(projectId, -blob.bytes);
      // Ours are held until this is over: then the next start removes the file.
      throw error;
    }
    return { attachmentId: id, name: file.name, mediaType, ...blob };
  }

  /**
   * The attachments of a message that is to be sent, with size and content as they are now. `projectId` is that of the
   * message where its sender stated one. NOT_FOUND (file, stored file), BAD_REQUEST (path, number of files),
   * PAYLOAD_TOO_LARGE.
   */
  async resolve(inputs: readonly AttachmentInput[], caller: Caller, projectId?: ProjectId): Promise<Attachment[]> {
    if (inputs.length > MAX_ATTACHMENTS)
      throw new AppError(
        'BAD_REQUEST',
        `A message has at most ${MAX_ATTACHMENTS} attachments, this one has ${inputs.length}. Nothing was sent.`,
        {
          data: { field: 'attachments' },
        },
      );
    const resolved: Attachment[] = [];
    for (const input of inputs)
      resolved.push('path' in input ? await this.#fromWorkspace(input, caller, projectId) : this.#fromStored(input, caller));
    return resolved;
  }

  /**
   * Opens an attachment of a message. NOT_FOUND when there is no such message or attachment for the caller, or its file is
   * gone. An agent has those of messages that it sent or was sent.
   */
  async read(messageId: MessageId, index: number, caller: Caller): Promise<OpenAttachment> {
    const agentId = audienceOf(caller.role) === 'agent' ? (caller.agentId ?? '') : caller.agentId;
    const carrier = this.#o.store.peek((db) => findCarrier(db, messageId, agentId, this.#now()));
    const attachment = carrier?.attachments[index];
    if (!carrier || !attachment) {
      const has = carrier === undefined ? '' : ` It has ${carrier.attachments.length}, counted from 0.`;
      throw new AppError('NOT_FOUND', `There is no attachment ${index} of message ${messageId} for you.${has}`, {
        data: { messageId },
      });
    }
    const { source } = attachment;
    const handle =
      source.kind === 'stored'
        ? await this.#blobs.read(attachment.sha256)
        : await openInside(this.#folderOf(carrier.from, carrier.projectId), source.path, this.#o.core);
    try {
      const { size } = await handle.stat();
      const isChanged = size !== attachment.bytes || (await this.#knownHashOf(handle)) !== attachment.sha256;
      return { attachment, handle, bytes: size, isChanged };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** A piece of an attachment of a message: text where it is text. */
  async get(
    { messageId, index, offset, maxBytes }: Inputs['get'],
    caller: Caller,
  ): ReturnType<HandlersOf<typeof attachmentsContract>['get']> {
    const { attachment, handle, bytes, isChanged } = await this.read(messageId, index, caller);
    try {
      const buffer = Buffer.alloc(Math.max(0, Math.min(maxBytes, bytes - offset)));
      const { bytesRead } = buffer.length === 0 ? { bytesRead: 0 } : await handle.read(buffer, 0, buffer.length, offset);
      const piece = buffer.subarray(0, bytesRead);
      const isLast = offset + bytesRead >= bytes;
      const text = textOf(piece, isLast);
      const length = text?.length ?? bytesRead;
      return {
        attachment,
        content: text === undefined ? piece.toString('base64') : text.text,
        encoding: text === undefined ? 'base64' : 'utf8',
        offset,
        next: isLast || length === 0 ? null : offset + length,
        isChanged,
      };
    } finally {
      await handle.close();
    }
  }

  /** Removes what no message carries any more, and was not stored just now. A timer does so by itself. */
  async sweep(): Promise<void> {
    for (;;) {
      const dropped = await this.#o.store.write((tx) => dropUncarried(tx, this.#now() - UNCARRIED_MS, SWEEP_ROWS));
      for (const { projectId, bytes, sha256 } of dropped) {
        this.#count(projectId, -bytes);
        this.#blobs.drop(sha256, (content) => this.#isNeeded(content));
      }
      if (dropped.length < SWEEP_ROWS) return;
    }
  }

  /** The SHA-256 of a file as it is now: of one that did not change since it was read last, without reading it again. */
  async #knownHashOf(handle: FileHandle): Promise<string> {
    const startedAt = Date.now();
    const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await handle.stat({ bigint: true });
    const name = [dev, ino, size, mtimeNs, ctimeNs].join(':');
    const known = this.#hashes.get(name);
    const hash = known ?? (await hashOf(handle, Number(size)));
    this.#hashes.delete(name);
    // Another write may bear the same time as the last one as long as that is now.
    if (known !== undefined || startedAt - Number(ctimeMs) > SETTLED_MS) this.#hashes.set(name, hash);
    const oldest = this.#hashes.size > KNOWN_HASHES ? this.#hashes.keys().next().value : undefined;
    if (oldest !== undefined) this.#hashes.delete(oldest);
    return hash;
  }

  #isNeeded(sha256: string): boolean {
    return this.#o.store.peek((db) => hasContent(db, sha256));
  }

  #count(projectId: string, bytes: number): void {
    this.#bytes.set(projectId, (this.#bytes.get(projectId) ?? 0) + bytes);
  }

  #refuseFull(projectId: string, bytes: number): void {
    const limit = this.#o.maxProjectBytes ?? MAX_PROJECT_BYTES;
    const stored = this.#bytes.get(projectId) ?? 0;
    if (stored + bytes <= limit && stored < limit) return;
    throw new AppError(
      'UNAVAILABLE',
      `The project has ${stored} bytes of stored files, and at most ${limit} are kept. Nothing was stored. Send files in the workspace by their path, or erase old messages that carry files.`,
      { retryable: false, data: { storedBytes: stored, limitBytes: limit } },
    );
  }

  #projectFor(caller: Caller, stated: ProjectId | undefined): ProjectId {
    const project = caller.agentId === undefined ? (stated ?? this.#o.defaultProject()) : this.#o.projectOf(caller.agentId);
    if (project !== undefined) return project;
    throw new AppError('BAD_REQUEST', 'No project is open. State projectId, or open a project first.', {
      data: { field: 'projectId' },
    });
  }

  /** The folder that the paths of a sender are relative to. */
  #folderOf(from: { readonly kind: string; readonly id: string }, projectId: string): string {
    // The project's folder is no agent's unless it works in it: one in a box never saw what is in there.
    const folder = from.kind === 'agent' ? this.#o.workspaceOf(from.id as AgentId) : this.#o.projectFolder(projectId);
    if (folder !== undefined) return folder;
    throw new AppError(
      'NOT_FOUND',
      from.kind === 'agent'
        ? `Agent "${from.id}" has no workspace here, so no file can be named by its path. Store a file with put_attachment and send its attachmentId.`
        : 'The project that holds this file is gone.',
      { data: { field: 'attachments' } },
    );
  }

  async #fromWorkspace(
    input: Extract<AttachmentInput, { path: string }>,
    caller: Caller,
    projectId: ProjectId | undefined,
  ): Promise<Attachment> {
    const parts = partsOfPath(input.path);
    const from = caller.agentId === undefined ? caller.actor : { kind: 'agent', id: caller.agentId };
    const handle = await openInside(this.#folderOf(from, this.#projectFor(caller, projectId)), input.path, this.#o.core);
    try {
      const { size } = await handle.stat();
      if (size > MAX_ATTACHMENT_BYTES) throw tooLarge(input.path, size);
      const name = input.name ?? AttachmentName.safeParse(parts.at(-1)).data;
      if (name === undefined)
        throw new AppError(
          'BAD_REQUEST',
          `"${input.path.slice(0, 200)}" has a name that cannot be shown: state another one in "name".`,
          {
            data: { field: 'attachments' },
          },
        );
      const sha256 = await hashOf(handle, size);
      return {
        name,
        source: { kind: 'workspace', path: parts.join('/') },
        bytes: size,
        sha256,
        mediaType: input.mediaType ?? mediaTypeOf(name),
      };
    } finally {
      await handle.close();
    }
  }

  #fromStored(input: Extract<AttachmentInput, { attachmentId: string }>, caller: Caller): Attachment {
    const id = input.attachmentId;
    return this.#o.store.peek((db) => {
      const found = findAttachment(db, id);
      const isOwn = found !== undefined && found.owner.kind === caller.actor.kind && found.owner.id === caller.actor.id;
      const { agentId } = caller;
      const isManager = agentId === undefined && audienceOf(caller.role) === 'manage';
      const isUsable =
        found !== undefined && (isOwn || isManager || (agentId !== undefined && isKnownTo(db, id, agentId, this.#now())));
      if (!isUsable || (found.createdAt < this.#now() - UNCARRIED_MS + MARGIN_MS && !isCarried(db, id)))
        throw new AppError(
          'NOT_FOUND',
          `There is no stored file ${id} for you: it was removed, or never yours. Nothing was sent. Store it again with put_attachment.`,
          {
            data: { field: 'attachments' },
          },
        );
      const { bytes, sha256, mediaType } = found;
      return { name: input.name ?? found.name, source: { kind: 'stored', id }, bytes, sha256, mediaType };
    });
  }
}

function tooLarge(path: string, size: number): AppError {
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    `"${path.slice(0, 200)}" has ${size} bytes; at most ${MAX_ATTACHMENT_BYTES} go with a message. Nothing was sent. Name its path in the text instead.`,
    {
      data: { field: 'attachments', limitBytes: MAX_ATTACHMENT_BYTES },
    },
  );
}

/** The SHA-256 of the first so many bytes of a file; of fewer when it has shrunk. */
async function hashOf(handle: FileHandle, size: number): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(1, size)));
  for (let at = 0; at < size;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest('hex');
}

/** A piece as text, and how many bytes of it that is: not a character that the piece cuts. Undefined when it is no text. */
function textOf(piece: Buffer, isLast: boolean): { text: string; length: number } | undefined {
  if (piece.includes(0)) return undefined;
  for (let length = piece.length; length > piece.length - 4 && length >= 0; length -= 1) {
    try {
      return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(piece.subarray(0, length)), length };
    } catch {
      if (isLast) return undefined;
    }
  }
  return undefined;
}
