/**
 * Finding again what an earlier core left: brings the state of every agent in line with what is really there.
 * Invariant: no process that should run is ended, and none runs that the states do not tell of.
 */
import type { Agent } from '#shared/agents/model.ts';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { RuntimeKind } from '#shared/runtimes/model.ts';
import type { Run, Runtime } from '#core/runtimes/runtime.ts';
import type { AgentRegistry } from './agent-registry.ts';
import type { AgentRuns } from './agent-runs.ts';
import { runRowOf } from './agent-runs.ts';
import { DRIVERS } from './types/drivers.ts';
import { runtimeOf } from './types/external.ts';

/** Why an agent that ran before is not there now. */
const LOST: Readonly<Record<RuntimeKind, string>> = {
  docker: 'its container is gone and nobody saw it end',
  tmux: 'its tmux session is gone and nobody saw it end',
  pty: 'its terminal ended with the core it ran in',
};

/** Why nothing can be said of an agent whose runtime does not answer. */
const UNSEEN: Readonly<Record<RuntimeKind, string>> = {
  docker: 'the container engine does not answer: its container may go on. It is looked for until the engine is back',
  tmux: 'tmux does not answer: its session may go on. It is looked for until tmux is back',
  pty: LOST.pty,
};

/** Until a runtime that did not answer is asked again, in milliseconds. */
const AGAIN_MS = 2_000;

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
  #timer: NodeJS.Timeout | undefined;
  #isDisposed = false;

  constructor(options: AdoptionOptions) {
    this.#o = options;
  }

  /**
   * Takes over what it finds. What goes wrong with one agent is logged and keeps no other from being found. A runtime that does
   * not answer is asked again until it does: what runs there would else have nobody who watches or could end it.
   */
  async run(): Promise<void> {
    await this.#look(Object.values(this.#o.runtimes).filter(({ isAdoptable }) => isAdoptable));
  }

  /** Asks nobody any more. */
  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
  }

  async #look(runtimes: readonly Runtime[]): Promise<void> {
    const ids = this.#o.registry.all().map((agent) => agent.id);
    const finding = this.#findRuns(runtimes, new Set(ids));
    await Promise.all(
      ids.map((id) =>
        this.#o
          .exclusively(id, async () => {
            const { runs, unseen } = await finding;
            const agent = this.#o.registry.find(id);
            // One from outside has no process here: whether it is there shows when it calls.
            if (agent && !isExternal(agent)) await this.#adoptOne(agent, runs.get(id) ?? [], unseen);
          })
          .catch((error: unknown) => this.#o.log(`agent ${id} could not be taken over`, error)),
      ),
    );
    const { unseen } = await finding;
    // Who has no agent there has nothing to be found: the engine need not even be installed.
    const wanted = unseen.filter(({ kind }) => this.#o.registry.all().some((agent) => agent.config.runtime === kind));
    if (wanted.length > 0) this.#lookLater(wanted);
  }

  #lookLater(runtimes: readonly Runtime[]): void {
    if (this.#isDisposed) return;
    this.#timer = setTimeout(() => {
      this.#lookAgain(runtimes).catch((error: unknown) => this.#o.log('agents could not be looked for again', error));
    }, AGAIN_MS);
    this.#timer.unref();
  }

  async #lookAgain(runtimes: readonly Runtime[]): Promise<void> {
    const probes = await Promise.all(runtimes.map((runtime) => runtime.probe()));
    const isBack = probes.some(({ isAvailable }) => isAvailable);
    if (isBack && !this.#isDisposed) await this.#look(runtimes);
    else this.#lookLater(runtimes);
  }

  async #findRuns(
    runtimes: readonly Runtime[],
    known: ReadonlySet<AgentId>,
  ): Promise<{ readonly runs: ReadonlyMap<AgentId, readonly Run[]>; readonly unseen: readonly Runtime[] }> {
    const runs = new Map<AgentId, Run[]>();
    const unseen: Runtime[] = [];
    for (const runtime of runtimes) {
      if ((await runtime.probe()).isAvailable)
        for (const run of await runtime.adopt(known)) runs.set(run.agentId, [...(runs.get(run.agentId) ?? []), run]);
      else unseen.push(runtime);
    }
    return { runs, unseen };
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

  async #adoptOne(agent: Agent, found: readonly Run[], unseen: readonly Runtime[]): Promise<void> {
    // In a later look: it was started meanwhile, or never was elsewhere.
    const held = this.#o.runs.find(agent.id);
    if (held !== undefined && found.every(({ runId }) => runId === held.runId)) return;
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
      const isUnseen = unseen.some(({ kind }) => kind === agent.config.runtime);
      const reason = (isUnseen ? UNSEEN : LOST)[runtimeOf(agent)];
      await this.#o.registry.apply(agent.id, { type: 'unreachable', reason });
    }
  }

  /** One whose box was changed since its launch: nothing of it may go on. */
  async #endBroken(agent: Agent, run: Run, doubt: string): Promise<void> {
    await this.#o.registry.apply(agent.id, {
      type: 'box-broken',
      reason: `Its box does not hold any more, so it was ended: ${doubt} Start it again for a new one.`,
    });
    await run.stop(0);
    await this.#o.runs.settled(agent.id);
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
    if (run.doubt !== undefined) return this.#endBroken(agent, run, run.doubt);
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
