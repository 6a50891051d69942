/** SQL of retention: policies, what a limit reaches, what keeps a message all the same, and removing. Functions that change rows take a Tx. */
import * as z from 'zod';
import type { MessageId, ProjectId } from '#shared/kernel/ids.ts';
import { ProjectId as ProjectIdSchema } from '#shared/kernel/ids.ts';
import type { KEPT_BECAUSE } from '#shared/retention/model.ts';
import { KEEP_EVERYTHING, RetentionPolicy, RetentionReport } from '#shared/retention/model.ts';
import { IS_DEAD_LETTER } from '#core/messages/messages-repository.ts';
import type { Db } from '#core/store/database.ts';
import { readFact, saveFact } from '#core/store/facts-repository.ts';

const POLICY_FACT = 'retention';
const APPLIED_FACT = 'retention-applied';
const RUN_FACT = 'retention-run';

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A project's policy. One that cannot be read keeps everything: nothing may be lost by a damaged fact. */
export function readPolicy(db: Db, projectId: ProjectId): RetentionPolicy {
  return RetentionPolicy.catch(KEEP_EVERYTHING).parse(parse(readFact(db, POLICY_FACT, projectId)) ?? KEEP_EVERYTHING);
}

/** Keeps a project's policy. */
export function savePolicy(db: Db, projectId: ProjectId, policy: RetentionPolicy): void {
  saveFact(db, POLICY_FACT, JSON.stringify(policy), projectId);
}

/** Projects that have a policy of their own. */
export function projectsWithPolicy(db: Db): ProjectId[] {
  return db
    .prepare('SELECT project_id FROM facts WHERE name = ?')
    .all(POLICY_FACT)
    .map((row) => ProjectIdSchema.parse(z.object({ project_id: z.string() }).parse(row).project_id));
}

/** When the policy of a project was applied last; null: never. */
export function appliedAt(db: Db, projectId: ProjectId): number | null {
  return z
    .number()
    .nullable()
    .catch(null)
    .parse(parse(readFact(db, APPLIED_FACT, projectId)) ?? null);
}

/** Keeps when the policy of a project was applied. */
export function saveAppliedAt(db: Db, projectId: ProjectId, at: number): void {
  saveFact(db, APPLIED_FACT, JSON.stringify(at), projectId);
}

/** Keeps what a run has removed so far: told by the next core when this one does not come to it. */
export function saveRun(db: Db, report: RetentionReport): void {
  saveFact(db, RUN_FACT, JSON.stringify(report), report.projectId);
}

/** Forgets a run that was told of. */
export function endRun(db: Db, projectId: ProjectId): void {
  db.prepare('DELETE FROM facts WHERE name = ? AND project_id = ?').run(RUN_FACT, projectId);
}

/** Runs that were broken off. */
export function brokenRuns(db: Db): RetentionReport[] {
  return db
    .prepare('SELECT value FROM facts WHERE name = ?')
    .all(RUN_FACT)
    .flatMap((row) => {
      const run = RetentionReport.safeParse(parse(z.object({ value: z.string() }).parse(row).value));
      return run.success ? [run.data] : [];
    });
}

/** Why a message stays that a limit would remove. */
export type KeptBecause = (typeof KEPT_BECAUSE)[number];

/** How far a walk from the newest message down has come. */
export interface WalkState {
  /** Messages before this place are left. */
  readonly before: number;
  /** Messages passed, and their bytes. */
  readonly passed: number;
  readonly bytes: number;
}

/** The limits, with the age as a time. */
export interface Limits {
  readonly sentBefore: number | null;
  readonly maxMessages: number | null;
  readonly maxBytes: number | null;
}

/** A message that a limit reaches. */
export interface ReachedMessage {
  readonly seq: number;
  readonly bytes: number;
  readonly sentAt: number;
  readonly sessionId: string;
  /** Null: it goes. */
  readonly keptBecause: KeptBecause | null;
}

const ScanRow = z.object({ seq: z.number(), sent_at: z.number(), session_id: z.string(), bytes: z.number() });
const SIZE = 'coalesce(octet_length(m.subject), 0) + octet_length(m.body) + coalesce(octet_length(m.data), 0)';

