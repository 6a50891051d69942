/** The body of the reader's thread: answers named queries, each in a read transaction of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { messageOf } from '#shared/kernel/errors.ts';
import { isDamage, openDatabase } from './database.ts';
import { CLOSE } from './reader.ts';
import type { ReadRequest, ReadResponse, ReadTable } from './reader.ts';

/** Serves `queries` until the thread is ended. */
export function serveReads(queries: ReadTable): void {
  const { file } = z.object({ file: z.string() }).parse(workerData);
  const connection = openDatabase(file, { readOnly: true });
  parentPort?.on('message', (request: ReadRequest | typeof CLOSE) => {
    if (request === CLOSE) {
      connection.close();
      parentPort?.close();
      return;
    }
    const response = answer(request);
    try {
      parentPort?.postMessage(response);
    } catch (error) {
      // A result that is no plain data: this query's bug must not end the thread for the others.
      parentPort?.postMessage({ id: request.id, ok: false, message: messageOf(error) } satisfies ReadResponse);
    }
  });

  function answer(request: ReadRequest): ReadResponse {
    const query = queries[request.name];
    if (!query) return { id: request.id, ok: false, message: `there is no query "${request.name}"` };
    try {
      connection.exec('BEGIN');
      // The caller's types were checked against the same table in Store.read.
      return { id: request.id, ok: true, value: query(connection, request.args as never) };
    } catch (error) {
      return { id: request.id, ok: false, message: messageOf(error), isDamage: isDamage(error) };
    } finally {
      // Reads only: there is nothing to lose, and a failed one has ended its transaction already.
      if (connection.isInTransaction()) connection.exec('ROLLBACK');
    }
  }
}
