/**
 * The runtime port: how the core starts, finds again, watches and ends an agent's process, wherever it runs.
 * Invariant: a `Run` never reports an exit that did not happen; when it cannot know, it says `lost`.
 */
import type { ProcessExit, ResourceLimits } from '#shared/agents/model.ts';
import type { LimitMechanism, ProofCheck } from '#shared/boundary/model.ts';
import type { GatewayLine } from '#shared/gateway/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { RuntimeAvailability, RuntimeKind } from '#shared/runtimes/model.ts';

/** A window beside an agent's main one: shown in tmux under this name; the argv runs in it for as long as the agent does. */
export interface SideWindow {
  readonly name: string;
  readonly argv: readonly string[];
}

/** Everything needed to start an agent's process. */
export interface LaunchSpec {
  readonly agentId: AgentId;
  /** Program and arguments; run without a shell. */
  readonly argv: readonly string[];
  /** Working directory, absolute and existing. */
  readonly cwd: string;
  /** The whole environment of the process. Must not be visible in any process's arguments. */
  readonly env: Readonly<Record<string, string>>;
  /** Initial size of the terminal in cells. */
  readonly size: TerminalSize;
  readonly sideWindows: readonly SideWindow[];
  /** Marks the run, so that a later core can tell which start of the agent it is. */
  readonly runId: string;
  readonly limits: ResourceLimits;
  /** Runs in the same terminal before the program; undefined when there is nothing to set up. */
  readonly setup: string | undefined;
  /** The box to put the process into. With one, `cwd` and `env` are those inside. A runtime that cannot make it does not launch. */
  readonly box: BoxSpec | undefined;
}

/** One folder or file that a box sees. */
export interface BoxMount {
  /** On the host, absolute. */
  readonly source: string;
  /** Inside, absolute. */
  readonly target: string;
  readonly isWritable: boolean;
}

/** A box: a container, or bubblewrap on the host. Whatever is not named here is not in it. */
export interface BoxSpec {
  readonly boundary: 'container' | 'bubblewrap';
  /** Reference of the image; undefined is the agent image. Containers only. */
  readonly image: string | undefined;
  /** As whom it runs. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** Exactly what is mounted, workspace, home, sockets and guests among it. */
  readonly mounts: readonly BoxMount[];
  /** Opens the desk at which the box proves itself before anything is started in it. Once per launch. */
  readonly openDesk: () => Promise<LaunchDesk>;
  /**
   * Has the gateway bring the agent's sockets into a container by a line, where mounted ones cannot be reached inside. Without
   * it such a container is not started.
   */
  readonly openLine?: (line: GatewayLine) => Promise<void>;
}

/** Where a box shows what holds it, and is told what to start, or is let go. */
export interface LaunchDesk extends Disposable {
  /**
   * Waits for what the box found inside, judges it together with what was read back from outside, stores the proof, and lets
   * the agent start. `pid` is the agent's inside the box. Fails with an AppError that says what does not hold; then nothing
   * was started, and the caller removes the box.
   */
  admit(outside: readonly ProofCheck[], options: { makesTerminal: boolean }): Promise<{ readonly pid: number }>;
}

/** How the limits of a run are held. */
export interface LimitsHeld {
  readonly mechanism: LimitMechanism;
  /** What holds and what does not, in a sentence. */
  readonly note: string;
}

/** Size of a terminal in cells. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** How a run ended, as far as it can be known. */
export type RunEnd =
  | {
      readonly kind: 'exited';
      readonly exit: ProcessExit;
      /** What the runtime knows beside the exit: that memory ran out, that the engine was restarted, that the set-up failed. */
      readonly cause?: string;
    }
  /** The runtime itself is gone (for example the tmux server was killed): nobody saw the exit. */
  | { readonly kind: 'lost'; readonly reason: string };

