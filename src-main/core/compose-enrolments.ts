/** Agents from outside: those that are in, and how they come in. Only composes. */
import type { Logger } from 'pino';
import type { enrolmentsContract } from '#shared/enrolments/contract.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { freeId } from './agents/agent-draft.ts';
import type { AgentRegistry } from './agents/agent-registry.ts';
import { ExternalAgents } from './agents/external-agents.ts';
import type { AuthService } from './auth/auth-service.ts';
import { EnrolmentsService } from './enrolments/enrolments-service.ts';
import { enrolmentsHandlers } from './enrolments/handlers.ts';
import type { MessagesService } from './messages/messages-service.ts';
import type { HandlersOf } from './procedures.ts';
import type { ProjectsService } from './projects/projects-service.ts';
import type { AppStore } from './reads.ts';

/** What they are made of. */
export interface EnrolmentsParts {
  readonly store: AppStore;
  readonly registry: AgentRegistry;
  readonly messages: MessagesService;
  readonly projects: ProjectsService;
  readonly auth: AuthService;
  /** Where agents call. */
  readonly agentMcpUrl: () => string;
  readonly log: Logger;
}

/** What the doors need of them. */
export interface Enrolments {
  readonly handlers: HandlersOf<typeof enrolmentsContract>;
  /** An agent calls on its interface. Returns what is to be called when the call is over. */
  onCall(id: AgentId): () => void;
  dispose(): void;
}

/** Makes them, and begins to listen for those that are in. */
export async function composeEnrolments(o: EnrolmentsParts): Promise<Enrolments> {
  const { registry } = o;
  const log = (message: string, error: unknown): void => o.log.warn({ err: error }, message);
  const external = new ExternalAgents({ registry, heldBy: (id) => o.messages.heldBy(id), now: Date.now, log });
  const service = new EnrolmentsService({
    store: o.store,
    projects: () => o.projects.list(),
    agents: {
      find: (id) => registry.find(id),
      isTaken: (id) => registry.isTaken(id),
      freeId: (name) => freeId(slugOf(name), (id) => registry.isTaken(id)),
      enrol: (about, caller, also) => external.enrol(about, caller, also),
      change: (id, changes, caller) => external.change(id, changes, caller),
    },
    mintToken: (agent, caller) => o.auth.mintAgentToken({ agentId: agent.id, projectId: agent.projectId, caller }),
    log,
  });
  await service.open();
  external.open();
  return {
    handlers: enrolmentsHandlers(service, { agentMcpUrl: o.agentMcpUrl }),
    onCall: (id) => external.onCall(id),
    dispose: () => {
      service.dispose();
      external.dispose();
    },
  };
}

/** The beginning of an id made of a name: "Claude Code in api" becomes `claude-code-in-api`. */
function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  return slug === '' ? 'agent' : slug;
}
