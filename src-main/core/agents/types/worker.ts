/** The worker: takes tasks as messages and does them without any model. */
import type { AgentDriver } from './agent-driver.ts';

/** The driver of workers. */
export const workerDriver: AgentDriver = {
  type: 'worker',
  argv: (_config, programs) => programs.guest('worker'),
  statusAtLaunch: 'starting',
  isJudgedByMail: true,
  hasHealthEndpoint: true,
  isTimeoutForRun: false,
};
