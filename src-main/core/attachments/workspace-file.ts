/**
 * Opens a file inside a folder that somebody hostile may write at the same time.
 * Invariant: what is opened lies inside the folder: every part of the way is opened from the one before it and never through
 * a link, so that a folder that is swapped for a link in the middle leads nowhere.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, realpath } from 'node:fs/promises';
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

/**
 * Opens a file to be read, by its path relative to `folder`. NOT_FOUND when it is not there, is no plain file, or lies
 * behind a link; BAD_REQUEST for a path that leads out.
 */
export async function openInside(folder: string, path: string): Promise<FileHandle> {
  const parts = partsOfPath(path);
  try {
    const handle = process.platform === 'linux' ? await walk(folder, parts) : await openWhole(folder, parts);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (error) {
    throw notThere(path, reasonOf(error));
  }
  throw notThere(path, 'it is no plain file');
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
