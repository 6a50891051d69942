/**
 * The agent port is chosen once per data folder and kept: agents that outlive the core hold its address.
 * Pure: decides which port to bind; binding is the doors' business.
 */
import { AppError } from '#shared/kernel/errors.ts';

/** The port when nothing else was said. */
export const DEFAULT_AGENT_PORT = 3100;

/** Which port to bind, and whether another one will do. */
export interface AgentPortChoice {
  readonly port: number;
  /** Whether the next free port may be taken instead: only for a first choice that nobody stated. */
  readonly isNegotiable: boolean;
}

/**
 * Decides. `stated` is what the operator asked for (0 = any), `kept` what this data folder chose before, `hasLiveAgents`
 * whether agents may still run that hold the kept address. Another port than the kept one is a CONFLICT while they do.
 */
export function chooseAgentPort(stated: number | undefined, kept: number | undefined, hasLiveAgents: boolean): AgentPortChoice {
  if (kept === undefined)
    return stated === undefined ? { port: DEFAULT_AGENT_PORT, isNegotiable: true } : { port: stated, isNegotiable: false };
  if (stated === undefined || stated === 0 || stated === kept) return { port: kept, isNegotiable: false };
  if (hasLiveAgents) {
    throw new AppError(
      'CONFLICT',
      `Agents of this data folder are running and hold the agent port ${kept}; it cannot become ${stated} now. Leave out the port, or stop the agents first.`,
      { data: { kept, stated } },
    );
  }
  return { port: stated, isNegotiable: false };
}
