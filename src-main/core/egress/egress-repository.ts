/** SQL of connections, of how far the gateway's log was stored, and of the model APIs. */
import * as z from 'zod';
import type { GatewayEvent } from '#shared/gateway/model.ts';
import type { EgressProposal } from '#shared/egress/model.ts';
import { coversHost, DEFAULT_MODEL_APIS, EgressConnection, EgressProtocol, ModelApi, parseRule } from '#shared/egress/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { Db } from '#core/store/database.ts';
import { readFact, saveFact } from '#core/store/facts-repository.ts';

/** Connections that are kept; the oldest go first. */
export const KEPT_CONNECTIONS = 100_000;
/** Targets that are looked at for proposals, and proposals that are made of them. */
const MAX_TARGETS = 500;

const { shape } = EgressConnection;
const Row = z
  .object({
    id: shape.id,
    project_id: shape.projectId,
    agent_id: shape.agentId,
    via: shape.via,
    host: shape.host,
    port: shape.port,
    protocol: shape.protocol,
    address: shape.address,
    outcome: shape.outcome,
    reason: shape.reason,
    at: shape.at,
    duration_ms: shape.durationMs,
    sent_bytes: shape.sentBytes,
    received_bytes: shape.receivedBytes,
  })
  .transform(({ project_id, agent_id, duration_ms, sent_bytes, received_bytes, ...row }): EgressConnection => ({
    ...row,
    projectId: project_id,
    agentId: agent_id,
    durationMs: duration_ms,
    sentBytes: sent_bytes,
    receivedBytes: received_bytes,
  }));

const COLUMNS =
  'id, project_id, agent_id, via, host, port, protocol, address, outcome, reason, at, duration_ms, sent_bytes, received_bytes';

/** How far the gateway's log was stored. */
export const LogPosition = z.object({
  /** Counts the logs there were: one that was lost or put back is another one. */
  log: z.number().int().positive(),
  /** Number of the last entry that is stored; 0 before the first. */
  n: z.number().int().min(0),
  /** What that entry was, to tell its log from another that has an entry of this number. */
  mark: z.string(),
});
/** How far the gateway's log was stored. */
export type LogPosition = z.infer<typeof LogPosition>;

/** What an entry is, in a text that two different ones do not share. */
export function markOf({ connection }: GatewayEvent): string {
  return `${connection.id} ${connection.agentId} ${connection.at} ${connection.outcome}`;
}

const POSITION_FACT = 'egress.log';
const MODEL_APIS_FACT = 'egress.model-apis';

/** How far the log was stored. */
export function readPosition(db: Db): LogPosition {
  const text = readFact(db, POSITION_FACT);
  return text === undefined ? { log: 1, n: 0, mark: '' } : LogPosition.parse(JSON.parse(text));
}

/** Keeps how far the log was stored. */
export function savePosition(db: Db, position: LogPosition): void {
  saveFact(db, POSITION_FACT, JSON.stringify(position));
}

/** What became of an entry's row. */
export interface Stored {
  readonly isNew: boolean;
}

