/**
 * Agents: making them, their lifecycle, and finding again those that an earlier core left running.
 * Invariant: commands on one agent run one after the other; a state is only ever changed by the registry, from a fact.
 */
import type { Agent, AgentDraft } from '#shared/agents/model.ts';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { mintId } from '#shared/kernel/ids.ts';
import { canonicalJson } from '#shared/kernel/json.ts';
import type { Project } from '#shared/projects/model.ts';
import type { RuntimeKind } from '#shared/runtimes/model.ts';
import { boundaryOf } from '#shared/runtimes/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import type { Run, Runtime } from '#core/runtimes/runtime.ts';
import { completeConfig, freeId, overlay, spawnConfig } from './agent-draft.ts';
import type { AgentLauncher } from './agent-launcher.ts';
import type { AgentRegistry } from './agent-registry.ts';
import { Adoption } from './adoption.ts';
import { boundaryNote } from './box-plan.ts';
import type { AgentRuns } from './agent-runs.ts';
import { runRowOf } from './agent-runs.ts';
import { KeyedMutex } from './keyed-mutex.ts';
import type { Templates } from './templates.ts';
import { DRIVERS } from './types/drivers.ts';
import { requireOurs, runtimeOf } from './types/external.ts';

/** What may be changed of an agent; an image of null is the agent image again. */
type AgentChanges = Omit<AgentDraft, 'image'> & { readonly image?: string | null | undefined };

/** What a spawn may state, beside the draft. */
export interface SpawnInput extends AgentDraft {
  readonly template?: string | undefined;
  readonly projectFolder?: string | undefined;
  readonly start?: boolean | undefined;
}

/** What the service is made of. */
export interface AgentsOptions {
  readonly registry: AgentRegistry;
  readonly runs: AgentRuns;
  readonly launcher: AgentLauncher;
  readonly templates: Templates;
  readonly runtimes: Readonly<Record<RuntimeKind, Runtime>>;
  readonly resolveProject: (
    stated: { projectId?: ProjectId | undefined; projectFolder?: string | undefined },
    caller: Caller,
  ) => Promise<Project>;
  /** Tasks and requests an agent has taken and not acknowledged. */
  readonly heldBy: (id: AgentId) => number;
  /** As whom an agent in a box runs; undefined where it is the operator. */
  readonly userOf: (id: AgentId) => number | undefined;
  /** Ends every token of an agent. */
  readonly endAccess: (id: AgentId, caller: Caller) => Promise<void>;
  /** A run of an earlier core was found: what it needs from outside is set up again. */
  readonly onAdopted: (agent: Agent, run: Run) => Promise<void>;
  readonly now: () => number;
  readonly log: (message: string, error?: unknown) => void;
}

/** What makes its box: a running agent's cannot be changed under it. */
const FIXED_WHILE_RUNNING = ['runtime', 'sandbox', 'image'] as const;

/** Until what could not be stored is tried again, in milliseconds. */
const RETRY_MS = 1_000;

/** Owns the lifecycle of agents. */
export class AgentsService {
  readonly #o: AgentsOptions;
  readonly #commands = new KeyedMutex<AgentId>();
  readonly #closing = new AbortController();
  readonly #adoption: Adoption;

