/** SQL of proofs. */
import * as z from 'zod';
import { BoundaryProof, ProofCheck } from '#shared/boundary/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { Db } from '#core/store/database.ts';

/** Proofs of one agent that are kept; the oldest go first. */
const KEPT_PER_AGENT = 100;

const { shape } = BoundaryProof;
const Row = z
  .object({
    id: shape.id,
    project_id: shape.projectId,
    agent_id: shape.agentId,
    run_id: shape.runId,
    boundary: shape.boundary,
    kind: shape.kind,
    at: shape.at,
    took_ms: shape.tookMs,
    holds: z.number(),
    problem: shape.problem,
    checks: z.string(),
  })
  .transform(({ project_id, agent_id, run_id, took_ms, holds, checks, ...row }): BoundaryProof => ({
    ...row,
    projectId: project_id,
    agentId: agent_id,
    runId: run_id,
    tookMs: took_ms,
    holds: holds !== 0,
    checks: z.array(ProofCheck).parse(JSON.parse(checks)),
  }));

const COLUMNS = 'id, project_id, agent_id, run_id, boundary, kind, at, took_ms, holds, problem, checks';

/** Adds a proof. `subject` names what was proved, where the same holds for other agents: image, options, engine. */
export function insertProof(db: Db, proof: BoundaryProof, subject: string | null): void {
  db.prepare(`INSERT INTO proofs (${COLUMNS}, subject) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    proof.id,
    proof.projectId,
    proof.agentId,
    proof.runId,
    proof.boundary,
    proof.kind,
    proof.at,
    proof.tookMs,
    proof.holds ? 1 : 0,
    proof.problem,
    JSON.stringify(proof.checks),
    subject,
  );
  db.prepare(
    'DELETE FROM proofs WHERE id IN (SELECT id FROM proofs WHERE agent_id = ? ORDER BY at DESC, id DESC LIMIT 10 OFFSET ?)',
  ).run(proof.agentId, KEPT_PER_AGENT);
}

/** The newest launch proof of an agent. */
export function latestLaunch(db: Db, agentId: AgentId): BoundaryProof | undefined {
  const row: unknown = db
    .prepare(`SELECT ${COLUMNS} FROM proofs WHERE agent_id = ? AND kind = 'launch' ORDER BY at DESC, id DESC LIMIT 1`)
    .get(agentId);
  return row === undefined ? undefined : Row.parse(row);
}

/** The newest exhaustion proof about this subject, whichever agent it was made for. */
export function latestExhaustion(db: Db, subject: string): BoundaryProof | undefined {
  const row: unknown = db
    .prepare(`SELECT ${COLUMNS} FROM proofs WHERE subject = ? AND kind = 'exhaustion' ORDER BY at DESC, id DESC LIMIT 1`)
    .get(subject);
  return row === undefined ? undefined : Row.parse(row);
}

/** Reads of proofs, run by the reader. */
export const boundaryReads = {
  /** The proofs of an agent, the newest first. */
  'boundary.proofs': (db: Db, args: { agentId: AgentId; limit: number }): BoundaryProof[] =>
    db
      .prepare(`SELECT ${COLUMNS} FROM proofs WHERE agent_id = ? ORDER BY at DESC, id DESC LIMIT ?`)
      .all(args.agentId, args.limit)
      .map((row) => Row.parse(row)),
};
