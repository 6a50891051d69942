/** Agents from outside: started by somebody else, somewhere. Nothing here starts, stops, pauses or contains one. */
import type { Agent } from '#shared/agents/model.ts';
import { isExternal } from '#shared/agents/model.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { RuntimeKind } from '#shared/runtimes/model.ts';
import type { AgentDriver } from './agent-driver.ts';

/** The driver of agents from outside. */
export const externalDriver: AgentDriver = {
  type: 'external',
  argv: (config) => {
    throw notOurs(config.id);
  },
  statusAtLaunch: 'starting',
  isJudgedByMail: true,
  hasHealthEndpoint: false,
  isTimeoutForRun: false,
};

/** The agent, if its process is ours to command. CONFLICT, with what to do, for one from outside. */
export function requireOurs(agent: Agent): Agent {
  if (isExternal(agent)) throw notOurs(agent.id);
  return agent;
}

/** The runtime that holds an agent of ours. CONFLICT, with what to do, for one from outside. */
export function runtimeOf({ id, config }: Pick<Agent, 'id' | 'config'>): RuntimeKind {
  if (config.runtime === 'none') throw notOurs(id);
  return config.runtime;
}

function notOurs(id: string): AppError {
  return new AppError(
    'CONFLICT',
    `Agent "${id}" was enrolled from outside: Quarterdeck did not start it and does not control its process. Start or stop it where it runs; remove_agent ends its access.`,
    { data: { id } },
  );
}