  constructor(options: AgentsOptions) {
    this.#o = options;
    this.#adoption = new Adoption({
      ...options,
      launch: (agent) => this.#launch(agent),
      onAdopted: async (agent, run) => {
        await options.onAdopted(agent, run);
        await this.#describe(agent, run);
      },
      exclusively: (id, task) => this.#commands.run(id, task),
    });
  }

  /** Creates an agent and, unless told otherwise, starts it. */
  async spawn(input: SpawnInput, caller: Caller): Promise<Agent> {
    const { template: templateName, projectFolder, start = true, ...stated } = input;
    const template = templateName === undefined ? undefined : await this.#o.templates.get(templateName);
    const draft = template ? overlay(template.agent, stated) : stated;
    const project = await this.#o.resolveProject({ projectId: stated.projectId, projectFolder }, caller);
    if (stated.id !== undefined)
      return this.#commands.run(stated.id, () =>
        this.#spawnAs(stated.id as AgentId, draft, template?.name ?? null, project, start, caller),
      );
    // A minted id may be taken by a spawn that runs beside this one; then the next free one is tried.
    for (;;) {
      const id = freeId(
        template?.name ?? draft.type ?? 'agent',
        (candidate) => this.#o.registry.isTaken(candidate) || this.#commands.isBusy(candidate),
      );
      const agent = await this.#commands.run(id, async () =>
        this.#o.registry.isTaken(id) ? undefined : this.#spawnAs(id, draft, template?.name ?? null, project, start, caller),
      );
      if (agent) return agent;
    }
  }

  /** Starts an agent that does not run. */
  start(id: AgentId, caller: Caller): Promise<Agent> {
    return this.#commands.run(id, () => this.#start(id, caller));
  }

  /** Stops an agent and everything it started; resolves when it has ended. */
  stop(id: AgentId, graceMs: number, caller: Caller): Promise<Agent> {
    return this.#commands.run(id, () => this.#stop(id, graceMs, caller));
  }

  /** Stops an agent and starts it with its present configuration. */
  restart(id: AgentId, graceMs: number, caller: Caller): Promise<Agent> {
    return this.#commands.run(id, async () => {
      await this.#stop(id, graceMs, caller);
      return this.#start(id, caller);
    });
  }

  /** Freezes every process of an agent. */
  pause(id: AgentId, caller: Caller): Promise<Agent> {
    return this.#pause(id, caller, undefined);
  }

  /** Freezes an agent for a reason of the core's own, which its state then gives. */
  pauseBecause(id: AgentId, because: string): Promise<Agent> {
    return this.#pause(id, CORE, because);
  }

  #pause(id: AgentId, caller: Caller, because: string | undefined): Promise<Agent> {
    return this.#commands.run(id, async () => {
      const agent = requireOurs(this.#o.registry.get(id));
      if (agent.state.status === 'paused') return agent;
      const run = this.#liveRun(agent, 'pause');
      await run.pause();
      if (!run.isPaused())
        throw new AppError(
          'UNAVAILABLE',
          `Agent "${id}" could not be paused: its processes go on running. Try again, or stop it.`,
          { data: { id } },
        );
      try {
        return await this.#o.registry.apply(id, { type: 'frozen', by: caller.actor.id, because }, caller);
      } catch (error) {
        // Not written down, so it must not be so: nobody would know that it has to be resumed.
        await run.resume();
        throw error;
      }
    });
  }

  /** Lets a paused agent go on. */
  resume(id: AgentId, caller: Caller): Promise<Agent> {
    return this.#commands.run(id, async () => {
      const agent = requireOurs(this.#o.registry.get(id));
      if (agent.state.status !== 'paused') {
        if (isAlive(agent.state.status)) return agent;
        throw new AppError('CONFLICT', `Agent "${id}" is ${agent.state.status}, not paused. Start it instead.`, {
          data: { id, status: agent.state.status },
        });
      }
      await this.#liveRun(agent, 'resume').resume();
      return this.#o.registry.apply(id, { type: 'thawed', by: caller.actor.id }, caller);
    });
  }

  /** Changes the stated fields of the configuration. An image of null is the agent image again. */
  update(id: AgentId, changes: AgentChanges, caller: Caller): Promise<Agent> {
    return this.#commands.run(id, async () => {
      const agent = this.#o.registry.get(id);
      const { id: _id, projectId, image, ...present } = agent.config;
      const { image: wanted, ...stated } = changes;
      // One from outside is put into none.
      if (stated.runtime !== undefined) runtimeOf(agent);
      const chosen = wanted === undefined ? image : (wanted ?? undefined);
      const config = completeConfig(
        overlay({ ...present, ...(chosen === undefined ? {} : { image: chosen }) }, stated),
        id,
        projectId,
      );
      if (canonicalJson(config) === canonicalJson(agent.config)) return agent;
      const isRunning = isAlive(agent.state.status);
      const field = FIXED_WHILE_RUNNING.find((name) => config[name] !== agent.config[name]);
      // The process of a lost agent may still be there, in the box that it was put into.
      if (this.isStoppable(agent) && field !== undefined) {
        throw new AppError('CONFLICT', `Agent "${id}" runs in ${agent.config.runtime}; stop it before changing its ${field}.`, {
          data: { field },
        });
      }
      const changed = await this.#o.registry.configure(id, config, caller);
      const run = this.#o.runs.find(id);
      if (!isRunning || run === undefined)
        return this.#o.registry.describe(id, boundaryOf(config), boundaryNote(changed, boundaryOf(config), undefined), caller);
      const hasOtherLimits = canonicalJson(config.resourceLimits) !== canonicalJson(agent.config.resourceLimits);
      if (hasOtherLimits && run.limits.mechanism !== 'none') await run.changeLimits(config.resourceLimits);
      return this.#describe(changed, run);
    });
  }

  /** Removes an agent that does not run here; its access ends first. Its files and messages stay. */
  remove(id: AgentId, caller: Caller): Promise<void> {
    return this.#commands.run(id, async () => {
      const agent = this.#o.registry.get(id);
      if (isAlive(agent.state.status) && !isExternal(agent))
        throw new AppError('CONFLICT', `Agent "${id}" is ${agent.state.status}. Stop it first, then remove it.`, {
          data: { id, status: agent.state.status },
        });
      await this.#o.runs.discard(id);
      await this.#o.endAccess(id, caller);
      await this.#o.registry.remove(id, caller);
    });
  }

  /** Notes that an agent spoke on its interface: the evidence for idle and working. */
  noteActivity(recipient: string, held: number): void {
    const agent = this.#o.registry.findByName(recipient);
    if (!agent || !DRIVERS[agent.config.type].isJudgedByMail) return;
    const detail = held === 0 ? 'asks for mail and holds no task' : `holds ${held} ${held === 1 ? 'task' : 'tasks'} it has taken`;
    const wanted = held > 0 ? 'working' : 'idle';
    if (agent.state.status === wanted) return;
    this.#o.registry
      .apply(agent.id, { type: 'activity', held, detail })
      .catch((error: unknown) => this.#o.log(`activity of agent ${agent.id} could not be stored`, error));
  }

  /**
   * Finds the agents that an earlier core left, and brings every state in line with what is really there. Commands wait
   * until their agent's turn is over. What goes wrong with one agent is logged and keeps no other from being found.
   */
  async adopt(): Promise<void> {
    await this.#adoption.run();
  }

  /** Its memory was used up, and it lives on. */
  noteMemoryRefused(id: AgentId): Promise<void> {
    return this.#o.registry.noteMemoryRefused(id);
  }

  /** Resolves when what runs on an agent now, its adoption above all, is over. */
  async whenFound(id: AgentId): Promise<void> {
    await this.#commands.run(id, () => Promise.resolve());
  }

  /** Whether there may be a process to end. That of a lost agent may go on without a terminal, and can still be ended. */
  isStoppable(agent: Agent): boolean {
    const { status } = agent.state;
    return !isExternal(agent) && (isAlive(status) || (status === 'lost' && this.#o.runs.find(agent.id) !== undefined));
  }

  /** Ends what cannot outlive the core and lets go of the rest. */
  async close(options: { stopAgents: boolean }): Promise<void> {
    this.#closing.abort();
    this.#adoption.dispose();
    const ending = this.#o.registry
      .all()
      .filter((agent) =>
        options.stopAgents
          ? this.isStoppable(agent)
          : this.isStoppable(agent) && isAlive(agent.state.status) && !this.#o.runtimes[runtimeOf(agent)].isAdoptable,
      );
    await Promise.all(
      ending.map((agent) =>
        this.stop(agent.id, 3_000, CORE).catch((error: unknown) => this.#o.log(`agent ${agent.id} could not be stopped`, error)),
      ),
    );
    this.#o.runs.dispose();
    for (const runtime of Object.values(this.#o.runtimes)) await runtime.close();
  }

  async #spawnAs(
    id: AgentId,
    draft: AgentDraft,
    template: string | null,
    project: Project,
    start: boolean,
    caller: Caller,
  ): Promise<Agent> {
    const config = spawnConfig(draft, id, project.id);
    const present = this.#o.registry.find(id);
    if (present) {
      if (canonicalJson(present.config) !== canonicalJson(config)) {
        throw new AppError(
          'CONFLICT',
          `There is an agent "${id}" with another configuration. Choose another id, change it with update_agent, or repeat its own configuration.`,
          { data: { id } },
        );
      }
    } else {
      const at = this.#o.now();
      await this.#o.registry.add(
        {
          id,
          projectId: project.id,
          config,
          template,
          state: { status: 'created', since: at, evidence: { source: 'command', detail: `created by ${caller.actor.id}`, at } },
          says: null,
          run: null,
          boundary: boundaryOf(config),
          boundaryNote: boundaryNote({ config }, boundaryOf(config), undefined),
          starts: 0,
          createdAt: at,
        },
        caller,
      );
    }
    return start ? this.#start(id, caller) : this.#o.registry.get(id);
  }

  async #start(id: AgentId, caller: Caller): Promise<Agent> {
    const agent = requireOurs(this.#o.registry.get(id));
    if (isAlive(agent.state.status)) return agent;
    if (this.#closing.signal.aborted) throw new AppError('UNAVAILABLE', 'Quarterdeck is ending: no agent is started any more.');
    await this.#o.runs.discard(id);
    await this.#o.registry.apply(id, { type: 'start-ordered', by: caller.actor.id }, caller);
    return this.#launch(this.#o.registry.get(id));
  }

  async #launch(agent: Agent): Promise<Agent> {
    const driver = DRIVERS[agent.config.type];
    const runtime = this.#o.runtimes[runtimeOf(agent)];
    let run: Run | undefined;
    try {
      const spec = await this.#o.launcher.prepare(agent, driver, mintId('run'));
      run = await runtime.launch(spec);
      const started = await this.#o.registry.startRun(agent.id, runRowOf(run), {
        type: 'process-started',
        pid: run.pid,
        status: driver.statusAtLaunch,
      });
      this.#o.runs.track(started, run);
      return await this.#describe(started, run);
    } catch (error) {
      const reason = messageOf(error);
      const isBoundary = error instanceof AppError && error.data['cause'] === 'boundary';
      // It runs and could not be written down: nobody would watch it. Where the core is closing, the next one finds it.
      if (run && !this.#closing.signal.aborted) await run.stop(0);
      await this.#o.registry
        .apply(agent.id, { type: 'launch-failed', reason, isBoundary })
        .catch(() => this.#tellFailureLater(agent, { reason, isBoundary }));
      throw new AppError('UNAVAILABLE', `Agent "${agent.id}" did not start: ${reason}`, {
        cause: error,
        retryable: false,
        data: { id: agent.id },
      });
    }
  }

  /** Brings what is said of its boundary in line with how its run is really held. */
  async #describe(agent: Agent, run: Run): Promise<Agent> {
    return this.#o.registry.describe(
      agent.id,
      boundaryOf(agent.config),
      boundaryNote(agent, boundaryOf(agent.config), run.limits, this.#o.userOf(agent.id)),
    );
  }

  /** A failed launch that could not be written down, on a full disk: tried again, or the agent would seem to be starting for good. */
  #tellFailureLater(agent: Agent, failure: { readonly reason: string; readonly isBoundary: boolean }): void {
    const timer = setTimeout(() => {
      if (this.#closing.signal.aborted) return;
      this.#commands
        .run(agent.id, async () => {
          const { state } = this.#o.registry.get(agent.id);
          // Stopped or started anew since then: that is told by itself.
          if (state.status === 'starting' && state.since === agent.state.since)
            await this.#o.registry.apply(agent.id, { type: 'launch-failed', ...failure });
        })
        .catch(() => this.#tellFailureLater(agent, failure));
    }, RETRY_MS);
    timer.unref();
  }

  async #stop(id: AgentId, graceMs: number, caller: Caller): Promise<Agent> {
    const agent = requireOurs(this.#o.registry.get(id));
    const run = this.#o.runs.find(id);
    if (!this.isStoppable(agent)) return agent;
    await this.#o.registry.apply(id, { type: 'stop-ordered', by: caller.actor.id }, caller);
    if (run) {
      await run.stop(graceMs);
      await this.#o.runs.settled(id);
      // Of a lost run the end was told when it was lost; now its processes are gone for certain, and nobody saw how.
      if (this.#o.registry.get(id).state.status === 'stopping') await this.#o.registry.apply(id, { type: 'exited', exit: {} });
    } else {
      await this.#o.registry.apply(id, { type: 'unreachable', reason: 'no process of it is known' });
    }
    return this.#o.registry.get(id);
  }

  #liveRun(agent: Agent, what: string): Run {
    const run = this.#o.runs.find(agent.id);
    const { status } = agent.state;
    if (!run || status === 'starting' || status === 'stopping' || !isAlive(status)) {
      throw new AppError('CONFLICT', `Agent "${agent.id}" is ${status}: there is nothing to ${what}.`, {
        data: { id: agent.id, status },
      });
    }
    return run;
  }
}
