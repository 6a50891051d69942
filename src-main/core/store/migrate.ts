/**
 * Brings a database to the present schema. Migrations are numbered in tens, frozen once released and self-contained;
 * the number reached is PRAGMA user_version.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { Connection } from './database.ts';
import { openDatabase } from './database.ts';

/** One step of the schema. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** SQL run inside one transaction. */
  readonly sql: string;
}

/** What a migration run did. */
export interface MigrationReport {
  readonly from: number;
  readonly to: number;
  /** Backup made before the first step; undefined when the database was new. */
  readonly backup: string | undefined;
}

function versionOf(connection: Connection): number {
  return Number(connection.pragma('user_version'));
}

/**
 * Copies the database as it is and proves the copy by opening it. It gets its name only then: a copy left half done by an
 * earlier try is replaced, and one of the same version under that name is older than this one.
 */
function backUp(connection: Connection, file: string, version: number): void {
  const draft = `${file}.partial`;
  try {
    rmSync(draft, { force: true });
    connection.prepare('VACUUM INTO ?').run(draft);
    verifyBackup(draft, version);
    const fd = openSync(draft, 'r+');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    if (error instanceof AppError) throw error;
    throw new AppError(
      'UNAVAILABLE',
      `The backup ${file} needed before the upgrade could not be made: ${messageOf(error)}. Nothing was changed. Free some disk space and start again.`,
      {
        cause: error,
        retryable: false,
      },
    );
  }
}

function verifyBackup(file: string, version: number): void {
  const copy = openDatabase(file, { readOnly: true });
  try {
    if (versionOf(copy) !== version || copy.pragma('quick_check') !== 'ok') {
      throw new AppError(
        'UNAVAILABLE',
        `The backup ${file} made before the upgrade cannot be read back; nothing was changed. Free some disk space and start again.`,
        { retryable: false },
      );
    }
  } finally {
    copy.close();
  }
}

/**
 * Runs the missing steps, each in its own transaction, after a verified backup to `backupFile(from)`.
 * A database from a newer version is refused with UNAVAILABLE and left as it is.
 */
export function migrate(
  connection: Connection,
  migrations: readonly Migration[],
  backupFile: (version: number) => string,
): MigrationReport {
  const from = versionOf(connection);
  const newest = migrations.at(-1)?.version ?? 0;
  if (from > newest) {
    throw new AppError(
      'UNAVAILABLE',
      `The data folder was written by a newer Quarterdeck (schema ${from}; this one knows ${newest}). Start the newer version, or restore a backup made before the upgrade.`,
      {
        retryable: false,
        data: { schema: from, known: newest },
      },
    );
  }
  const missing = migrations.filter((step) => step.version > from);
  let backup: string | undefined;
  if (missing.length > 0 && from > 0) {
    backup = backupFile(from);
    backUp(connection, backup, from);
  }
  for (const step of missing) {
    connection.exec('BEGIN IMMEDIATE');
    try {
      connection.exec(step.sql);
      connection.exec(`PRAGMA user_version = ${step.version}`);
      connection.exec('COMMIT');
    } catch (error) {
      if (connection.isInTransaction()) connection.exec('ROLLBACK');
      throw new AppError(
        'UNAVAILABLE',
        `The upgrade of the database to schema ${step.version} (${step.name}) failed: ${messageOf(error)}. It is still at schema ${versionOf(connection)}${backup === undefined ? '' : `; a backup from before the upgrade is ${backup}`}.`,
        { cause: error, retryable: false, data: { schema: versionOf(connection) } },
      );
    }
  }
  return { from, to: versionOf(connection), backup };
}
