/**
 * Agents in containers of a Docker engine (or Podman's, which speaks the same): one container each, which outlives the core
 * and is found again by its labels. Nothing starts in a container before it has proved from inside and outside what holds it;
 * whatever goes wrong before that removes the container.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'dockerode';
import type Docker from 'dockerode';
import { BOX } from '#shared/box/places.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { AgentId as AgentIdSchema } from '#shared/kernel/ids.ts';
import type { RuntimeAvailability } from '#shared/runtimes/model.ts';
import { checkCommand, refuseBox } from '../launch-check.ts';
import type { BoxSpec, LaunchDesk, LaunchSpec, Run, Runtime } from '../runtime.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { agentImageName } from './agent-image.ts';
import { doubtOf, outsideChecks } from './container-checks.ts';
import type { EngineEvent } from './container-events.ts';
import { ContainerEvents } from './container-events.ts';
import { findContainerImage } from './container-image.ts';
import { inspectContainer } from './container-inspect.ts';
import { readBoxLog } from './container-log.ts';
import { containerOptions, LABEL, limitsOf } from './container-options.ts';
import { createAgentContainer } from './create-container.ts';
import { DockerRun } from './docker-run.ts';
import { askEngine } from './engine-deadline.ts';
import { engineFault } from './engine-faults.ts';
import type { EngineDescription } from './engine.ts';
import { connectEngine, describeEngine } from './engine.ts';
import type { SocketWay } from './engine-reach.ts';
import { EngineReach, localSocketOf } from './engine-reach.ts';
import { isTooOld, remedyFor, troubleOf } from './engine-remedy.ts';
import { hostPid } from './find-agent-process.ts';
import { ensureKit, forgetKit } from './image-kit.ts';
import type { ImageSource } from './image-source.ts';
import { KeptPicture } from './kept-picture.ts';
import { removeContainer } from './remove-container.ts';
import { StartQueue } from './start-queue.ts';
import { startedIn } from './started-in.ts';
import { userProcesses } from './user-processes.ts';

/** How the runtime is set up. */
export interface DockerRuntimeOptions {
  /** Names the data folder that the agents belong to. Containers of another instance are left alone. */
  readonly instanceId: string;
  readonly log: RuntimeLog;
  /** What the agent image and the kit are made from. */
  readonly source: ImageSource;
  /** By default the engine that the environment names, or the usual one. */
  readonly connect?: () => Docker;
  /** How agents' sockets are brought into containers; by default it is tried whether they can be mounted. */
  readonly sockets?: SocketWay;
  /** Folder of agents' sockets, in which that is tried; by default the one for temporary files. */
  readonly socketDir?: string;
  /** Memory ran out in an agent's container; something in it was killed, and the agent lives on. */
  readonly onOom?: (agentId: AgentId, runId: string) => void;
  /** Where what a paused agent's terminal showed is kept for the next core; without it the next core cannot show it. */
  readonly pictureFile?: (agentId: AgentId) => string;
  /** How many containers are made at once. */
  readonly startsAtOnce?: number;
  /** The command that installs an engine on this machine; by default Debian's. */
  readonly installCommand?: () => Promise<string>;
}

/** How many containers are made at once: an engine that is asked for more of them takes as long, and answers nobody else. */
const MAX_STARTING = 8;
/** How long an engine that just failed may take for what is only good manners, in milliseconds. */
const AFTERWARDS_MS = 10_000;

interface Engine {
  readonly docker: Docker;
  readonly events: ContainerEvents;
}

