/**
 * One start of an agent in a container. The runtime tells it what the engine reports; it decides how the run has ended.
 * Invariant: an exit is reported only when the engine says that the container has ended; how is what its box told (read from
 * the engine's log), else what the engine itself knows; else the end is `lost`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'dockerode';
import type { ProcessExit, ResourceLimits } from '#shared/agents/model.ts';
import type { KIT } from '#shared/box/places.ts';
import type { GatewayLine } from '#shared/gateway/model.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { signalName } from '../pty/pty-process.ts';
import type { LimitsHeld, Run, RunEnd, RunStats, TerminalCapture, TerminalSize, TerminalStream } from '../runtime.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { quoteShell } from '../tmux/tmux-quote.ts';
import type { InspectedContainer } from './container-inspect.ts';
import { inspectContainer } from './container-inspect.ts';
import { changeLimits, HELD } from './container-limits.ts';
import type { BoxLog } from './container-log.ts';
import { readBoxLog } from './container-log.ts';
import type { ContainerPicture } from './container-picture.ts';
import { readStats } from './container-stats.ts';
import { ContainerTerminal } from './container-terminal.ts';
import { EXEC_ENV } from './container-tmux.ts';
import { askEngine } from './engine-deadline.ts';
import { engineFault, isAway, statusOf } from './engine-faults.ts';
import type { KeptPicture } from './kept-picture.ts';
import { removeContainer } from './remove-container.ts';

/** What a run is made of. */
export interface DockerRunSpec {
  readonly agentId: AgentId;
  readonly runId: string;
  readonly startedAt: number;
  readonly container: Container;
  readonly containerName: string;
  readonly arch: keyof typeof KIT.loader;
  /** The program by which people speak to the engine: docker or podman. */
  readonly engineProgram: string;
  readonly limits: ResourceLimits;
  /** The line by which its sockets are brought in, if they are. */
  readonly socketLine: GatewayLine | undefined;
  /** Keeps what a paused terminal showed for the next core; without it the next core has none. */
  readonly kept?: KeptPicture | undefined;
  readonly log: RuntimeLog;
  /** Resolves when the engine answers again. */
  readonly engineIsBack: () => Promise<void>;
  /** Memory ran out in the container, and the agent still lives. */
  readonly onOom: (run: DockerRun) => void;
  /** The run is over for the runtime: discarded or released. */
  readonly onGone: (run: DockerRun) => void;
}

/** How long after memory ran out a SIGKILL is taken for its consequence, in milliseconds. */
const OOM_WINDOW_MS = 10_000;
/** How long the report that memory ran out may come after the end, in milliseconds: two of the kernel's ways race. */
const OOM_WAIT_MS = 300;
/** How long the picture before a pause or a forced end may take, in milliseconds. */
const PICTURE_MS = 3000;
const LAST_PICTURE_MS = 300;
/** How long a container that was killed may take to be reported as ended, in milliseconds. */
const REPORT_DEADLINE_MS = 30_000;

/** What an engine says of a container that it finds gone at its own start: nobody saw how. */
const NEVER_SEEN = 255;

/** What the exit code of a container means that said nothing itself. */
function exitOf(code: number): ProcessExit {
  if (code === NEVER_SEEN) return { signal: 'SIGKILL' };
  return code > 128 && code < 193 ? { signal: signalName(code - 128) } : { code };
}

/** One start of an agent in a container. */
export class DockerRun implements Run {
  readonly kind = 'docker';
  readonly agentId: AgentId;
  readonly runId: string;
  readonly startedAt: number;
  readonly ended: Promise<RunEnd>;
  readonly containerId: string;
  readonly socketLine: GatewayLine | undefined;
  doubt: string | undefined;
  readonly #spec: DockerRunSpec;
  readonly #container: Container;
  readonly #terminal: ContainerTerminal;
  #pid = 0;
  #enginePid = 0;
  #limits: ResourceLimits;
  #isPaused = false;
  #isDying = false;
  #isStopping = false;
  #isReleased = false;
  #hasEngineBeenAway = false;
  #oomAt = Number.NEGATIVE_INFINITY;
  #stopDeadline = Number.POSITIVE_INFINITY;
  #stopping: Promise<RunEnd> | undefined;
  #wakeStop: (() => void) | undefined;
  /** Taken before the agent was killed. */
  #lastPicture: ContainerPicture | undefined;
  #settle: (end: RunEnd) => void = () => undefined;
  #end: RunEnd | undefined;

