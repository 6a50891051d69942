/** Which files of a workspace an operation is about: git's list where it is a repository, else a walk. */
import { execFile } from 'node:child_process';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { LARGE_VALUES_FOLDER } from './large-values.ts';
import { TaskFailure } from './task-failure.ts';
import { TEMPORARY_FILE, toSlashes } from './workspace.ts';

const execFileAsync = promisify(execFile);

/** Most output of `git ls-files`, in bytes: about a million paths. */
const MAX_GIT_OUTPUT_BYTES = 128 * 1024 * 1024;
/** Longest time git may take, in milliseconds. */
const GIT_TIMEOUT_MS = 60_000;
/** How many files are looked at together. */
const STAT_CHUNK = 64;

/** Folders that a walk does not enter. */
const SKIPPED_FOLDERS = new Set(['node_modules', '__pycache__']);

/** What to find. */
export interface FileQuery {
  readonly globs?: readonly string[] | undefined;
  readonly ignore?: readonly string[] | undefined;
  readonly maxFiles: number;
  readonly signal: AbortSignal;
}

/** What was found, sorted by path. */
export interface FoundFiles {
  readonly source: 'git' | 'walk';
  /** Regular files; symbolic links and submodules are not among them. Paths have forward slashes. */
  readonly files: { readonly path: string; readonly bytes: number }[];
  /** How many there are in all, also beyond `maxFiles`. */
  readonly total: number;
}

/** Lists the regular files of a folder that a query is about. */
export async function findFiles(root: string, query: FileQuery): Promise<FoundFiles> {
  const fromGit = await listByGit(root, query.signal);
  const paths = fromGit ?? (await listByWalk(root, query.signal));
  const wanted = paths.filter((file) => isWanted(file, query)).sort();
  const files: FoundFiles['files'][number][] = [];
  for (let from = 0; from < wanted.length; from += STAT_CHUNK) {
    query.signal.throwIfAborted();
    const chunk = await Promise.all(
      wanted.slice(from, from + STAT_CHUNK).map(async (file) => ({ path: file, bytes: await sizeOf(path.join(root, file)) })),
    );
    for (const { path: file, bytes } of chunk) if (bytes !== undefined) files.push({ path: file, bytes });
  }
  return { source: fromGit === undefined ? 'walk' : 'git', files: files.slice(0, query.maxFiles), total: files.length };
}

function isWanted(file: string, query: FileQuery): boolean {
  if (
    TEMPORARY_FILE.test(path.posix.basename(file)) ||
    file.split('/').includes('.git') ||
    file.startsWith(`${LARGE_VALUES_FOLDER}/`)
  )
    return false;
  if (query.globs !== undefined && !query.globs.some((glob) => matches(file, glob))) return false;
  return !(query.ignore ?? []).some((glob) => matches(file, glob));
}

function matches(file: string, glob: string): boolean {
  return path.posix.matchesGlob(file, glob);
}

/** Size of a regular file; undefined for anything else, and for what is gone. */
async function sizeOf(absolute: string): Promise<number | undefined> {
  try {
    const stats = await lstat(absolute);
    return stats.isFile() ? stats.size : undefined;
  } catch {
    return undefined;
  }
}

/** Tracked files and untracked ones that are not ignored; undefined where there is no repository (or no git). */
async function listByGit(root: string, signal: AbortSignal): Promise<string[] | undefined> {
  // The repository's own configuration must not start programs just because files are listed.
  const git = (...args: string[]): Promise<{ stdout: string }> =>
    execFileAsync('git', ['-c', 'core.fsmonitor=', '-c', 'core.hooksPath=/dev/null', ...args], {
      cwd: root,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '/',
        GIT_OPTIONAL_LOCKS: '0',
        GIT_TERMINAL_PROMPT: '0',
        LC_ALL: 'C',
      },
      maxBuffer: MAX_GIT_OUTPUT_BYTES,
      timeout: GIT_TIMEOUT_MS,
      signal,
    });
  try {
    await git('rev-parse', '--show-toplevel');
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
  // A folder that its repository ignores is a workspace of its own, not an empty part of that repository.
  const isIgnored = await git('check-ignore', '-q', '.').then(
    () => true,
    () => false,
  );
  if (isIgnored) return undefined;
  try {
    const { stdout } = await git('ls-files', '-z', '--cached', '--others', '--exclude-standard');
    return [...new Set(stdout.split('\0').filter((file) => file !== ''))];
  } catch (error) {
    signal.throwIfAborted();
    throw new TaskFailure('file', `git could not list the files: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

async function listByWalk(root: string, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    signal.throwIfAborted();
    // A folder that vanishes or may not be read holds nothing that could be counted.
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const absolute = path.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!isSkipped(entry.name)) await visit(absolute);
      } else if (entry.isFile()) found.push(toSlashes(path.relative(root, absolute)));
    }
  };
  await visit(root);
  return found;
}

/** .git, dependencies and hidden caches (".cache", ".pytest_cache", ".parcel-cache", …). */
function isSkipped(folder: string): boolean {
  return folder === '.git' || SKIPPED_FOLDERS.has(folder) || (folder.startsWith('.') && folder.includes('cache'));
}
