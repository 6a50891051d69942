/**
 * One core per data folder: `lock.db` is held with BEGIN EXCLUSIVE. The operating system frees it with the process,
 * however that ends, so a lock is never left behind.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { openLockFile } from './database.ts';

/** Takes the lock, or fails with CONFLICT when another core holds it. */
export function takeLock(file: string, dataDir: string): Disposable {
  const connection = openLockFile(file);
  try {
    connection.pragma('journal_mode = DELETE');
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection.close();
    throw new AppError('CONFLICT', `Another Quarterdeck is using the data folder ${dataDir} (${messageOf(error)}). Use that one, end it, or choose another folder with --data-dir.`, {
      cause: error,
      data: { dataDir },
    });
  }
  return toDisposable(() => connection.close());
}
