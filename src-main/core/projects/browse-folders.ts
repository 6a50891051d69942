/** Looking for a folder on this machine: what folders are in a folder, and which of them are git repositories. */
import type { Dirent } from 'node:fs';
import { lstat, opendir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import * as z from 'zod';
import { AppError } from '#shared/kernel/errors.ts';
import type { Folder, FolderListing } from '#shared/projects/model.ts';

/** Folders in one answer: more than a person looks through. */
const MAX_FOLDERS = 500;
/** Entries that are looked at in one folder: one with a million files must not hold up the core. */
const MAX_ENTRIES = 20_000;
/** How many folders are asked at once whether they are repositories. */
const AT_ONCE = 32;

const collator = new Intl.Collator('en', { numeric: true });
const isHidden = (name: string): boolean => name.startsWith('.');

/** By name as people sort, hidden ones last. */
function compareNames(a: string, b: string): number {
  return Number(isHidden(a)) - Number(isHidden(b)) || collator.compare(a, b) || (a < b ? -1 : 1);
}

/** Whether a folder holds a `.git`: a folder, or the file that a worktree has. */
export async function hasGit(folder: string): Promise<boolean> {
  return lstat(join(folder, '.git')).then(
    () => true,
    () => false,
  );
}

/**
 * The folders in a folder; in the home folder when none is named. BAD_REQUEST, NOT_FOUND or FORBIDDEN, each saying what to
 * do, when it cannot be looked into.
 */
export async function browseFolders(path: string = homedir()): Promise<FolderListing> {
  if (!isAbsolute(path))
    throw new AppError('BAD_REQUEST', `The folder must be an absolute path; "${path}" is not.`, { data: { field: 'path' } });
  try {
    const real = await realpath(path);
    const { names, isCut } = await folderNames(real);
    const folders: Folder[] = [];
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE).map(async (name) => {
        const folder = join(real, name);
        return { name, path: folder, isGitRepository: await hasGit(folder) };
      });
      folders.push(...(await Promise.all(some)));
    }
    const parent = dirname(real);
    return { path: real, parent: parent === real ? null : parent, isGitRepository: await hasGit(real), folders, isCut };
  } catch (error) {
    throw explainFolderError(error, path);
  }
}

/** Names of the folders in a folder, in order; links to folders are folders. */
async function folderNames(folder: string): Promise<{ names: string[]; isCut: boolean }> {
  const names: string[] = [];
  const links: string[] = [];
  let entries = 0;
  for await (const entry of await opendir(folder)) {
    entries += 1;
    if (entries > MAX_ENTRIES) break;
    collect(entry, names, links);
  }
  for (const link of links) {
    const target = await stat(join(folder, link)).catch(() => undefined);
    if (target?.isDirectory() === true) names.push(link);
  }
  names.sort(compareNames);
  return { names: names.slice(0, MAX_FOLDERS), isCut: names.length > MAX_FOLDERS || entries > MAX_ENTRIES };
}

function collect(entry: Dirent, names: string[], links: string[]): void {
  if (entry.isDirectory()) names.push(entry.name);
  else if (entry.isSymbolicLink()) links.push(entry.name);
}

const SystemError = z.object({ code: z.string() });

/** What the system says about a folder, as an AppError that says what to do; anything else comes back as it is. */
export function explainFolderError(error: unknown, path: string): unknown {
  const code = SystemError.safeParse(error).data?.code;
  const data = { field: 'path', folder: path };
  if (code === 'ENOENT') return new AppError('NOT_FOUND', `There is no folder "${path}". Go up, or name another.`, { data });
  if (code === 'ENOTDIR') return new AppError('BAD_REQUEST', `"${path}" is not a folder. Name the folder it is in.`, { data });
  if (code === 'EACCES' || code === 'EPERM')
    return new AppError('FORBIDDEN', `You may not look into "${path}". Choose another folder, or give yourself permission.`, {
      data,
    });
  if (code === 'ENAMETOOLONG' || code === 'ELOOP' || code === 'ERR_INVALID_ARG_VALUE')
    return new AppError('BAD_REQUEST', `"${path.slice(0, 200)}" cannot be a folder's path (${code}). Name another.`, { data });
  return error;
}
