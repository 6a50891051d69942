/**
 * Opens a file inside a folder that somebody hostile may write at the same time.
 * Invariant: what is opened lies inside the folder: every part of the way is opened from the one before it and never through
 * a link, so that a folder that is swapped for a link in the middle leads nowhere.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readlink, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { AppError } from '#shared/kernel/errors.ts';

/** Of macOS (fcntl.h): the whole way is opened without following links. */
const O_NOFOLLOW_ANY = 0x2000_0000;

const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK } = constants;

/** The parts of a relative path; BAD_REQUEST where it leads out, or is none. */
export function partsOfPath(path: string): string[] {
  const parts = path.split(process.platform === 'win32' ? /[\\/]/ : '/').filter((part) => part !== '' && part !== '.');
  const isOutside = path.startsWith('/') || path.includes('\0') || parts.includes('..') || /^[A-Za-z]:/.test(path);
  if (parts.length > 0 && !isOutside) return parts;
  throw new AppError(
    'BAD_REQUEST',
    `"${path.slice(0, 200)}" is no file inside the workspace: give its path relative to the workspace, without "..".`,
    {
      data: { field: 'attachments' },
    },
  );
}

function notThere(path: string, why: string): AppError {
  return new AppError('NOT_FOUND', `The attachment "${path.slice(0, 200)}" cannot be read: ${why}.`, {
    data: { field: 'attachments', path: path.slice(0, 200) },
  });
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  switch (code) {
    case 'ENOENT':
      return 'there is no such file in the workspace';
    case 'ELOOP':
    case 'ENOTDIR':
      return 'its way leads through a link or a file, and links are not followed';
    case 'EACCES':
    case 'EPERM':
      return 'it may not be read';
    default:
      return `it cannot be opened (${typeof code === 'string' && code !== '' ? code : 'unknown reason'})`;
  }
}

/** Folders of the core. */
export interface CoreFolders {
  /** What is in it is nobody's attachment: tokens, keys, the database. */
  readonly dataDir: string;
  /** Below it, workspaces are in it all the same. */
  readonly workspacesDir: string;
}

/**
 * Opens a file to be read, by its path relative to `folder`. NOT_FOUND when it is not there, is no plain file, lies behind a
 * link, or in the data folder of the core, which a project may hold; BAD_REQUEST for a path that leads out.
 */
export async function openInside(folder: string, path: string, core?: CoreFolders): Promise<FileHandle> {
  const parts = partsOfPath(path);
  let handle: FileHandle;
  try {
    handle = process.platform === 'linux' ? await walk(folder, parts) : await openWhole(folder, parts);
  } catch (error) {
    throw notThere(path, reasonOf(error));
  }
  try {
    if (!(await handle.stat()).isFile()) throw notThere(path, 'it is no plain file');
    if (core && (await isCores(handle, folder, parts, core)))
      throw notThere(path, 'it belongs to Quarterdeck itself, and goes with no message');
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Whether a file is one of the core's own. */
async function isCores(handle: FileHandle, folder: string, parts: readonly string[], core: CoreFolders): Promise<boolean> {
  const [base, dataDir, workspacesDir] = await Promise.all([realOr(folder), realOr(core.dataDir), realOr(core.workspacesDir)]);
  // The descriptor's own path: what is at that name by now may be something else.
  const real = process.platform === 'linux' ? await readlink(`/proc/self/fd/${handle.fd}`) : await realOr(join(folder, ...parts));
  return isBelow(real, dataDir) && !isBelow(base, workspacesDir);
}

async function realOr(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Part by part: a descriptor's folder in /proc stays the one that was opened, whatever becomes of its name. */
async function walk(folder: string, parts: readonly string[]): Promise<FileHandle> {
  let at = await open(folder, O_RDONLY | O_DIRECTORY);
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (isLast ? 0 : O_DIRECTORY);
    try {
      const next = await open(`/proc/self/fd/${at.fd}/${part}`, flags);
      await at.close();
      at = next;
    } catch (error) {
      await at.close();
      throw error;
    }
  }
  return at;
}

async function openWhole(folder: string, parts: readonly string[]): Promise<FileHandle> {
  const root = await realpath(folder);
  const path = join(root, ...parts);
  if (process.platform === 'darwin') return open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW_ANY);
  // Elsewhere links need rights that agents do not have: looking before is what there is.
  if ((await realpath(path)) !== path || !path.startsWith(root + sep))
    throw Object.assign(new Error('a link'), { code: 'ELOOP' });
  return open(path, 'r');
}
