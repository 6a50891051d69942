/**
 * Finding again what an earlier core left: brings the state of every agent in line with what is really there.
 * Invariant: no process that should run is ended, and none runs that the states do not tell of.
 */
import type { Agent } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { RuntimeKind } from '#shared/runtimes/model.ts';
import type { Run, Runtime } from '#core/runtimes/runtime.ts';
import type { AgentRegistry } from './agent-registry.ts';
import type { AgentRuns } from './agent-runs.ts';
import { runRowOf } from './agent-runs.ts';
import { DRIVERS } from './types/drivers.ts';

/** Why an agent that ran before is not there now. */
const LOST: Readonly<Record<RuntimeKind, string>> = {
  docker: 'its container is gone and nobody saw it end',
  tmux: 'its tmux session is gone and nobody saw it end',
  pty: 'its terminal ended with the core it ran in',
};

/** What adoption works with. */
export interface AdoptionOptions {
  readonly registry: AgentRegistry;
  readonly runs: AgentRuns;
  readonly runtimes: Readonly<Record<RuntimeKind, Runtime>>;
  /** Tasks and requests an agent has taken and not acknowledged. */
  readonly heldBy: (id: AgentId) => number;
  /** Launches an agent whose start was ordered. */
  readonly launch: (agent: Agent) => Promise<Agent>;
  /** Runs a task when no command on the agent runs, and keeps commands waiting meanwhile. */
  readonly exclusively: (id: AgentId, task: () => Promise<void>) => Promise<void>;
  /** A run was taken over: what it needs from outside is set up again. */
  readonly onAdopted: (agent: Agent, run: Run) => Promise<void>;
  readonly log: (message: string, error?: unknown) => void;
}

/** One look at what is there, at the start of a core. */
export class Adoption {
  readonly #o: AdoptionOptions;

  constructor(options: AdoptionOptions) {
    this.#o = options;
  }

  /** Takes over what it finds. What goes wrong with one agent is logged and keeps no other from being found. */
  async run(): Promise<void> {
    const ids = this.#o.registry.all().map((agent) => agent.id);
    const finding = this.#findRuns(new Set(ids));
    await Promise.all(
      ids.map((id) =>
        this.#o
          .exclusively(id, async () => this.#adoptOne(this.#o.registry.get(id), (await finding).get(id) ?? []))
          .catch((error: unknown) => this.#o.log(`agent ${id} could not be taken over`, error)),
      ),
    );
    await finding;
  }

  async #findRuns(known: ReadonlySet<AgentId>): Promise<ReadonlyMap<AgentId, readonly Run[]>> {
    const found = new Map<AgentId, Run[]>();
    for (const runtime of Object.values(this.#o.runtimes)) {
      if (!runtime.isAdoptable || !(await runtime.probe()).isAvailable) continue;
      for (const run of await runtime.adopt(known)) found.set(run.agentId, [...(found.get(run.agentId) ?? []), run]);
    }
    return found;
  }

  /** Ends what runs elsewhere than the configuration wants it: an agent has no process outside of the box that it asks for. */
  async #inItsPlace(agent: Agent, runs: readonly Run[]): Promise<Run | undefined> {
    for (const run of runs.filter(({ kind }) => kind !== agent.config.runtime)) {
      this.#o.log(`a process of agent ${agent.id} was found in ${run.kind}, where it does not belong any more: ending it`);
      await run.stop(0);
      await run.discard();
    }
    return runs.find(({ kind }) => kind === agent.config.runtime);
  }

  async #adoptOne(agent: Agent, found: readonly Run[]): Promise<void> {
    const run = await this.#inItsPlace(agent, found);
    const { status, evidence } = agent.state;
    // The start was ordered and nothing more: a process that bears the number of the agent's last run is from before.
    const isOrdered = status === 'starting' && evidence.source === 'command';
    const isOld = isOrdered && run?.runId === agent.run?.id;
    if (run && !isOld && (isAlive(status) || status === 'lost')) {
      await this.#takeOver(agent, run);
    } else if (isOrdered) {
      this.#o.log(`agent ${agent.id} was being started when the last core ended: starting it again`);
      await run?.stop(0);
      await run?.discard();
      await this.#o.launch(agent).catch((error: unknown) => this.#o.log(`agent ${agent.id} could not be started`, error));
    } else if (run) {
      await this.#keepEnded(agent, run);
    } else if (isAlive(status)) {
      const reason = LOST[agent.config.runtime];
      await this.#o.registry.apply(agent.id, { type: 'unreachable', reason });
    }
  }

  async #takeOver(agent: Agent, run: Run): Promise<void> {
    if (agent.run?.id !== run.runId) {
      await this.#o.registry.startRun(agent.id, runRowOf(run), {
        type: 'process-started',
        pid: run.pid,
        status: DRIVERS[agent.config.type].statusAtLaunch,
      });
    }
    this.#o.runs.track(agent, run);
    await this.#o
      .onAdopted(agent, run)
      .catch((error: unknown) => this.#o.log(`what agent ${agent.id} needs could not be set up again`, error));
    if (agent.state.status === 'stopping') {
      await run.stop(3_000);
      await this.#o.runs.settled(agent.id);
      return;
    }
    await this.#o.registry.apply(agent.id, {
      type: 'adopted',
      pid: run.pid,
      isPaused: run.isPaused(),
      status: this.#adoptedStatus(agent),
      detail: `process ${run.pid} was found running`,
    });
  }

  #adoptedStatus(agent: Agent): 'starting' | 'idle' | 'working' | 'waiting' {
    const driver = DRIVERS[agent.config.type];
    if (!driver.isJudgedByMail) return 'working';
    if (agent.state.status === 'starting') return 'starting';
    return this.#o.heldBy(agent.id) > 0 ? 'working' : 'idle';
  }

  /** A run that is over: its last screen is kept for reading. A process that nobody should have is ended. */
  async #keepEnded(agent: Agent, run: Run): Promise<void> {
    const end = await Promise.race([run.ended, Promise.resolve(undefined)]);
    if (end === undefined) {
      this.#o.log(`a process of agent ${agent.id} was found that belongs to no known run: ending it`);
      await run.stop(3_000);
    }
    this.#o.runs.track(agent, run);
  }
}
