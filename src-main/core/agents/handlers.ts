/** Handlers of the agents' procedures. */
import type { agentsContract } from '#shared/agents/contract.ts';
import type { Agent, AgentSummary } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { RunStats } from '#core/runtimes/runtime.ts';
import { askHealth } from './agent-health.ts';
import type { AgentLauncher } from './agent-launcher.ts';
import type { AgentRegistry } from './agent-registry.ts';
import type { AgentRuns } from './agent-runs.ts';
import type { AgentsService } from './agents-service.ts';
import { discover } from './discover.ts';
import type { ForeignSessions } from './foreign-sessions.ts';
import type { MetricsSampler } from './metrics-sampler.ts';
import type { Templates } from './templates.ts';
import { DRIVERS } from './types/drivers.ts';

/** An agent's endpoint has this long to answer, in milliseconds. */
const HEALTH_TIMEOUT_MS = 2_000;

/** What the handlers work with. */
export interface AgentsHandlerOptions {
  readonly agents: AgentsService;
  readonly registry: AgentRegistry;
  readonly runs: AgentRuns;
  readonly launcher: AgentLauncher;
  readonly templates: Templates;
  readonly metrics: MetricsSampler;
  readonly foreign: ForeignSessions;
  readonly unreadOf: (recipient: string) => number;
  readonly heldBy: (recipient: string) => number;
  readonly now: () => number;
}

/** Handlers of the agents' procedures. */
export function agentsHandlers(o: AgentsHandlerOptions): HandlersOf<typeof agentsContract> {
  const summary = (agent: Agent): AgentSummary => ({ ...agent, unread: o.unreadOf(agent.id) });

  return {
    // The key is the router's business: what is left is the draft.
    spawn: ({ idempotencyKey: _key, ...input }, { caller }) => o.agents.spawn(input, caller),

    list: async (input) => {
      const matching = o.registry
        .all()
        .filter(
          (agent) =>
            (input.projectId === undefined || agent.projectId === input.projectId) &&
            (input.status === undefined || agent.state.status === input.status) &&
            (input.type === undefined || agent.config.type === input.type) &&
            (input.capability === undefined || agent.config.capabilities.includes(input.capability)),
        );
      const { after } = input;
      const page = matching.filter((agent) => after === undefined || agent.id > after).slice(0, input.limit);
      return { agents: page.map(summary), total: matching.length };
    },

    get: async (input) => summary(o.registry.get(input.id)),
    update: async (input, { caller }) => {
      // Opening a way out of a box is rated HIGH (set_egress). This command is not, and must be no way round that.
      if (input.changes.egress !== undefined && caller.role !== 'operator')
        throw new AppError(
          'FORBIDDEN',
          'egress: only an operator changes where an agent may connect to (set_egress). Leave it out.',
          {
            data: { field: 'egress' },
          },
        );
      return o.agents.update(input.id, input.changes, caller);
    },
    start: (input, { caller }) => o.agents.start(input.id, caller),
    stop: (input, { caller }) => o.agents.stop(input.id, input.force ? 0 : input.graceMs, caller),
    restart: (input, { caller }) => o.agents.restart(input.id, input.force ? 0 : input.graceMs, caller),
    pause: (input, { caller }) => o.agents.pause(input.id, caller),
    resume: (input, { caller }) => o.agents.resume(input.id, caller),

    remove: async (input, { caller }) => {
      await o.agents.remove(input.id, caller);
      return { id: input.id, isRemoved: true as const };
    },

    stopAll: async (input, { caller }) => {
      const running = o.registry
        .all()
        .filter((agent) => o.agents.isStoppable(agent) && (input.projectId === undefined || agent.projectId === input.projectId));
      const stopped: AgentId[] = [];
      const failed: { id: AgentId; problem: string }[] = [];
      await Promise.all(
        running.map((agent) =>
          o.agents.stop(agent.id, input.force ? 0 : 5_000, caller).then(
            () => stopped.push(agent.id),
            (error: unknown) => failed.push({ id: agent.id, problem: messageOf(error) }),
          ),
        ),
      );
      return { stopped: stopped.sort(), failed };
    },

    health: async (input) => {
      const agent = o.registry.get(input.id);
      const run = isAlive(agent.state.status) ? o.runs.find(agent.id) : undefined;
      const stats = await run?.stats();
      const process = run && stats ? processOf(run.pid, stats) : null;
      const base = { id: agent.id, process };
      if (!DRIVERS[agent.config.type].hasHealthEndpoint)
        return { ...base, endpoint: 'none' as const, report: null, problem: null, responseMs: null };
      if (!run)
        return {
          ...base,
          endpoint: 'unanswered' as const,
          report: null,
          problem: `the agent is ${agent.state.status}`,
          responseMs: null,
        };
      const answer = await askHealth(o.launcher.healthSocketOf(agent), HEALTH_TIMEOUT_MS);
      return answer.isAnswered
        ? { ...base, endpoint: 'answered' as const, report: answer.report, problem: null, responseMs: answer.responseMs }
        : { ...base, endpoint: 'unanswered' as const, report: null, problem: answer.problem, responseMs: answer.responseMs };
    },

    metrics: (input) => o.metrics.read(input),
    adoptable: () => o.foreign.list(),
    adopt: (input, { caller }) => o.foreign.adopt(input, caller),

    discover: async (input, { caller }) => {
      const own = caller.agentId === undefined ? undefined : o.registry.get(caller.agentId);
      return discover({
        agents: o.registry.all().filter((agent) => agent.id !== own?.id),
        input: own ? { ...input, projectId: own.projectId } : input,
        unreadOf: o.unreadOf,
        heldBy: o.heldBy,
      });
    },

    report: async (input, { caller }) => {
      const id = callingAgent(caller);
      const agent = await o.registry.report(id, { doing: input.doing, progress: input.progress ?? null, at: o.now() }, caller);
      return { status: agent.state.status };
    },

    templates: async () => {
      const { templates, problems } = await o.templates.list();
      return { templates: [...templates], problems: [...problems] };
    },
  };
}

function processOf(pid: number, { cpuMs, memoryBytes, processes }: RunStats) {
  return { pid, cpuMs, memoryBytes, processes };
}

function callingAgent(caller: Caller): AgentId {
  if (caller.agentId === undefined) throw new AppError('FORBIDDEN', 'Only agents report a status; use their own token.');
  return caller.agentId;
}