/** Agents in containers. */
export class DockerRuntime implements Runtime {
  readonly kind = 'docker';
  readonly isAdoptable = true;
  readonly #options: DockerRuntimeOptions;
  readonly #reaches: EngineReach;
  /** By the container's id. */
  readonly #runs = new Map<string, DockerRun>();
  readonly #starting: StartQueue;
  /** Runs that are being started now: their containers are not yet known, and are no earlier core's. */
  readonly #launching = new Set<string>();
  #engine: Engine | undefined;
  #description: EngineDescription | undefined;
  /** How many wait for the engine now: they all wait for the same one. */
  #reaching = 0;
  #isClosed = false;

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    this.#starting = new StartQueue(options.startsAtOnce ?? MAX_STARTING);
    this.#reaches = new EngineReach({ way: options.sockets ?? 'try', folder: options.socketDir, log: options.log });
  }

  async probe(): Promise<RuntimeAvailability> {
    try {
      const { docker } = this.#connect();
      localSocketOf(docker);
      const engine = await describeEngine(docker);
      this.#description = engine;
      const name = engine.product === 'podman' ? `${engine.version} (Podman)` : engine.version;
      const facts: Omit<RuntimeAvailability, 'isAvailable'> = { kind: this.kind, version: name, notes: [...engine.notes] };
      if (isTooOld(engine.apiVersion)) {
        const problem = `version ${name} of the container engine (interface ${engine.apiVersion}) is too old: Docker 20.10 (interface 1.41) or newer is needed`;
        return { ...facts, isAvailable: false, problem, remedy: await this.#install() };
      }
      if (engine.arch === process.arch) {
        const { reference } = await agentImageName(this.#options.source);
        const notes = [...engine.notes, ...(await this.#reaches.notesOn(docker, engine, reference))];
        return { ...facts, notes, isAvailable: true };
      }
      const problem = `the container engine runs ${engine.arch} and this machine ${process.arch}: what is brought into a container could not run there`;
      return { ...facts, isAvailable: false, problem };
    } catch (error) {
      const remedy = await this.#remedyFor(error);
      return { kind: 'docker', isAvailable: false, problem: messageOf(error), ...(remedy === undefined ? {} : { remedy }) };
    }
  }

  #remedyFor(error: unknown): Promise<string | undefined> {
    if (error instanceof AppError && typeof error.data['remedy'] === 'string') return Promise.resolve(error.data['remedy']);
    const cause = error instanceof AppError ? error.cause : error;
    return remedyFor(troubleOf(cause), { env: this.#options.source.env, install: () => this.#install() });
  }

  async #install(): Promise<string> {
    return this.#options.installCommand?.() ?? 'sudo apt-get install -y docker.io';
  }

  async launch(spec: LaunchSpec): Promise<Run> {
    const { box } = spec;
    if (box?.boundary !== 'container') {
      refuseBox(spec, 'a container engine');
      throw new AppError('INTERNAL', `Agent ${spec.agentId} cannot be started in a container: nothing says what is in it`);
    }
    checkCommand(spec);
    const engine = await this.#reach(`Agent ${spec.agentId} cannot be started in a container`);
    await this.#starting.enter();
    this.#launching.add(spec.runId);
    try {
      const desk = await box.openDesk();
      try {
        return await this.#launch(engine, spec, box, desk);
      } finally {
        desk.dispose();
      }
    } finally {
      this.#launching.delete(spec.runId);
      this.#starting.leave();
    }
  }

  async #launch(engine: Engine, spec: LaunchSpec, given: BoxSpec, desk: LaunchDesk): Promise<Run> {
    const { docker } = engine;
    const agentImage = await agentImageName(this.#options.source);
    const reference = given.image ?? agentImage.reference;
    const isAgentImage = reference === agentImage.reference;
    const image = await findContainerImage(docker, { agentId: spec.agentId, reference, isAgentImage });
    if (!isAgentImage)
      await findContainerImage(docker, { agentId: spec.agentId, reference: agentImage.reference, isAgentImage: true });
    const kit = await ensureKit(docker, agentImage).catch((error: unknown) => {
      throw aboutLaunch(spec.agentId, error);
    });
    const description = this.#description ?? (await describeEngine(docker));
    const hasLine = await this.#reaches.needsLine(docker, description, agentImage.reference).catch((error: unknown) => {
      throw aboutLaunch(spec.agentId, error);
    });
    if (hasLine && given.openLine === undefined)
      throw new AppError(
        'UNAVAILABLE',
        `Agent ${spec.agentId} cannot be started in a container: its sockets cannot be mounted there, and nobody brings them in by a line`,
        { retryable: false, data: { cause: 'box' } },
      );
    const box = hasLine ? { ...given, mounts: given.mounts.filter((mount) => mount.target !== BOX.sockets) } : given;
    const startedAt = Date.now();
    const options = containerOptions({
      instanceId: this.#options.instanceId,
      agentId: spec.agentId,
      runId: spec.runId,
      startedAt,
      limits: spec.limits,
      box,
      image: image.id,
      imageVolumes: image.volumes,
      imageEnv: image.env,
      kitVolume: kit.volume,
      arch: image.arch,
      isPodman: this.#description?.product === 'podman',
      hasLine,
      userProcesses: this.#description === undefined ? undefined : await userProcesses(this.#description),
    });
    const container = await createAgentContainer(docker, {
      agentId: spec.agentId,
      instanceId: this.#options.instanceId,
      options,
    });
    const run = this.#track(container, {
      agentId: spec.agentId,
      runId: spec.runId,
      startedAt,
      limits: spec.limits,
      name: options.name,
      arch: image.arch,
      hasLine,
    });
    try {
      await askEngine('start the container', (abortSignal) => container.start({ abortSignal }));
      if (run.socketLine !== undefined) await given.openLine?.(run.socketLine);
      const info = await inspectContainer(container);
      const outside = await outsideChecks(info, { box, limits: spec.limits, kitVolume: kit.volume });
      const { pid } = await Promise.race([desk.admit(outside, { makesTerminal: true }), this.#endsTooSoon(run, container)]);
      run.begin({ pid: await hostPid(info.State.Pid, pid), enginePid: info.State.Pid, isPaused: false });
      return run;
    } catch (error) {
      run.release();
      // Somebody may have emptied it; then the next start has it filled again.
      forgetKit(docker, kit.volume);
      await this.#noteWords(spec.agentId, container);
      await removeContainer(container, AFTERWARDS_MS).catch((failure: unknown) => {
        this.#options.log('A container in which nothing was started could not be removed', {
          agentId: spec.agentId,
          container: options.name,
          error: messageOf(failure),
        });
      });
      throw engineFault(`Agent ${spec.agentId} cannot be started in a container`, error);
    }
  }

  /** Keeps what a box said in which nothing was started: it is gone with its container. */
  async #noteWords(agentId: AgentId, container: Container): Promise<void> {
    const said = (await readBoxLog(container, AFTERWARDS_MS).catch(() => undefined))?.noise ?? [];
    if (said.length > 0)
      this.#options.log('A container in which nothing was started said this', { agentId, said: said.join('\n') });
  }

  /** Rejects when the container ends before anything was started in it. */
  async #endsTooSoon(run: DockerRun, container: Container): Promise<never> {
    const end = await run.ended;
    const log = await readBoxLog(container).catch(() => undefined);
    const said = (log?.noise ?? []).join(' ').trim();
    const how =
      end.kind === 'lost' ? end.reason : (end.cause ?? `it ended with ${end.exit.signal ?? `code ${end.exit.code ?? 0}`}`);
    // What the desk has to say is more; it comes in the same moment.
    await sleep(200);
    throw new AppError(
      'UNAVAILABLE',
      `Agent ${run.agentId} cannot be started: its container ended before it had shown what holds it (${[how, said].filter(Boolean).join(': ')})`,
      { retryable: false, data: { cause: 'box' } },
    );
  }

  /**
   * Finds the containers of an earlier core, running, paused or ended. Those of agents that are not known, and those in which
   * nothing was ever started, are removed: what is in a container has no purpose besides its agent.
   */
  async adopt(known: ReadonlySet<AgentId>): Promise<readonly Run[]> {
    let engine: Engine;
    try {
      engine = await this.#reach('The containers of agents cannot be looked for');
    } catch (error) {
      this.#options.log(messageOf(error));
      return [];
    }
    const filters = { label: [`${LABEL.instance}=${this.#options.instanceId}`] };
    const listed = await askEngine('list containers', (abortSignal) =>
      engine.docker.listContainers({ all: true, filters, abortSignal }),
    ).catch((error: unknown) => {
      throw engineFault('The containers of agents cannot be looked for', error);
    });
    const adopted = await Promise.all(
      listed
        .filter((one) => !this.#runs.has(one.Id) && !this.#launching.has(one.Labels[LABEL.run] ?? ''))
        .map((one) =>
          this.#adoptOne(engine.docker.getContainer(one.Id), known).catch((error: unknown) => {
            this.#options.log('A container of an earlier core could not be looked at', {
              container: one.Id,
              error: messageOf(error),
            });
            return undefined;
          }),
        ),
    );
    return adopted.filter((run) => run !== undefined);
  }

  async #adoptOne(container: Container, known: ReadonlySet<AgentId>): Promise<Run | undefined> {
    const first = await inspectContainer(container);
    const labels = first.Config.Labels;
    const agentId = AgentIdSchema.safeParse(labels[LABEL.agent]);
    const runId = labels[LABEL.run] ?? '';
    const name = first.Name.replace(/^\//, '');
    const remove = async (why: string): Promise<undefined> => {
      this.#options.log(`A container was removed: ${why}`, { container: name });
      await removeContainer(container);
      return undefined;
    };
    if (!agentId.success || runId === '' || !known.has(agentId.data)) return remove('it belongs to no known agent');
    const started = await startedIn(container, first, runId);
    if (started === undefined) return remove('nothing was started in it');
    const { info, pid } = started;
    const run = this.#track(container, {
      agentId: agentId.data,
      runId,
      startedAt: Number(labels[LABEL.started] ?? 0),
      limits: limitsOf(info.HostConfig),
      hasLine: labels[LABEL.line] !== undefined,
      name,
      arch: process.arch === 'arm64' ? 'arm64' : 'x64',
    });
    const enginePid = info.State.Pid;
    if (info.State.Running) {
      const picture = info.State.Paused ? await run.keptPicture() : undefined;
      run.begin({ pid: await hostPid(enginePid, pid), enginePid, isPaused: info.State.Paused, picture });
      run.doubt = await doubtOf(info, limitsOf(info.HostConfig));
      run.sweepTerminal().catch(() => undefined);
    } else {
      run.begin({ pid, enginePid: 0, isPaused: false });
      run.observeDeath(info);
      await run.ended;
    }
    return run;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    for (const run of [...this.#runs.values()]) run.release();
    this.#engine?.events.dispose();
    this.#starting.close();
    return Promise.resolve();
  }

  #track(
    container: Container,
    facts: Pick<LaunchSpec, 'agentId' | 'runId' | 'limits'> & {
      startedAt: number;
      name: string;
      arch: 'x64' | 'arm64';
      hasLine: boolean;
    },
  ): DockerRun {
    const engine = this.#engine?.docker;
    const path = this.#options.pictureFile?.(facts.agentId);
    const { log } = this.#options;
    const run = new DockerRun({
      kept: path === undefined ? undefined : new KeptPicture({ path, runId: facts.runId, log }),
      agentId: facts.agentId,
      runId: facts.runId,
      startedAt: facts.startedAt,
      container,
      containerName: facts.name,
      arch: facts.arch,
      engineProgram: this.#description?.product === 'podman' ? 'podman' : 'docker',
      limits: facts.limits,
      socketLine:
        facts.hasLine && engine !== undefined
          ? { engine: { socketPath: localSocketOf(engine) }, container: container.id }
          : undefined,
      log: this.#options.log,
      engineIsBack: () => this.#engineIsBack(),
      onOom: ({ agentId, runId }) => {
        this.#options.log('Memory ran out in the container of an agent, and something in it was killed', { agentId, runId });
        this.#options.onOom?.(agentId, runId);
      },
      onGone: (gone) => this.#runs.delete(gone.containerId),
    });
    this.#runs.set(run.containerId, run);
    return run;
  }

  /** The engine, as it is now: while nothing depends on the last one, another may have been installed or named. */
  #connect(): Engine {
    if (this.#engine !== undefined && (this.#engine.events.isOpen || this.#reaching > 0 || this.#runs.size > 0))
      return this.#engine;
    this.#engine?.events.dispose();
    const docker = (this.#options.connect ?? (() => connectEngine(process.env)))();
    const { instanceId, log } = this.#options;
    const events = new ContainerEvents({ docker, instanceId, log });
    events.onEvent((event) => this.#observe(event));
    events.onLost(() => {
      for (const run of this.#runs.values()) run.observeEngineLost();
      if (this.#runs.size > 0) log('The container engine does not answer; its agents are looked at when it does again');
    });
    events.onBack(() => {
      for (const run of [...this.#runs.values()])
        run
          .look()
          .catch((error: unknown) =>
            log('A container could not be looked at', { agentId: run.agentId, error: messageOf(error) }),
          );
    });
    this.#engine = { docker, events };
    return this.#engine;
  }

  /** The engine, once its events are being heard: no end is missed from here on. */
  async #reach(what: string): Promise<Engine> {
    if (this.#isClosed) throw new AppError('UNAVAILABLE', 'The container runtime is closed');
    const engine = this.#connect();
    this.#reaching += 1;
    try {
      localSocketOf(engine.docker);
      this.#description ??= await describeEngine(engine.docker);
      await engine.events.open();
      return engine;
    } catch (error) {
      if (error instanceof AppError)
        throw new AppError('UNAVAILABLE', `${what}: ${error.message}`, { cause: error, data: { cause: 'engine' } });
      throw engineFault(what, error);
    } finally {
      this.#reaching -= 1;
    }
  }

  #observe(event: EngineEvent): void {
    this.#runs.get(event.containerId)?.observe(event.action);
  }

  #engineIsBack(): Promise<void> {
    const events = this.#engine?.events;
    if (events === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      if (events.isOpen) {
        // The stream has not noticed yet, or is back already.
        setTimeout(() => resolve(), 100);
        return;
      }
      const registration = events.onBack(() => {
        registration.dispose();
        resolve();
      });
    });
  }
}

/** What fails before an agent has a container says whom it concerns, too. */
function aboutLaunch(agentId: AgentId, error: unknown): AppError {
  const what = `Agent ${agentId} cannot be started in a container`;
  if (!(error instanceof AppError)) return engineFault(what, error);
  const { code, retryable, data } = error;
  return new AppError(code, `${what}: ${error.message}`, { cause: error, retryable, data });
}
