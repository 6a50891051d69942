/** A command: any program the operator names. It has the agent interface in its environment and may use it or not. */
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentDriver } from './agent-driver.ts';

/** The driver of commands. */
export const commandDriver: AgentDriver = {
  type: 'command',
  argv: (config) => {
    if (config.command === undefined)
      throw new AppError('BAD_REQUEST', 'command is required for type "command".', { data: { field: 'command' } });
    return config.command;
  },
  statusAtLaunch: 'working',
  isJudgedByMail: false,
  hasHealthEndpoint: false,
  isTimeoutForRun: true,
};
