/**
 * A folder to write into that somebody hostile may write to as well: each part of its path is opened from the one before,
 * never through a symbolic link, and what is done in it is done to the folder that was opened, wherever it is moved to.
 * Linux reaches files of an open folder by /proc/self/fd; elsewhere (macOS, Windows) the path is looked at before and after,
 * which leaves a moment in which it could be exchanged.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { lstat, mkdir, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';

const isLinux = process.platform === 'linux';

/** Something in the way of a mirror; its message says what the operator can do. */
export class MirrorProblem extends Error {
  override readonly name = 'MirrorProblem';
}

/** Whether an error of a system call has this code. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** A folder that is open. */
export class MirrorDir {
  readonly path: string;
  readonly #handle: FileHandle | undefined;

  private constructor(path: string, handle: FileHandle | undefined) {
    this.path = path;
    this.#handle = handle;
  }

  /**
   * Opens the folder `parts` below `base`, making what is missing, owned by the owner of `base` where this process may give
   * things away. `base` itself is taken as it is.
   */
  static async open(base: string, parts: readonly string[]): Promise<MirrorDir> {
    let dir = await MirrorDir.#at(base, base);
    try {
      for (const part of parts) {
        const next = await dir.#child(part);
        await dir.close();
        dir = next;
      }
      return dir;
    } catch (error) {
      await dir.close();
      throw error;
    }
  }

  /** A path by which a file in this folder is reached. */
  entry(name: string): string {
    return this.#handle === undefined ? join(this.path, name) : `/proc/self/fd/${this.#handle.fd}/${name}`;
  }

  /** Makes what was done in the folder last. */
  async sync(): Promise<void> {
    // Windows cannot open folders.
    if (process.platform === 'win32') return;
    const handle = this.#handle ?? (await open(this.path, constants.O_RDONLY));
    try {
      await handle.sync();
    } finally {
      if (handle !== this.#handle) await handle.close();
    }
  }

  /** Gives a new file or folder to whoever owns this one: a root core must leave nothing of root's in a project. */
  async giveAway(handle: FileHandle): Promise<void> {
    if (process.getuid?.() !== 0 || !this.#handle) return;
    const { uid, gid } = await this.#handle.stat();
    if (uid !== 0 || gid !== 0) await handle.chown(uid, gid);
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }

  static async #at(shown: string, path: string): Promise<MirrorDir> {
    if (isLinux) return new MirrorDir(shown, await open(path, constants.O_RDONLY | constants.O_DIRECTORY));
    return new MirrorDir(await realpath(path), undefined);
  }

  async #child(name: string): Promise<MirrorDir> {
    const path = this.entry(name);
    const shown = join(this.path, name);
    let isNew = true;
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
      isNew = false;
    });
    if (!isLinux) {
      const found = await lstat(path);
      if (!found.isDirectory() || (await realpath(path)) !== path) throw notAFolder(shown);
      return new MirrorDir(shown, undefined);
    }
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch((error: unknown) => {
      throw hasCode(error, 'ELOOP', 'ENOTDIR') ? notAFolder(shown) : error;
    });
    const child = new MirrorDir(shown, handle);
    if (isNew) await this.giveAway(handle);
    return child;
  }
}

function notAFolder(path: string): MirrorProblem {
  return new MirrorProblem(
    `${path} is a symbolic link or no folder: nothing is written through it. Move it away, or choose another place.`,
  );
}
