/** How the core starts and understands one type of agent. One file per type beside this one. */
import type { AgentConfig, AgentType } from '#shared/agents/model.ts';

/** Programs that run as agents or beside them, each with a folder in `guests/`. */
export type GuestName = 'worker' | 'gateway';

/** Node's own arguments for a guest. The gateway lives for days beside everything else: with small young generations it keeps half the memory. */
export function nodeOptionsOf(name: GuestName): readonly string[] {
  return name === 'gateway' ? ['--max-semi-space-size=2'] : [];
}

/** Where the programs are that the core brings along. Given by the host. */
export interface Programs {
  /** Program and first arguments of a guest, for example `[node, …/worker.js]`. */
  guest(name: GuestName): readonly string[];
}

/** One type of agent. */
export interface AgentDriver {
  readonly type: AgentType;
  /** Program and arguments. */
  argv(config: AgentConfig, programs: Programs): readonly string[];
  /** The state that a running process is evidence for: `starting` until the agent speaks to the core, `working` when it never does. */
  readonly statusAtLaunch: 'starting' | 'working';
  /** Whether its calls on the agent interface tell idle from working. */
  readonly isJudgedByMail: boolean;
  /** Whether it serves a health endpoint on QUARTERDECK_HEALTH_SOCKET and writes QUARTERDECK_QUEUE_FILE. */
  readonly hasHealthEndpoint: boolean;
  /** Whether `resourceLimits.timeout` bounds the whole run (a command) or each task, which the agent sees to itself (a worker). */
  readonly isTimeoutForRun: boolean;
}
