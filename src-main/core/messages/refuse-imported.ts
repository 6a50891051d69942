/** Messages that were imported are read-only: those who wrote them are not there, and an answer would reach whoever has their names now. */
import { AppError } from '#shared/kernel/errors.ts';
import type { Message } from '#shared/messages/model.ts';
import type { Db } from '#core/store/database.ts';

function isImported(db: Db, sessionId: string): boolean {
  return db.prepare("SELECT 1 FROM sessions WHERE id = ? AND origin = 'import'").get(sessionId) !== undefined;
}

/** FORBIDDEN when copies of a message are to be brought back that was imported. */
export function refuseRetryOfImported(db: Db, { id, sessionId }: Message): void {
  if (!isImported(db, sessionId)) return;
  throw new AppError(
    'FORBIDDEN',
    `Message ${id} was imported from files: it belongs to an earlier session and is handed to nobody. Nothing was changed. Send what it says as a new message.`,
    { data: { field: 'id' } },
  );
}

/** FORBIDDEN when a message that is to be answered was imported. */
export function refuseAnswerToImported(db: Db, { id, sessionId }: Message): void {
  if (!isImported(db, sessionId)) return;
  throw new AppError(
    'FORBIDDEN',
    `Message ${id} was imported from files: it belongs to an earlier session, and those who wrote it are not there to hear an answer. Nothing was sent. Send a new message, and leave inReplyTo out.`,
    { data: { field: 'inReplyTo' } },
  );
}
