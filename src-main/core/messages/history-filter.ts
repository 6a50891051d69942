/**
 * SQL of the filters of a history: which stream of places is walked, and what a message on it must be. Pure.
 * A *stream* is a list of places (`seq`) that an index gives sorted: that of the narrowest filter stated, merged from
 * several where an index is sorted within priorities or kinds.
 */
import { MessageKind, OPERATOR, PRIORITIES } from '#shared/messages/model.ts';
import type { DeadReason } from '#shared/messages/model.ts';
import type { SqlValue } from '#core/store/database.ts';
import { IS_DEAD_LETTER } from './messages-repository.ts';

/** What narrows a history down. */
export interface HistoryFilter {
  readonly projectId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly participant?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly forOperator?: boolean | undefined;
  readonly kind?: MessageKind | undefined;
  readonly priority?: (typeof PRIORITIES)[number] | undefined;
  readonly state?: 'queued' | 'delivered' | 'read' | 'dead' | 'unsettled' | undefined;
  /** With state dead: only dead letters, or what died of one reason. */
  readonly deadOf?: 'letters' | DeadReason | undefined;
  readonly threadId?: string | undefined;
  readonly topic?: string | undefined;
}

/** A piece of SQL and its parameters. */
export interface Part {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** Which way a stream is walked. */
export type Direction = 'older' | 'newer';

/** How a delivery in each state is told. */
const STATE_SQL = {
  queued: 'd.delivered_at IS NULL AND d.dead_at IS NULL',
  delivered: 'd.delivered_at IS NOT NULL AND d.read_at IS NULL AND d.dead_at IS NULL',
  read: 'd.read_at IS NOT NULL',
  dead: 'd.dead_at IS NOT NULL',
  unsettled: 'd.read_at IS NULL AND d.dead_at IS NULL',
} as const;

/** What a message must be besides standing on the stream. All of it, whatever the stream has proved already. */
export function conditionsOf(f: HistoryFilter): Part[] {
  const parts: Part[] = [];
  const column = (name: string, value: SqlValue | undefined): void => {
    if (value !== undefined) parts.push({ sql: `m.${name} = ?`, params: [value] });
  };
  const copy = (condition: string, ...params: SqlValue[]): Part => ({
    sql: `EXISTS (SELECT 1 FROM deliveries d WHERE d.message_seq = m.seq AND ${condition})`,
    params,
  });
  column('thread_id', f.threadId);
  column('topic', f.topic);
  column('from_id', f.from);
  column('kind', f.kind);
  column('priority', f.priority && PRIORITIES.indexOf(f.priority));
  column('project_id', f.projectId);
  column('session_id', f.sessionId);
  if (f.participant !== undefined) {
    const received = copy('d.recipient = ?', f.participant);
    parts.push({ sql: `(m.from_id = ? OR ${received.sql})`, params: [f.participant, ...received.params] });
  }
  const recipients = recipientsOf(f);
  const state = stateOf(f);
  for (const recipient of recipients) {
    const sql = state === undefined ? '' : ` AND ${state.sql}`;
    parts.push(copy(`d.recipient = ?${sql}`, recipient, ...(state?.params ?? [])));
  }
  if (state !== undefined && recipients.length === 0) parts.push(copy(state.sql, ...state.params));
  if (f.forOperator === false) {
    const { sql, params } = copy('d.recipient = ?', OPERATOR);
    parts.push({ sql: `NOT ${sql}`, params });
  }
  return parts;
}

/** What a copy must be. */
function stateOf({ state, deadOf }: HistoryFilter): Part | undefined {
  if (state !== 'dead' || deadOf === undefined) return state && { sql: STATE_SQL[state], params: [] };
  return deadOf === 'letters' ? { sql: IS_DEAD_LETTER, params: [] } : { sql: 'd.dead_reason = ?', params: [deadOf] };
}

/** Whose copies are asked for. */
function recipientsOf(f: HistoryFilter): string[] {
  return [...new Set([...(f.to === undefined ? [] : [f.to]), ...(f.forOperator === true ? [OPERATOR] : [])])];
}

/** One sorted stream of places: everything of `SELECT` but the bound and the order. */
const messageStream = (index: string, condition: string, ...params: SqlValue[]): Part => ({
  sql: `SELECT m.seq AS seq FROM messages m INDEXED BY ${index} WHERE ${condition} AND m.seq`,
  params,
});
// Distinct: a message has several copies, and an index that gives them sorted tells them apart as it goes.
const deliveryStream = (index: string, condition: string, ...params: SqlValue[]): Part => ({
  sql: `SELECT DISTINCT d.message_seq AS seq FROM deliveries d INDEXED BY ${index} WHERE ${condition} AND d.message_seq`,
  params,
});

const LEVELS = PRIORITIES.map((_name, level) => level);

/** What a recipient was sent: sorted within each priority, and what died apart. */
function received(recipient: string, f: HistoryFilter): Part[] {
  const levels = f.priority === undefined ? LEVELS : [PRIORITIES.indexOf(f.priority)];
  const live = (index: string, condition: string): Part[] =>
    levels.map((level) => deliveryStream(index, `d.recipient = ? AND d.priority = ? AND ${condition}`, recipient, level));
  const dead = deliveryStream('deliveries_dead_by_recipient', 'd.recipient = ? AND d.dead_at IS NOT NULL', recipient);
  switch (f.state) {
    // The index of what is queued leaves out what is held back.
    case 'queued':
    case 'delivered':
    case 'unsettled':
      return live('deliveries_unread', STATE_SQL.unsettled);
    case 'dead':
      return [dead];
    case 'read':
      return live('deliveries_by_recipient', 'd.dead_at IS NULL');
    case undefined:
      return [...live('deliveries_by_recipient', 'd.dead_at IS NULL'), dead];
  }
}

/** The streams of the narrowest filter. Together they hold every match. */
function streamsOf(f: HistoryFilter): Part[] {
  const [recipient] = recipientsOf(f);
  if (f.threadId !== undefined) return [messageStream('messages_by_thread', 'm.thread_id = ?', f.threadId)];
  if (f.topic !== undefined) return [messageStream('messages_by_topic', 'm.topic = ?', f.topic)];
  if (f.state !== undefined && f.state !== 'read' && recipient === undefined) {
    return f.state === 'dead'
      ? [deliveryStream('deliveries_dead', STATE_SQL.dead)]
      : [deliveryStream('deliveries_open', STATE_SQL.unsettled)];
  }
  if (recipient !== undefined) return received(recipient, f);
  if (f.from !== undefined) return [messageStream('messages_by_sender', 'm.from_id = ?', f.from)];
  if (f.participant !== undefined) {
    return [
      messageStream('messages_by_sender', 'm.from_id = ?', f.participant),
      ...received(f.participant, { priority: f.priority }),
    ];
  }
  if (f.sessionId !== undefined) return [messageStream('messages_by_session', 'm.session_id = ?', f.sessionId)];
  if (f.kind !== undefined || f.priority !== undefined) {
    const kinds = f.kind === undefined ? MessageKind.options : [f.kind];
    const levels = f.priority === undefined ? LEVELS : [PRIORITIES.indexOf(f.priority)];
    return kinds.flatMap((kind) =>
      levels.map((level) => messageStream('messages_by_kind', 'm.kind = ? AND m.priority = ?', kind, level)),
    );
  }
  if (f.projectId !== undefined) return [messageStream('messages_by_project', 'm.project_id = ?', f.projectId)];
  return [{ sql: 'SELECT m.seq AS seq FROM messages m WHERE m.seq', params: [] }];
}

/** The streams as one, sorted and each place once, at most so many: SQLite merges them as it walks. */
export function streamOf(f: HistoryFilter, direction: Direction, from: number, atMost: number): Part {
  const [comparison, order] = direction === 'older' ? ['<', 'DESC'] : ['>', 'ASC'];
  const streams = streamsOf(f);
  return {
    sql: `${streams.map(({ sql }) => `${sql} ${comparison} ?`).join(' UNION ')} ORDER BY seq ${order} LIMIT ?`,
    params: [...streams.flatMap(({ params }) => [...params, from]), atMost],
  };
}
