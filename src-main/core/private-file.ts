/**
 * Small files that only the operator may read: keys and the operator's token.
 * Invariant: such a file appears whole or not at all, with mode 0600, and is on the disk before anything relies on it.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AppError, messageOf } from '#shared/kernel/errors.ts';

/** No key or token is longer; a larger file is something else, and is not read. In bytes. */
const MAX_BYTES = 4_096;

/** Windows keeps access in lists, not in mode bits: there the data folder's own list has to do. */
const HAS_MODES = process.platform !== 'win32';

/** How a private file is read. */
export interface PrivateFileOptions {
  /** What the file is, for messages: "the operator's token". */
  readonly what: string;
  /** The content of a new file. Without it a missing file is an error. */
  readonly create?: () => Uint8Array;
  /** Told when the file could be read by others and was closed to them. */
  readonly warn?: (message: string) => void;
}

function failure(file: string, what: string, problem: string, cause?: unknown): AppError {
  return new AppError('UNAVAILABLE', `Cannot use ${what} (${file}): ${problem}`, { retryable: false, data: { file }, cause });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Writes under another name, then links: two starters cannot both win, and a crash leaves no half file under this name. */
function createPrivate(file: string, bytes: Uint8Array): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${basename(file)}.${randomBytes(6).toString('hex')}`);
  try {
    const fd = openSync(draft, 'wx', 0o600);
    try {
      writeSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    linkSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
  if (!HAS_MODES) return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function readPrivate(file: string, options: PrivateFileOptions): Buffer {
  const fd = openSync(file, 'r');
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw failure(file, options.what, 'it is not a file. Move it away and start again.');
    if (stat.size > MAX_BYTES)
      throw failure(file, options.what, `it has ${stat.size} bytes, far more than it should. Move it away and start again.`);
    if (HAS_MODES && (stat.mode & 0o077) !== 0) {
      try {
        chmodSync(file, 0o600);
      } catch (error) {
        throw failure(
          file,
          options.what,
          `others may read it (mode ${(stat.mode & 0o777).toString(8)}) and that cannot be changed: ${messageOf(error)}. Run: chmod 600 '${file}'`,
          error,
        );
      }
      options.warn?.(
        `${file} (${options.what}) could be read by others (mode ${(stat.mode & 0o777).toString(8)}); it is now 600. If somebody else uses this machine, take it for known to them.`,
      );
    }
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads a private file, and makes it first when it is missing and `create` is given.
 * Fails with UNAVAILABLE (not retryable) when it cannot be read, made, or closed to others.
 */
export function loadPrivateFile(file: string, options: PrivateFileOptions): Buffer {
  try {
    try {
      return readPrivate(file, options);
    } catch (error) {
      if (!isCode(error, 'ENOENT') || !options.create) throw error;
    }
    try {
      createPrivate(file, options.create());
    } catch (error) {
      // Somebody was faster: theirs counts.
      if (!isCode(error, 'EEXIST') || !statSync(file).isFile()) throw error;
    }
    return readPrivate(file, options);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw failure(
      file,
      options.what,
      `${messageOf(error)}. Check that it, and the folder it lies in, belong to the user who runs Quarterdeck.`,
      error,
    );
  }
}
