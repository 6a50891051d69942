/** SQL of agents. */
import * as z from 'zod';
import { Agent, AgentRun, AgentState, SelfReport } from '#shared/agents/model.ts';
import type { Db } from '#core/store/database.ts';

const Row = z.object({
  id: z.string(),
  project_id: z.string(),
  config: z.string(),
  template: z.string().nullable(),
  state: z.string(),
  says: z.string().nullable(),
  run: z.string().nullable(),
  boundary: z.string(),
  boundary_note: z.string(),
  starts: z.number(),
  created_at: z.number(),
  removed_at: z.number().nullable(),
});

/** An agent and whether it was removed. */
export interface StoredAgent {
  readonly agent: Agent;
  readonly isRemoved: boolean;
}

function fromRow(row: unknown): StoredAgent {
  const r = Row.parse(row);
  const agent = Agent.parse({
    id: r.id,
    projectId: r.project_id,
    config: JSON.parse(r.config) as unknown,
    template: r.template,
    state: AgentState.parse(JSON.parse(r.state)),
    says: r.says === null ? null : SelfReport.parse(JSON.parse(r.says)),
    run: r.run === null ? null : AgentRun.parse(JSON.parse(r.run)),
    boundary: r.boundary,
    boundaryNote: r.boundary_note,
    starts: r.starts,
    createdAt: r.created_at,
  });
  return { agent, isRemoved: r.removed_at !== null };
}

/** Every agent there ever was, removed ones included: their ids are taken. */
export function allAgents(db: Db): StoredAgent[] {
  return db.prepare('SELECT * FROM agents').all().map(fromRow);
}

/** One agent that is not removed. */
export function findAgent(db: Db, id: string): Agent | undefined {
  const row = db.prepare('SELECT * FROM agents WHERE id = ? AND removed_at IS NULL').get(id);
  return row === undefined ? undefined : fromRow(row).agent;
}

/** Adds an agent. Fails on an id that was ever used. */
export function insertAgent(db: Db, agent: Agent): void {
  db.prepare(
    'INSERT INTO agents (id, project_id, config, template, state, says, run, boundary, boundary_note, starts, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    agent.id,
    agent.projectId,
    JSON.stringify(agent.config),
    agent.template,
    JSON.stringify(agent.state),
    agent.says === null ? null : JSON.stringify(agent.says),
    agent.run === null ? null : JSON.stringify(agent.run),
    agent.boundary,
    agent.boundaryNote,
    agent.starts,
    agent.createdAt,
  );
}

/** Brings the changing columns of an agent up to date. */
export function updateAgent(db: Db, agent: Agent): void {
  db.prepare(
    'UPDATE agents SET config = ?, state = ?, says = ?, run = ?, boundary = ?, boundary_note = ?, starts = ? WHERE id = ?',
  ).run(
    JSON.stringify(agent.config),
    JSON.stringify(agent.state),
    agent.says === null ? null : JSON.stringify(agent.says),
    agent.run === null ? null : JSON.stringify(agent.run),
    agent.boundary,
    agent.boundaryNote,
    agent.starts,
    agent.id,
  );
}

/** Marks an agent as removed. */
export function markRemoved(db: Db, id: string, at: number): void {
  db.prepare('UPDATE agents SET removed_at = ? WHERE id = ?').run(at, id);
}

/** Reads of agents, run by the reader. */
export const agentReads = {
  /** Every agent that is not removed. */
  'agents.all': (db: Db, _args: Record<string, never>): Agent[] =>
    db
      .prepare('SELECT * FROM agents WHERE removed_at IS NULL')
      .all()
      .map((row) => fromRow(row).agent),
};
