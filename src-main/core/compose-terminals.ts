/** Live terminals: the service, and the links over which windows watch and type. Only composes. */
import type { Logger } from 'pino';
import type { AgentRegistry } from './agents/agent-registry.ts';
import type { AgentRuns } from './agents/agent-runs.ts';
import type { AgentsService } from './agents/agents-service.ts';
import type { AuthService } from './auth/auth-service.ts';
import type { Caller } from './caller.ts';
import type { AppStore } from './reads.ts';
import type { Duplex } from './terminals/duplex.ts';
import { TerminalLink } from './terminals/terminal-link.ts';
import { TerminalsService } from './terminals/terminals-service.ts';

/** What terminals stand on. */
export interface TerminalsParts {
  readonly store: AppStore;
  readonly runs: AgentRuns;
  readonly registry: AgentRegistry;
  readonly agents: AgentsService;
  readonly auth: AuthService;
  readonly log: Logger;
}

/** Makes the service; `serve` joins a stream of bytes to it, whatever carries them. */
export function composeTerminals({ store, runs, registry, agents, auth, log }: TerminalsParts): {
  readonly service: TerminalsService;
  readonly serve: (duplex: Duplex, caller: Caller) => void;
  readonly dispose: () => void;
} {
  const service = new TerminalsService({
    store,
    runOf: (id) => runs.find(id),
    agentOf: (id) => registry.find(id),
    whenFound: (id) => agents.whenFound(id),
    nameOf: (actor) => auth.nameOf(actor),
    onFault: (error) => log.error({ err: error }, 'control of a terminal could not be recorded'),
  });
  const links = new Set<TerminalLink>();
  return {
    service,
    serve: (duplex, caller) => {
      const link = new TerminalLink({ duplex, caller, terminals: service, log: (message, facts) => log.warn(facts, message) });
      links.add(link);
      duplex.onClose(() => links.delete(link));
    },
    dispose: () => {
      for (const link of links) link.dispose();
      service.dispose();
    },
  };
}
