/** The agent types there are. Only composes. */
import type { AgentType } from '#shared/agents/model.ts';
import type { AgentDriver } from './agent-driver.ts';
import { commandDriver } from './command.ts';
import { externalDriver } from './external.ts';
import { workerDriver } from './worker.ts';

/** The driver of each agent type. */
export const DRIVERS: Readonly<Record<AgentType, AgentDriver>> = {
  worker: workerDriver,
  command: commandDriver,
  external: externalDriver,
};