  constructor(spec: DockerRunSpec) {
    this.#spec = spec;
    this.agentId = spec.agentId;
    this.runId = spec.runId;
    this.startedAt = spec.startedAt;
    this.#container = spec.container;
    this.containerId = spec.container.id;
    this.socketLine = spec.socketLine;
    this.#limits = spec.limits;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { agentId, container, arch, log } = spec;
    this.#terminal = new ContainerTerminal({ agentId, container, arch, log });
  }

  get pid(): number {
    return this.#pid;
  }

  /** How the run ended, if it has. */
  get end(): RunEnd | undefined {
    return this.#end;
  }

  get attachCommand(): string {
    const env = EXEC_ENV.flatMap((entry) => ['-e', entry]);
    return [this.#spec.engineProgram, 'exec', '-it', ...env, this.#spec.containerName, ...this.#terminal.attachWords]
      .map(quoteShell)
      .join(' ');
  }

  /** The agent runs (`picture`: what it showed before it was paused): `pid` is its own on this machine (the container's first where that cannot be known). */
  begin(facts: { pid: number; enginePid: number; isPaused: boolean; picture?: ContainerPicture | undefined }): void {
    this.#pid = facts.pid;
    this.#enginePid = facts.enginePid;
    if (this.#end !== undefined || this.#isDying) return;
    if (facts.isPaused) this.#froze(facts.picture);
    else {
      // Of an earlier pause: it is not what the terminal shows any more.
      this.#forgetPicture();
      this.#terminal.openSoon();
    }
  }

  /** What its terminal showed when an earlier core paused it; undefined where that was not kept. */
  async keptPicture(): Promise<ContainerPicture | undefined> {
    return this.#spec.kept?.load();
  }

  /** Detaches what an earlier core left in the container. */
  async sweepTerminal(): Promise<void> {
    if (this.#end === undefined && !this.#isPaused) await this.#terminal.sweep();
  }

  /** Takes note of what the engine reports of this container. */
  observe(action: string): void {
    if (this.#isReleased || this.#end !== undefined) return;
    if (action === 'die') this.observeDeath(undefined);
    else if (action === 'destroy')
      this.#finish({ kind: 'lost', reason: this.#lostBecause('its container was removed') }, undefined);
    else if (action === 'pause') this.#froze(undefined);
    else if (action === 'unpause') this.#thawed();
    else if (action === 'oom') {
      this.#oomAt = performance.now();
      if (!this.#isDying) this.#spec.onOom(this);
    }
  }

  /** The engine does not answer any more: an end from now on may be its doing, until the container is seen to live. */
  observeEngineLost(): void {
    this.#hasEngineBeenAway = true;
  }

  /** Looks for itself: after the engine was away, nothing that it tells is the whole. */
  async look(): Promise<void> {
    if (this.#end !== undefined) return;
    try {
      const info = await inspectContainer(this.#container);
      if (!info.State.Running) {
        this.observeDeath(info);
        return;
      }
      this.#hasEngineBeenAway = false;
      if (info.State.Paused) this.#froze(undefined);
      else this.#thawed();
    } catch (error) {
      if (statusOf(error) === 404) {
        this.#finish(
          { kind: 'lost', reason: this.#lostBecause('its container was removed while the engine did not answer') },
          undefined,
        );
      } else if (!isAway(error)) throw error;
    }
  }

  /** The container has ended. */
  observeDeath(info: InspectedContainer | undefined): void {
    if (this.#isDying) return;
    this.#isDying = true;
    this.#conclude(info).catch((error: unknown) => {
      this.#finish(
        { kind: 'lost', reason: this.#lostBecause(`how it ended could not be read (${messageOf(error)})`) },
        undefined,
      );
    });
  }

  async #conclude(known: InspectedContainer | undefined): Promise<void> {
    let info = known;
    let log: BoxLog | undefined;
    for (;;) {
      try {
        info ??= await inspectContainer(this.#container);
        log = await readBoxLog(this.#container);
        break;
      } catch (error) {
        // Removed at once by somebody: what the engine said is all there is.
        if (statusOf(error) === 404 && info !== undefined) break;
        if (!isAway(error) || this.#isReleased) throw error;
        this.#hasEngineBeenAway = true;
        await this.#spec.engineIsBack();
        info = undefined;
      }
    }
    await this.#judge(info, log);
  }

  async #judge(info: InspectedContainer, log: BoxLog | undefined): Promise<void> {
    const report = log?.ended;
    const { ExitCode: code } = info.State;
    const isUnknown = report !== undefined && report.exit.code === undefined && report.exit.signal === undefined;
    const told = report === undefined || isUnknown ? undefined : report.exit;
    if (told === undefined && code === NEVER_SEEN) this.#hasEngineBeenAway = true;
    const exit: ProcessExit = told ?? exitOf(code);
    const cause = await this.#causeOf(exit, info, report?.isSetup ?? false);
    if (isUnknown && cause === undefined && !this.#isStopping) {
      this.#finish({ kind: 'lost', reason: this.#lostBecause('the process that started it in its terminal was killed') }, log);
      return;
    }
    const known: ProcessExit = isUnknown ? { signal: 'SIGKILL' } : exit;
    this.#finish({ kind: 'exited', exit: known, ...(cause === undefined ? {} : { cause }) }, log);
  }

  async #causeOf(exit: ProcessExit, info: InspectedContainer, isSetup: boolean): Promise<string | undefined> {
    if (isSetup) return 'its set-up script failed, so it was not started';
    const isKilled = exit.signal === 'SIGKILL' || (exit.code === undefined && exit.signal === undefined);
    if (this.#isStopping) return undefined;
    if (isKilled && (await this.#ranOutOfMemory(info))) return `out of memory: its limit is ${this.#limits.memory}`;
    // An engine that ends asks its containers to end, too; one that ended well has its own reason.
    if (this.#hasEngineBeenAway && exit.code !== 0) return 'the container engine was restarted';
    return undefined;
  }

  async #ranOutOfMemory(info: InspectedContainer): Promise<boolean> {
    const isRecent = (): boolean => performance.now() - this.#oomAt < OOM_WINDOW_MS;
    if (isRecent() || info.State.OOMKilled) return true;
    await sleep(OOM_WAIT_MS);
    if (isRecent()) return true;
    return (await inspectContainer(this.#container).catch(() => undefined))?.State.OOMKilled ?? false;
  }

  #lostBecause(cause: string): string {
    return `Agent ${this.agentId} was lost: ${cause}`;
  }

  #finish(end: RunEnd, log: BoxLog | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#isPaused = false;
    this.#terminal.end(log?.ended, this.#lastPicture);
    this.#settle(end);
    this.#terminal.dispose();
    this.#forgetPicture();
  }

  #forgetPicture(): void {
    this.#spec.kept?.remove().catch(() => undefined);
  }

  isPaused(): boolean {
    return this.#isPaused;
  }

  #froze(picture: ContainerPicture | undefined): void {
    this.#isPaused = true;
    this.#terminal.freeze(picture);
  }

  #thawed(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#terminal.thaw();
    this.#forgetPicture();
  }

  async pause(): Promise<void> {
    if (this.#end !== undefined || this.#isPaused) return;
    const picture = await this.#terminal.takePicture(PICTURE_MS);
    if (picture !== undefined) await this.#spec.kept?.save(picture);
    try {
      await askEngine('pause a container', (abortSignal) => this.#container.pause({ abortSignal }));
    } catch (error) {
      if (this.#end !== undefined || this.#isDying) return;
      if (!(await this.#isInState('Paused', error))) throw engineFault(`Agent ${this.agentId} could not be paused`, error);
    }
    this.#froze(picture);
  }

  async resume(): Promise<void> {
    if (this.#end !== undefined || !this.#isPaused) return;
    try {
      await askEngine('resume a container', (abortSignal) => this.#container.unpause({ abortSignal }));
    } catch (error) {
      if (!this.#isDying && (await this.#isInState('Paused', error)))
        throw engineFault(`Agent ${this.agentId} could not be resumed`, error);
    }
    this.#thawed();
  }

  /** Whether the container is in this state; what failed decides when that cannot be asked. */
  async #isInState(state: 'Paused' | 'Running', failure: unknown): Promise<boolean> {
    if (isAway(failure)) throw engineFault(`The container of agent ${this.agentId} cannot be reached`, failure);
    const info = await inspectContainer(this.#container).catch(() => undefined);
    return info?.State[state] ?? false;
  }

  stop(graceMs: number): Promise<RunEnd> {
    if (this.#end !== undefined) return Promise.resolve(this.#end);
    this.#stopDeadline = Math.min(this.#stopDeadline, performance.now() + graceMs);
    this.#wakeStop?.();
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined;
      this.#stopDeadline = Number.POSITIVE_INFINITY;
      this.#isStopping = false;
    });
    return this.#stopping;
  }

  async #stop(): Promise<RunEnd> {
    this.#isStopping = true;
    // Nobody tells a run any more that was let go.
    if (this.#isReleased)
      this.#container
        .wait()
        .then(
          () => this.look(),
          () => this.look(),
        )
        .catch(() => undefined);
    if (this.#stopDeadline > performance.now()) {
      await this.#signal('SIGTERM');
      // The engine lets a paused container go on for a signal; some only for SIGKILL.
      if (this.#isPaused) await this.resume();
      await this.#untilDeadline();
    }
    if (this.#end === undefined && !this.#isDying) {
      if (!this.#isPaused) this.#lastPicture = await this.#terminal.takePicture(LAST_PICTURE_MS);
      await this.#signal('SIGKILL');
      if (this.#isPaused) await this.resume().catch(() => undefined);
    }
    const done = new AbortController();
    const unreported = sleep(REPORT_DEADLINE_MS, undefined, { signal: done.signal }).then(
      () => this.look(),
      () => undefined,
    );
    const late = unreported.then((): RunEnd => ({
      kind: 'lost',
      reason: this.#lostBecause('it was killed, and the container engine did not report its end'),
    }));
    const end = await Promise.race([this.ended, late]);
    done.abort();
    return end;
  }

  async #signal(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    try {
      await askEngine('send a signal', (abortSignal) => this.#container.kill({ signal, abortSignal }));
    } catch (error) {
      // Not running, or removed: its end is under way or was missed.
      if (statusOf(error) === 409 || statusOf(error) === 404) await this.look();
      else throw engineFault(`Agent ${this.agentId} could not be stopped`, error);
    }
  }

  async #untilDeadline(): Promise<void> {
    while (this.#end === undefined) {
      const leftMs = this.#stopDeadline - performance.now();
      if (leftMs <= 0) return;
      let timer: NodeJS.Timeout | undefined;
      const pause = new Promise<void>((resolve) => {
        this.#wakeStop = resolve;
        timer = setTimeout(resolve, Math.min(leftMs, 0x7fff_ffff));
      });
      await Promise.race([this.ended, pause]);
      clearTimeout(timer);
      this.#wakeStop = undefined;
    }
  }

  async stats(): Promise<RunStats | undefined> {
    if (this.#end !== undefined) return undefined;
    return readStats(this.#container, this.#enginePid);
  }

  attach(size: TerminalSize, window = 'main'): Promise<TerminalStream> {
    if (this.#end !== undefined)
      return Promise.reject(new AppError('UNAVAILABLE', `Agent ${this.agentId} has ended`, { retryable: false }));
    return this.#terminal.attach(size, window);
  }

  capture(options: { historyLines: number; ansi: boolean; window?: string }): Promise<TerminalCapture> {
    return this.#terminal.capture(options);
  }

  windows(): Promise<readonly string[]> {
    return this.#terminal.windows();
  }

  get limits(): LimitsHeld {
    return HELD;
  }

  async changeLimits(limits: ResourceLimits): Promise<LimitsHeld> {
    const before = this.#limits;
    await changeLimits({ agentId: this.agentId, container: this.#container, before, limits });
    this.#limits = limits;
    return HELD;
  }

  async discard(): Promise<void> {
    if (this.#end === undefined)
      throw new AppError('CONFLICT', `Agent ${this.agentId} still runs: stop it before discarding its container`);
    await removeContainer(this.#container).catch((error: unknown) => {
      throw engineFault(`The container of agent ${this.agentId} could not be removed`, error);
    });
    this.release();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#terminal.dispose();
    this.#spec.onGone(this);
  }
}
