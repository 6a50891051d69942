/**
 * Files by their content: each is named after its SHA-256, private to the operator, and there whole or not at all.
 * A file is written under another name, brought to the disk, and renamed; the row that needs it is written after that.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, messageOf } from '#shared/kernel/errors.ts';

const DRAFT = '.draft-';
const NAME = /^[0-9a-f]{64}$/;

/** What was written. */
export interface Blob {
  readonly sha256: string;
  readonly bytes: number;
}

/** Owns the folder. */
export class BlobStore {
  readonly #dir: string;
  /** Contents that are being taken in, and how often: nobody removes them meanwhile. */
  readonly #held = new Map<string, number>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes the folder and removes what an earlier core left half written, and what nothing needs. */
  async open(isNeeded: (sha256: string) => boolean): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#dir)) {
      // What is no name of ours was put there by somebody else, and stays.
      if (name.startsWith(DRAFT)) await rm(join(this.#dir, name), { force: true });
      else if (NAME.test(name)) this.drop(name, isNeeded);
    }
  }

  /**
   * Takes a file in and does something with it, while nobody removes it. PAYLOAD_TOO_LARGE beyond `limit` bytes, UNAVAILABLE
   * where it cannot be written; nothing is left then.
   */
  async take<T>(
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    limit: number,
    work: (blob: Blob) => Promise<T>,
  ): Promise<T> {
    const draft = join(this.#dir, `${DRAFT}${randomBytes(12).toString('hex')}`);
    let held: string | undefined;
    try {
      const blob = await write(draft, chunks, limit);
      held = blob.sha256;
      this.#held.set(held, (this.#held.get(held) ?? 0) + 1);
      // Over one of the same content, if there is one: that cannot be told apart, and a damaged one is mended.
      await stored(async () => {
        await rename(draft, join(this.#dir, blob.sha256));
        await syncFolder(this.#dir);
      });
      return await work(blob);
    } finally {
      await rm(draft, { force: true });
      if (held !== undefined) this.#release(held);
    }
  }

  /** Opens a file to be read. NOT_FOUND when it is gone. */
  async read(sha256: string): Promise<FileHandle> {
    return open(join(this.#dir, sha256), 'r').catch((error: unknown) => {
      throw new AppError('NOT_FOUND', `The file of this attachment is gone from the data folder: ${messageOf(error)}.`, {
        cause: error,
      });
    });
  }

  /** Removes a file that nothing needs. In one turn with the look whether something does. */
  drop(sha256: string, isNeeded: (sha256: string) => boolean): void {
    if (!this.#held.has(sha256) && !isNeeded(sha256)) rmSync(join(this.#dir, sha256), { force: true });
  }

  #release(sha256: string): void {
    const left = (this.#held.get(sha256) ?? 1) - 1;
    if (left === 0) this.#held.delete(sha256);
    else this.#held.set(sha256, left);
  }
}

async function write(file: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, limit: number): Promise<Blob> {
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await stored(() => open(file, 'wx', 0o600));
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > limit) {
        throw new AppError(
          'PAYLOAD_TOO_LARGE',
          `The file has more than ${limit} bytes. Nothing was stored. Put it into the workspace and send its path in the text.`,
          {
            data: { limitBytes: limit },
          },
        );
      }
      hash.update(chunk);
      await stored(() => handle.write(chunk));
    }
    await stored(() => handle.sync());
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

async function syncFolder(dir: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Says of a disk that fails what to do. */
async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new AppError(
      'UNAVAILABLE',
      `The file was not stored: ${messageOf(error)}. Check free space and permissions of the data folder, then repeat the call.`,
      { cause: error },
    );
  }
}
