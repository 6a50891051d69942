/** What the journal says about agents, and how a window folds it. */
import * as z from 'zod';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import { Boundary } from '#shared/runtimes/model.ts';
import { Agent, AgentRun, AgentState, SelfReport } from './model.ts';

/** Data of each journal event about agents, by kind. The subject is the agent's id. */
export const agentEvents = {
  'agent.created': z.object({ agent: Agent }),
  'agent.state-changed': z.object({ state: AgentState }),
  'agent.run-started': z.object({ run: AgentRun, starts: z.number().int() }),
  'agent.reported': z.object({ says: SelfReport }),
  'agent.config-changed': z.object({ config: Agent.shape.config }),
  /** What confines it is another, or is held in another way. */
  'agent.boundary-changed': z.object({ boundary: Boundary, note: z.string() }),
  /** Its memory was used up: the kernel ended something of it, and it lives on. */
  'agent.memory-refused': z.object({ limit: z.string() }),
  'agent.removed': z.object({}),
};

/** Agents by id. */
export type AgentTable = Readonly<Record<string, Agent>>;

type AgentEvent = {
  [K in keyof typeof agentEvents]: { kind: K; subject: string; data: z.infer<(typeof agentEvents)[K]> };
}[keyof typeof agentEvents];

/** Folds one event into the table; events about unknown agents change nothing. */
export function reduceAgents(table: AgentTable, event: AgentEvent): AgentTable {
  if (event.kind === 'agent.created') return { ...table, [event.subject]: event.data.agent };
  const agent = ownEntry(table, event.subject);
  if (!agent) return table;
  switch (event.kind) {
    case 'agent.state-changed':
      return { ...table, [agent.id]: { ...agent, state: event.data.state } };
    case 'agent.run-started':
      return { ...table, [agent.id]: { ...agent, run: event.data.run, starts: event.data.starts, says: null } };
    case 'agent.reported':
      return { ...table, [agent.id]: { ...agent, says: event.data.says } };
    case 'agent.config-changed':
      return { ...table, [agent.id]: { ...agent, config: event.data.config } };
    case 'agent.boundary-changed':
      return { ...table, [agent.id]: { ...agent, boundary: event.data.boundary, boundaryNote: event.data.note } };
    case 'agent.memory-refused':
      return table;
    case 'agent.removed': {
      const { [agent.id]: _gone, ...rest } = table;
      return rest;
    }
  }
}