/** A live view of the agent's terminal. Always drained by its owner, however slow the viewers are. */
export interface TerminalStream extends Disposable {
  /** Raw terminal output, as it comes. */
  onData(listener: (chunk: Uint8Array) => void): Disposable;
  /** The stream ended (the agent's terminal is gone). */
  onEnd(listener: () => void): Disposable;
  /** Types bytes into the terminal. */
  write(data: Uint8Array): void;
  resize(size: TerminalSize): void;
}

/** The screen and history as text. */
export interface TerminalCapture {
  /** Lines, oldest first, history included as far as asked; ANSI colour sequences kept when `ansi` was asked for. */
  readonly lines: readonly string[];
  readonly size: TerminalSize;
  readonly cursor: { readonly x: number; readonly y: number };
}

/** Resources used by an agent's process tree at one moment. */
export interface RunStats {
  /** When they were read, on the clock of `performance.now()`. */
  readonly at: number;
  /** CPU time used since the start of the run, in milliseconds, of processes still alive and of ended ones they collected. */
  readonly cpuMs: number;
  /** Resident memory in bytes. */
  readonly memoryBytes: number;
  readonly processes: number;
}

/** One start of an agent: a process (tree) that runs or has ended. */
export interface Run {
  readonly agentId: AgentId;
  readonly runId: string;
  readonly kind: RuntimeKind;
  /** The line by which its sockets are brought in; undefined where it reaches them by itself. */
  readonly socketLine?: GatewayLine | undefined;
  /** Process id of the agent's first process on the host. */
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Settles once, when the run has ended. Never rejects. */
  readonly ended: Promise<RunEnd>;
  /** Whether the process tree is stopped by `pause`, read from the process itself. */
  isPaused(): boolean;
  /** Stops every process of the tree from running; safe to repeat. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /**
   * Ends the run and every process of its tree: asks (SIGTERM), after `graceMs` forces (SIGKILL). Works while paused.
   * `graceMs: 0` forces at once. Resolves when it has ended.
   */
  stop(graceMs: number): Promise<RunEnd>;
  stats(): Promise<RunStats | undefined>;
  /** Opens a live stream of one window (default `main`). */
  attach(size: TerminalSize, window?: string): Promise<TerminalStream>;
  /** Screen plus at most `historyLines` lines above it. Works after the end as long as the runtime keeps the screen. */
  capture(options: { historyLines: number; ansi: boolean; window?: string }): Promise<TerminalCapture>;
  /** Names of the windows, `main` first. */
  windows(): Promise<readonly string[]>;
  /** The shell command by which a person attaches with their own terminal, if there is one. */
  readonly attachCommand: string | undefined;
  /** Of a run that was found: what no longer holds its box, in a sentence. It must not go on. */
  readonly doubt?: string | undefined;
  /** How its limits are held. */
  readonly limits: LimitsHeld;
  /** Changes the limits of the running process. Fails with UNAVAILABLE naming what only a restart changes. */
  changeLimits(limits: ResourceLimits): Promise<LimitsHeld>;
  /** Removes what is left of an ended run (screen, session). */
  discard(): Promise<void>;
  /** Lets go without ending the run (the core is closing). */
  release(): void;
}

/** A kind of place where agents run. */
export interface Runtime {
  readonly kind: RuntimeKind;
  /** Whether runs outlive the core and can be adopted by the next one. */
  readonly isAdoptable: boolean;
  probe(): Promise<RuntimeAvailability>;
  /** Starts the agent's process. Fails with an AppError UNAVAILABLE that names the cause (program missing, no such folder). */
  launch(spec: LaunchSpec): Promise<Run>;
  /** Finds the runs left by an earlier core, live or dead, and takes them over. Sweeps sessions that belong to no agent in `known`. */
  adopt(known: ReadonlySet<AgentId>): Promise<readonly Run[]>;
  /** Lets go of everything without ending agents' processes, where the runtime can. */
  close(): Promise<void>;
}