/** One piece of the walk: what the limits reach among the next messages down; `next` is null at the end. */
function scan(
  db: Db,
  args: { projectId: string; limits: Limits; state: WalkState; limit: number },
): { reached: ReachedMessage[]; next: WalkState | null } {
  const { limits, state } = args;
  const rows = db
    .prepare(
      `SELECT m.seq, m.sent_at, m.session_id, ${SIZE} AS bytes FROM messages m INDEXED BY messages_by_project
       WHERE m.project_id = ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ?`,
    )
    .all(args.projectId, state.before, args.limit)
    .map((row) => ScanRow.parse(row));
  let { passed, bytes } = state;
  const keeper = new Keeper(db);
  const reached: ReachedMessage[] = [];
  for (const row of rows) {
    passed += 1;
    bytes += row.bytes;
    const isReached =
      (limits.sentBefore !== null && row.sent_at < limits.sentBefore) ||
      (limits.maxMessages !== null && passed > limits.maxMessages) ||
      (limits.maxBytes !== null && bytes > limits.maxBytes);
    if (isReached)
      reached.push({
        seq: row.seq,
        bytes: row.bytes,
        sentAt: row.sent_at,
        sessionId: row.session_id,
        keptBecause: keeper.why(row.seq),
      });
  }
  const last = rows.at(-1);
  return { reached, next: last && rows.length === args.limit ? { before: last.seq, passed, bytes } : null };
}

const Found = z.object({
  id: z.string(),
  kind: z.string(),
  thread_id: z.string(),
  project_id: z.string(),
  unread: z.number(),
  alive: z.number(),
});
const Place = z.object({
  id: z.number(),
  project_id: z.string(),
  from_seq: z.number(),
  until_seq: z.number().nullable(),
  cursor: z.number(),
});

/** Says why messages stay. For one transaction: it remembers threads. */
class Keeper {
  readonly #db: Db;
  readonly #threads = new Map<string, boolean>();
  readonly #places: readonly z.infer<typeof Place>[];

  constructor(db: Db) {
    this.#db = db;
    this.#places = db
      .prepare('SELECT * FROM mirror_places ORDER BY id DESC')
      .all()
      .map((row) => Place.parse(row));
  }

  /** Why a message stays; null when it may go, or is gone. */
  why(seq: number): KeptBecause | null {
    const row = this.#db
      .prepare(
        `SELECT m.id, m.kind, m.thread_id, m.project_id,
           EXISTS (SELECT 1 FROM deliveries d WHERE d.message_seq = m.seq AND d.read_at IS NULL AND d.dead_at IS NULL) AS unread,
           EXISTS (SELECT 1 FROM deliveries d WHERE d.message_seq = m.seq AND d.dead_at IS NULL) AS alive
         FROM messages m WHERE m.seq = ?`,
      )
      .get(seq);
    if (row === undefined) return null;
    const found = Found.parse(row);
    if (found.unread === 1) return 'unread';
    if (this.#isUnread(found.thread_id)) return 'unread-thread';
    // Where every copy has died, nobody is left to answer.
    if (found.kind === 'request' && found.alive === 1 && !this.#isAnswered(found.thread_id, found.id)) return 'open-request';
    const place = this.#places.find(
      (p) =>
        p.id === 1 || (p.project_id === found.project_id && seq > p.from_seq && (p.until_seq === null || seq <= p.until_seq)),
    );
    return place && place.cursor < seq ? 'not-mirrored' : null;
  }

  #isUnread(threadId: string): boolean {
    let isUnread = this.#threads.get(threadId);
    if (isUnread === undefined) {
      isUnread =
        this.#db
          .prepare(
            `SELECT 1 FROM messages t INDEXED BY messages_by_thread CROSS JOIN deliveries d ON d.message_seq = t.seq
             WHERE t.thread_id = ? AND d.read_at IS NULL AND d.dead_at IS NULL LIMIT 1`,
          )
          .get(threadId) !== undefined;
      this.#threads.set(threadId, isUnread);
    }
    return isUnread;
  }

