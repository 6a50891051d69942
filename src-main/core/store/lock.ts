/**
 * One core per data folder: `lock.db` is held with BEGIN EXCLUSIVE. The operating system frees it with the process,
 * however that ends, so a lock is never left behind.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { Connection } from './database.ts';
import { isBusy, openLockFile } from './database.ts';

/** The locks this process holds: a connection that nobody refers to is closed by the garbage collector, lock and all. */
const HELD = new Set<Connection>();

/**
 * Takes the lock, or fails: CONFLICT when another core holds it, UNAVAILABLE when the file cannot be used.
 * Nothing else in this process may open the file: closing any descriptor of it would free the lock (POSIX locks are so).
 */
export function takeLock(file: string, dataDir: string): Disposable {
  let connection: Connection | undefined;
  try {
    connection = openLockFile(file);
    connection.pragma('journal_mode = DELETE');
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection?.close();
    if (!isBusy(error)) {
      throw new AppError(
        'UNAVAILABLE',
        `Cannot lock the data folder ${dataDir} (${file}: ${messageOf(error)}). Check its permissions and free space; if the file is damaged, delete it.`,
        {
          cause: error,
          retryable: false,
          data: { dataDir },
        },
      );
    }
    throw new AppError(
      'CONFLICT',
      `Another Quarterdeck is using the data folder ${dataDir}. Use that one, end it, or choose another folder with --data-dir.`,
      {
        cause: error,
        data: { dataDir },
      },
    );
  }
  const held = connection;
  HELD.add(held);
  return toDisposable(() => {
    HELD.delete(held);
    held.close();
  });
}
