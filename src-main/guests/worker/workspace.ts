/**
 * The workspace: the one folder that file operations touch.
 * Invariant: no path given by a task leads out of it, neither by "..", nor absolute, nor through a symbolic link, and none
 * into a `.git` folder. Paths are checked by the real path of their parent, then by the link at the end itself.
 * A process that swaps a folder for a link between check and use is not defended against: whoever can do that already
 * writes here with the worker's own rights.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Artefact } from '#shared/worker/outcome.ts';
import { errorCode, TaskFailure } from './task-failure.ts';

/** Names of half-written files: never listed, never counted. */
export const TEMPORARY_FILE = /^\.qd-[0-9a-f-]{36}\.tmp$/;

/** A folder that tasks work in. */
export class Workspace {
  /** The folder's real path. */
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** Opens a folder. Rejects when it does not exist. */
  static async open(folder: string): Promise<Workspace> {
    return new Workspace(await realpath(folder));
  }

  /** The absolute path of something that is to be read: it must exist, and its real path must lie inside. */
  async existing(relative: string): Promise<string> {
    const absolute = await this.place(relative);
    try {
      const real = await realpath(absolute);
      if (!this.#contains(real)) throw new TaskFailure('path', `"${relative}" is a link that leads out of the workspace`);
      return real;
    } catch (error) {
      if (error instanceof TaskFailure) throw error;
      throw fileFailure(error, relative);
    }
  }

  /** The absolute path of something that is to be made, replaced or removed: a link there is not followed. Parents need not exist. */
  async place(relative: string): Promise<string> {
    const parts = this.#parse(relative);
    const name = parts.at(-1) ?? '';
    return path.join(await this.#realParent(parts.slice(0, -1), relative), name);
  }

  #parse(relative: string): string[] {
    if (relative.includes('\0')) throw new TaskFailure('path', 'A path must not contain a NUL character');
    if (path.isAbsolute(relative))
      throw new TaskFailure('path', `"${relative}" is absolute: give a path relative to the workspace`);
    const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw new TaskFailure('path', `"${relative}" contains "..": paths stay inside the workspace`);
    if (parts.length === 0) throw new TaskFailure('path', `"${relative}" is the workspace itself`);
    if (parts.some((part) => part.toLowerCase() === '.git'))
      throw new TaskFailure('path', `"${relative}" lies in a .git folder: use git itself, with "run"`);
    return parts;
  }

  /** Follows the folders of a path; what does not exist yet is taken as it is written. */
  async #realParent(folders: readonly string[], relative: string): Promise<string> {
    let current = this.root;
    for (const [index, folder] of folders.entries()) {
      const next = path.join(current, folder);
      const real = await realFolder(next, relative);
      if (real === undefined) return path.join(next, ...folders.slice(index + 1));
      current = real;
      if (!this.#contains(current)) throw new TaskFailure('path', `"${relative}" leads out of the workspace through a link`);
    }
    return current;
  }

  #contains(absolute: string): boolean {
    return absolute === this.root || absolute.startsWith(this.root === path.sep ? path.sep : this.root + path.sep);
  }

  /** Writes a whole file: readers see the old or the new content, never a part. Makes missing folders. */
  async write(relative: string, content: string | Uint8Array): Promise<Artefact> {
    const target = await this.place(relative);
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    try {
      await mkdir(path.dirname(target), { recursive: true });
      await writeAtomically(target, bytes);
    } catch (error) {
      throw fileFailure(error, relative);
    }
    return {
      path: toSlashes(path.relative(this.root, target)),
      bytes: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
  }

  /** Whether anything, a link included, is at this path. */
  async isTaken(relative: string): Promise<boolean> {
    return !(await isMissing(await this.place(relative)));
  }
}

/** How often a folder is looked at that comes and goes under our eyes: other workers make and remove folders beside us. */
const LOOKS = 5;

/** The folder with its links resolved; undefined when there is none. Fails on a link that leads nowhere: mkdir would not follow it, but a later step might. */
async function realFolder(absolute: string, relative: string): Promise<string | undefined> {
  for (let look = 1; ; look += 1) {
    try {
      return await realpath(absolute);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw fileFailure(error, relative);
      if (await isMissing(absolute)) return undefined;
      // There now: made in between, or a link that leads nowhere.
      if (look === LOOKS) throw fileFailure(error, relative);
    }
  }
}

async function isMissing(absolute: string): Promise<boolean> {
  try {
    await lstat(absolute);
    return false;
  } catch (error) {
    // ENOTDIR: a parent is a file, so there is nothing here either.
    return errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR';
  }
}

/** Replaces `target` in one step, through a file beside it that is synced first. */
export async function writeAtomically(target: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = path.join(path.dirname(target), `.qd-${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Digest of a file as hex. */
export async function hashFile(absolute: string, algorithm: string): Promise<string> {
  const digest = createHash(algorithm);
  await pipeline(createReadStream(absolute), digest);
  return digest.digest('hex');
}

/** A path with forward slashes, on every platform. */
export function toSlashes(relative: string): string {
  return path.sep === '/' ? relative : relative.replaceAll(path.sep, '/');
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a folder',
  ENOTDIR: 'has a parent that is no folder',
  EACCES: 'may not be accessed',
  EPERM: 'may not be changed',
  EEXIST: 'exists already',
  ENOTEMPTY: 'is a folder that is not empty',
  ELOOP: 'goes round in links',
  ENAMETOOLONG: 'is too long a name',
  ENOSPC: 'cannot be written: the disk is full',
  EROFS: 'cannot be written: the file system is read-only',
};

/** A system error as a failure that names the path as the task wrote it; other errors are passed on. */
export function fileFailure(error: unknown, relative: string): unknown {
  const code = errorCode(error);
  if (error instanceof TaskFailure || code === undefined) return error;
  return new TaskFailure('file', `"${relative}" ${EXPLANATIONS[code] ?? `cannot be used (${code})`}`, { cause: error });
}