  #isAnswered(threadId: string, id: string): boolean {
    return (
      this.#db
        .prepare(
          "SELECT 1 FROM messages r INDEXED BY messages_by_thread WHERE r.thread_id = ? AND r.in_reply_to = ? AND r.kind = 'reply' LIMIT 1",
        )
        .get(threadId, id) !== undefined
    );
  }
}

/** A message that was removed. */
export interface RemovedMessage {
  readonly seq: number;
  readonly id: MessageId;
  readonly isRequest: boolean;
  readonly hadDead: boolean;
  readonly bytes: number;
  readonly sentAt: number;
  readonly sessionId: string;
}

const RemovedRow = ScanRow.omit({ seq: true }).extend({
  id: z.string(),
  kind: z.string(),
  project_id: z.string(),
  dead: z.number(),
});

/**
 * Removes a message, its copies, and its text from the journal, unless something keeps it by now: undefined then. The journal
 * keeps the row and the hash of its data, so that the chain can still be verified.
 */
export function removeMessage(db: Db, seq: number): RemovedMessage | undefined {
  const row = db
    .prepare(
      `SELECT m.id, m.kind, m.project_id, m.sent_at, m.session_id, ${SIZE} AS bytes,
         EXISTS (SELECT 1 FROM deliveries d WHERE d.message_seq = m.seq AND ${IS_DEAD_LETTER}) AS dead
       FROM messages m WHERE m.seq = ?`,
    )
    .get(seq);
  if (row === undefined || new Keeper(db).why(seq) !== null) return undefined;
  const found = RemovedRow.parse(row);
  db.prepare('DELETE FROM mirror_ends WHERE message_seq = ?').run(seq);
  db.prepare('DELETE FROM deliveries WHERE message_seq = ?').run(seq);
  db.prepare('DELETE FROM messages WHERE seq = ?').run(seq);
  db.prepare("UPDATE journal SET data = NULL WHERE subject = ? AND kind = 'message.sent'").run(found.id);
  const isRequest = found.kind === 'request';
  db.prepare('UPDATE message_counts SET total = total - 1, requests = requests - ?, dead = dead - ? WHERE project_id = ?').run(
    isRequest ? 1 : 0,
    found.dead,
    found.project_id,
  );
  // Minted and checked when the row was written.
  return {
    seq,
    id: found.id as MessageId,
    isRequest,
    hadDead: found.dead === 1,
    bytes: found.bytes,
    sentAt: found.sent_at,
    sessionId: found.session_id,
  };
}

/** Forgets the mirror of a session in the data folder; undefined when there is none. Returns the name of its folder. */
export function forgetMirror(db: Db, sessionId: string): string | undefined {
  const row = db.prepare('DELETE FROM mirror_folders WHERE place_id = 1 AND session_id = ? RETURNING folder').get(sessionId);
  return row === undefined ? undefined : z.object({ folder: z.string() }).parse(row).folder;
}

/** Whether a session has no messages and is not the one that runs. */
export function isEmptySession(db: Db, sessionId: string): boolean {
  const row = db.prepare('SELECT ended_at FROM sessions WHERE id = ?').get(sessionId);
  if (row === undefined || z.object({ ended_at: z.number().nullable() }).parse(row).ended_at === null) return false;
  return db.prepare('SELECT 1 FROM messages WHERE session_id = ? LIMIT 1').get(sessionId) === undefined;
}

/** Reads of retention, run by the reader. */
export const retentionReads = {
  /** One piece of a walk from the newest message down. */
  'retention.scan': (db: Db, args: { projectId: string; limits: Limits; state: WalkState; limit: number }) => scan(db, args),

  /** How many messages these sessions have. */
  'retention.session-sizes': (db: Db, args: { sessionIds: readonly string[] }): number[] =>
    args.sessionIds.map(
      (id) =>
        z
          .object({ n: z.number() })
          .parse(db.prepare('SELECT count(*) AS n FROM messages INDEXED BY messages_by_session WHERE session_id = ?').get(id)).n,
    ),
};
