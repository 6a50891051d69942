/** Prepares the data folder and the folder of its sockets: private to the operator, or the core does not start. */
import { chmodSync, lstatSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { RunInfo } from '#shared/system/model.ts';
import type { DataPaths } from './paths.ts';

const PRIVATE = 0o700;

function makePrivate(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: PRIVATE });
    const facts = lstatSync(dir);
    if (!facts.isDirectory())
      throw new AppError(
        'UNAVAILABLE',
        `${dir} is not a folder (it may be a link). Remove it, or choose another data folder with --data-dir.`,
        { retryable: false },
      );
    // A folder in /tmp could have been made by somebody else beforehand.
    if (process.getuid !== undefined && facts.uid !== process.getuid()) {
      throw new AppError(
        'UNAVAILABLE',
        `${dir} belongs to another user. Remove it, or set XDG_RUNTIME_DIR to a folder of your own.`,
        { retryable: false },
      );
    }
    if ((facts.mode & 0o077) !== 0) chmodSync(dir, PRIVATE);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      'UNAVAILABLE',
      `The folder ${dir} cannot be used: ${messageOf(error)}. Choose another data folder with --data-dir.`,
      { cause: error, retryable: false },
    );
  }
}

/**
 * Makes the data folder and returns its real path. The place of its sockets follows from the path: by another way to the
 * same folder, through a link above it, a core would look for its agents elsewhere and take them for lost.
 */
export function openDataDir(dir: string): string {
  makePrivate(dir);
  return realpathSync(dir);
}

/** Makes the folders that every start needs. */
export function prepareFolders(paths: DataPaths): void {
  for (const dir of [
    paths.dataDir,
    paths.secrets,
    paths.agents,
    paths.projects,
    paths.sessions,
    paths.templates,
    paths.logs,
    paths.backups,
    paths.socketDir,
  ])
    makePrivate(dir);
}

/** Writes `run.json` in one step: who reads it sees the old or the new one, never half of it. */
export function writeRunFile(file: string, info: RunInfo): void {
  const next = `${file}.${process.pid}.tmp`;
  // One that a crash left would keep its own mode.
  rmSync(next, { force: true });
  writeFileSync(next, `${JSON.stringify(info, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(next, file);
}

/** Removes `run.json`: the core ended cleanly. */
export function removeRunFile(file: string): void {
  rmSync(file, { force: true });
}