/** Adds a connection, or brings its row up to date. One that was let through and has ended keeps naming the rule it came by. */
export function upsertConnection(db: Db, log: number, { connection: c, count }: GatewayEvent): Stored {
  const changed = db
    .prepare(
      `UPDATE egress_connections SET address = ?, outcome = ?, reason = iif(?, reason, ?), duration_ms = ?, sent_bytes = ?, received_bytes = ?
       WHERE log = ? AND connection = ?`,
    )
    .run(c.address, c.outcome, c.outcome === 'closed' ? 1 : 0, c.reason, c.durationMs, c.sentBytes, c.receivedBytes, log, c.id);
  if (changed.changes > 0) return { isNew: false };
  db.prepare(
    `INSERT INTO egress_connections (log, connection, project_id, agent_id, via, host, port, protocol, address, outcome, reason, at,
       duration_ms, sent_bytes, received_bytes, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    log,
    c.id,
    c.projectId,
    c.agentId,
    c.via,
    c.host,
    c.port,
    c.protocol,
    c.address,
    c.outcome,
    c.reason,
    c.at,
    c.durationMs,
    c.sentBytes,
    c.receivedBytes,
    count,
  );
  return { isNew: true };
}

/** Lets the oldest connections go. Bounded: a table that is far too long gets shorter with each call. */
export function pruneConnections(db: Db, kept: number): void {
  db.prepare(
    `DELETE FROM egress_connections WHERE id IN (
       SELECT id FROM egress_connections WHERE id <= (SELECT max(id) FROM egress_connections) - ? ORDER BY id LIMIT 1000)`,
  ).run(kept);
}

/** The model APIs: the operator's list, else those there are from the start. */
export function readModelApis(db: Db): readonly ModelApi[] {
  const text = readFact(db, MODEL_APIS_FACT);
  return text === undefined ? DEFAULT_MODEL_APIS : z.array(ModelApi).parse(JSON.parse(text));
}

/** Keeps the operator's list. */
export function saveModelApis(db: Db, apis: readonly ModelApi[]): void {
  saveFact(db, MODEL_APIS_FACT, JSON.stringify(apis));
}

/** Addresses of this machine, of its neighbours' metadata, and of no one: nobody is to be tempted to allow these. */
const NEVER_PROPOSED = /^((0|127|22[4-9]|2[3-5]\d)\.|169\.254\.)|(^|\.)localhost$/;

/** Which connections. */
export interface ConnectionsArgs {
  readonly agentId?: string | undefined;
  readonly outcome?: string | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** An agent that learns, with the rules it has. */
export interface Learner {
  readonly id: string;
  readonly rules: readonly string[];
}

const Target = z.object({
  agent_id: AgentId,
  host: z.string(),
  port: z.number(),
  protocol: EgressProtocol,
  count: z.number(),
  last_at: z.number(),
});

/** Reads of connections, run by the reader. */
export const egressReads = {
  /** A page of connections, the newest first, and whether more follow. */
  'egress.connections': (db: Db, args: ConnectionsArgs): { connections: EgressConnection[]; hasMore: boolean } => {
    const where: string[] = [];
    const params: (string | number)[] = [];
    const add = (condition: string, value: string | number | undefined): void => {
      if (value === undefined) return;
      where.push(condition);
      params.push(value);
    };
    add('agent_id = ?', args.agentId);
    add('outcome = ?', args.outcome);
    add('id < ?', args.before);
    const condition = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
    const rows = db
      .prepare(`SELECT ${COLUMNS} FROM egress_connections ${condition} ORDER BY id DESC LIMIT ?`)
      .all(...params, args.limit + 1)
      .map((row) => Row.parse(row));
    return { connections: rows.slice(0, args.limit), hasMore: rows.length > args.limit };
  },

  /** Rules that would have allowed what was refused to agents because no rule allowed it, the most frequent first. */
  'egress.proposals': (db: Db, args: { learners: readonly Learner[]; reason: string }): EgressProposal[] => {
    const rules = new Map(
      args.learners.map(({ id, rules: present }) => [id, present.flatMap((rule) => parseRule(rule) ?? [])] as const),
    );
    return db
      .prepare(
        `SELECT agent_id, host, port, protocol, sum(count) AS count, max(at) AS last_at FROM egress_connections
         WHERE outcome = 'refused' AND reason = ? AND agent_id IN (SELECT value FROM json_each(?))
         GROUP BY agent_id, host, port, protocol ORDER BY count DESC, last_at DESC LIMIT ?`,
      )
      .all(args.reason, JSON.stringify([...rules.keys()]), MAX_TARGETS)
      .map((row) => Target.parse(row))
      .filter((target) => {
        const isAllowed = rules
          .get(target.agent_id)
          ?.some(
            ({ host, port, protocol }) => port === target.port && protocol === target.protocol && coversHost(host, target.host),
          );
        // What an agent asked for need not be a name that a rule can hold.
        return isAllowed !== true && !NEVER_PROPOSED.test(target.host) && parseRule(ruleFor(target)) !== undefined;
      })
      .map((target) => ({ agentId: target.agent_id, rule: ruleFor(target), count: target.count, lastAt: target.last_at }));
  },
};

function ruleFor({ host, port, protocol }: { host: string; port: number; protocol: string }): string {
  return `${host}:${port}:${protocol}`;
}
