/**
 * Brings a database to the present schema. Migrations are numbered in tens, frozen once released and self-contained;
 * the number reached is PRAGMA user_version.
 */
import { AppError } from '#shared/kernel/errors.ts';
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

/** Copies the database as it is and proves the copy by opening it. */
function backUp(connection: Connection, file: string, version: number): void {
  connection.prepare('VACUUM INTO ?').run(file);
  const copy = openDatabase(file, { readOnly: true });
  try {
    if (versionOf(copy) !== version || copy.pragma('quick_check') !== 'ok') {
      throw new AppError('UNAVAILABLE', `The backup ${file} made before the upgrade cannot be read back; nothing was changed. Free some disk space and start again.`, { retryable: false });
    }
  } finally {
    copy.close();
  }
}

/**
 * Runs the missing steps, each in its own transaction, after a verified backup to `backupFile(from)`.
 * A database from a newer version is refused with UNAVAILABLE and left as it is.
 */
export function migrate(connection: Connection, migrations: readonly Migration[], backupFile: (version: number) => string): MigrationReport {
  const from = versionOf(connection);
  const newest = migrations.at(-1)?.version ?? 0;
  if (from > newest) {
    throw new AppError('UNAVAILABLE', `The data folder was written by a newer Quarterdeck (schema ${from}; this one knows ${newest}). Start the newer version, or restore a backup made before the upgrade.`, {
      retryable: false,
      data: { schema: from, known: newest },
    });
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
      connection.exec('ROLLBACK');
      throw error;
    }
  }
  return { from, to: versionOf(connection), backup };
}
