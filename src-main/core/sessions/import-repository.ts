/** SQL of an import. Functions that change rows take a Tx. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '#shared/kernel/json.ts';
import type { DeadReason, Message } from '#shared/messages/model.ts';
import type { DeliveryEnd } from '#shared/sessions/mirror-lines.ts';
import { findMessage, hasDeadLetter, insertMessage } from '#core/messages/messages-repository.ts';
import type { Db } from '#core/store/database.ts';

/** Why a copy is dead that had not been read when it was imported. */
export const IMPORTED = 'imported' satisfies DeadReason;

/** What a message says, whatever project and session it belongs to. */
export function digestOf(message: Message): string {
  return createHash('sha256')
    .update(canonicalJson({ ...message, projectId: null, sessionId: null }))
    .digest('hex');
}

/** A difference to a project's counts. */
export interface CountChange {
  readonly total: number;
  readonly requests: number;
  readonly dead: number;
}

function changeDead(db: Db, projectId: string, by: number): void {
  if (by !== 0) db.prepare('UPDATE message_counts SET dead = dead + ? WHERE project_id = ?').run(by, projectId);
}

/**
 * Sets how a copy ended. What is open is dead here: nobody is handed an imported message, and nothing becomes of it by
 * itself. Returns whether that changed anything.
 */
function setEnd(db: Db, seq: number, end: DeliveryEnd, importedAt: number): boolean {
  const readAt = end.state === 'read' ? end.at : null;
  const reason = end.state === 'read' ? null : end.state === 'dead' ? end.reason : IMPORTED;
  const deadAt = end.state === 'read' ? null : end.state === 'dead' ? end.at : importedAt;
  const { changes } = db
    .prepare(
      `UPDATE deliveries SET delivered_at = ?, read_at = ?, dead_at = ?, dead_reason = ?, leased_until = NULL, held_until = NULL, reply_by = NULL
       WHERE message_seq = ? AND recipient = ?
         AND NOT (read_at IS ? AND dead_reason IS ? AND (dead_at IS ? OR dead_reason = '${IMPORTED}'))`,
    )
    .run(end.deliveredAt, readAt, deadAt, reason, seq, end.recipient, readAt, reason, deadAt);
  return changes > 0;
}

/** Adds a message with its copies, all of them ended. Returns what became of the counts, and how many ends were stated. */
export function insertImportedMessage(
  db: Db,
  message: Message,
  ttlMs: number | null,
  ends: readonly DeliveryEnd[],
  importedAt: number,
): { counts: CountChange; ends: number } {
  const dataText = message.data === null ? null : JSON.stringify(message.data);
  const seq = insertMessage(db, { message, dataText, idempotencyKey: null, ttlMs });
  const stated = new Map(ends.map((end) => [end.recipient, end]));
  for (const recipient of message.recipients)
    setEnd(db, seq, stated.get(recipient) ?? { recipient, state: 'open', at: null, deliveredAt: null, reason: null }, importedAt);
  const dead = hasDeadLetter(db, seq) ? 1 : 0;
  changeDead(db, message.projectId, dead);
  return {
    counts: { total: 1, requests: message.kind === 'request' ? 1 : 0, dead },
    ends: message.recipients.filter((recipient) => (stated.get(recipient)?.state ?? 'open') !== 'open').length,
  };
}

/** Sets how a copy of a message ended that was imported before; false where nothing changed. A message of this core keeps its own ends. */
export function importEnd(
  db: Db,
  messageId: string,
  end: DeliveryEnd,
  importedAt: number,
): { projectId: Message['projectId']; dead: number } | undefined {
  const stored = findMessage(db, messageId);
  if (!stored || !isImported(db, stored.message.sessionId)) return undefined;
  const before = hasDeadLetter(db, stored.seq);
  if (!setEnd(db, stored.seq, end, importedAt)) return undefined;
  const dead = Number(hasDeadLetter(db, stored.seq)) - Number(before);
  changeDead(db, stored.message.projectId, dead);
  return { projectId: stored.message.projectId, dead };
}

function isImported(db: Db, sessionId: string): boolean {
  return db.prepare("SELECT 1 FROM sessions WHERE id = ? AND origin = 'import'").get(sessionId) !== undefined;
}

/** Reads of imports, run by the reader. */
export const importReads = {
  /** Of these messages, what those say that are here already. */
  'imports.digests': (db: Db, args: { ids: readonly string[] }): (readonly [id: string, digest: string])[] =>
    args.ids.flatMap((id) => {
      const stored = findMessage(db, id);
      return stored ? [[id, digestOf(stored.message)] as const] : [];
    }),
};
