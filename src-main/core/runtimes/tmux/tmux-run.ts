/**
 * One start of an agent in a tmux session of its own. The runtime tells it what tmux reports (`observe`); it decides whether
 * the run has ended. Invariant: an exit is reported only with a code or signal that tmux collected; else the end is `lost`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceLimits } from '#shared/agents/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { exists, isRunning } from '../process-table.ts';
import { ProcessTree } from '../process-tree.ts';
import { PtyProcess, signalName } from '../pty/pty-process.ts';
import type { LimitsHeld, Run, RunEnd, RunStats, TerminalCapture, TerminalSize, TerminalStream } from '../runtime.ts';
import type { RunLimits } from '../limits/run-limits.ts';
import { TerminalFeed } from '../terminal-feed.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { StopSequence } from '../stop-sequence.ts';
import { quoteShell, sessionNameOf } from './tmux-quote.ts';
import type { TmuxServer } from './tmux-server.ts';

/** What tmux says about the main pane of a run. */
export interface PaneReport {
  readonly paneId: string;
  /** The shim's pid. */
  readonly shimPid: number;
  /** Exit code, once tmux has collected the process. */
  readonly code: number | undefined;
  /** Number of the signal that ended the process, once tmux has collected it. */
  readonly signal: number | undefined;
}

/** What a run is made of. */
export interface TmuxRunSpec {
  readonly agentId: AgentId;
  readonly runId: string;
  readonly startedAt: number;
  readonly paneId: string;
  readonly shimPid: number;
  /** The agent's own pid; the shim's where the agent was gone before it could be seen. */
  readonly pid: number;
  /** Whether the agent was gone already when the run was found. */
  readonly hasEnded: boolean;
  /** How it is held to its limits. */
  readonly limits: RunLimits;
  readonly server: TmuxServer;
  readonly log: RuntimeLog;
  /** Asks the runtime to look at once. */
  readonly refresh: () => Promise<void>;
  /** The run is over for the runtime: discarded or released. */
  readonly onGone: (run: TmuxRun) => void;
}

/** How long a process may outlive its terminal before the run is called lost anyway, in milliseconds. */
const ORPHAN_WAIT_MS = 2000;
/** How long tmux may take to collect a dead process, nudged again and again, in milliseconds. */
const COLLECT_DEADLINE_MS = 10_000;

/** Option of the session that tells the next core how the run is held. */
export const LIMITS_OPTION = '@qd-limits';

let viewCount = 0;

/** One start of an agent in tmux. */
export class TmuxRun implements Run {
  readonly kind = 'tmux';
  readonly agentId: AgentId;
  readonly runId: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly ended: Promise<RunEnd>;
  readonly paneId: string;
  readonly shimPid: number;
  readonly #spec: TmuxRunSpec;
  readonly #server: TmuxServer;
  readonly #target: string;
  readonly #tree: ProcessTree;
  readonly #stop: StopSequence;
  readonly #views = new Set<TmuxView>();
  #settle: (end: RunEnd) => void = () => undefined;
  #end: RunEnd | undefined;
  #isLosing = false;
  /** Since when the shim is dead and tmux has not noticed. */
  #uncollectedSince: number | undefined;
  #sideWindowsEnded: Promise<void> = Promise.resolve();
  #isReleased = false;
  #isStopOrdered = false;

  constructor(spec: TmuxRunSpec) {
    this.#spec = spec;
    this.#server = spec.server;
    this.agentId = spec.agentId;
    this.runId = spec.runId;
    this.pid = spec.pid;
    this.startedAt = spec.startedAt;
    this.paneId = spec.paneId;
    this.shimPid = spec.shimPid;
    this.#target = `=${sessionNameOf(spec.agentId)}:`;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#tree = new ProcessTree({
      pid: spec.pid,
      sessionId: spec.shimPid,
      spared: [spec.shimPid],
      hasEnded: spec.hasEnded,
      runId: spec.runId,
    });
    this.#stop = new StopSequence({ tree: this.#tree, ended: this.ended, log: spec.log });
    if (!spec.hasEnded) spec.limits.watch({ members: (snapshot) => this.#tree.members(snapshot), end: () => this.#stop.stop(0) });
  }

  /** How the run ended, if it has. */
  get end(): RunEnd | undefined {
    return this.#end;
  }

  get attachCommand(): string {
    return `tmux -S ${quoteShell(this.#server.socketPath)} attach -t ${quoteShell(`=${sessionNameOf(this.agentId)}`)}`;
  }

  /** Whether the agent's process is gone although no end has been reported: time to ask tmux. */
  isSuspicious(): boolean {
    if (this.#end !== undefined || this.#isReleased) return false;
    return this.#uncollectedSince !== undefined || !exists(this.pid);
  }

  /** Takes note of what tmux reports; undefined when it has no such pane (any more). */
  observe(report: PaneReport | undefined): void {
    if (this.#end !== undefined || this.#isReleased) return;
    if (report === undefined) {
      this.#lose('its tmux session is gone');
    } else if ((report.signal ?? report.code) !== undefined && this.#tree.isRootRunning()) {
      // The shim outlives the agent, unless somebody kills it: then its end says nothing about the agent's.
      this.#lose('the process that started it in tmux was killed');
    } else if (report.signal !== undefined) {
      this.#finish({ kind: 'exited', exit: { signal: signalName(report.signal) } });
    } else if (report.code !== undefined) {
      this.#finish({ kind: 'exited', exit: { code: report.code } });
    } else if (!isRunning(this.shimPid)) {
      this.#uncollectedSince ??= performance.now();
      if (performance.now() - this.#uncollectedSince > COLLECT_DEADLINE_MS) this.#lose('tmux did not collect its exit code');
      else this.#server.nudge();
    }
  }

  /** The tmux server is gone. */
  observeServerGone(reason: string): void {
    if (this.#end === undefined && !this.#isReleased) this.#lose(`the tmux server ended (${reason})`);
  }

  /** Ends the run as lost, once it is seen whether its process is gone (one that loses its terminal gets SIGHUP). */
  #lose(cause: string): void {
    if (this.#isLosing) return;
    this.#isLosing = true;
    const wait = async (): Promise<void> => {
      const deadline = performance.now() + ORPHAN_WAIT_MS;
      while (this.#tree.isRootRunning() && performance.now() < deadline) await sleep(20);
      const process = this.#tree.isRootRunning()
        ? `process ${this.pid} still runs without a terminal; stop the agent to end it`
        : `process ${this.pid} is gone, and how it ended is not known`;
      this.#finish({ kind: 'lost', reason: `Agent ${this.agentId} was lost: ${cause}; ${process}` });
    };
    wait().catch((error: unknown) =>
      this.#spec.log('Waiting for a lost agent failed', { agentId: this.agentId, error: String(error) }),
    );
  }

  #finish(end: RunEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#spec.limits.conclude(end, this.#isStopOrdered).then(
      (told) => {
        this.#end = told;
        this.#settle(told);
      },
      () => this.#settle(end),
    );
    this.#sideWindowsEnded = this.#endSideWindows().catch((error: unknown) => {
      if (end.kind === 'exited')
        this.#spec.log('Side windows could not be ended', { agentId: this.agentId, error: String(error) });
    });
  }

  /** Side windows run for as long as the agent does. Their screens stay, like the agent's. */
  async #endSideWindows(): Promise<void> {
    if (this.#isReleased || this.#end?.kind !== 'exited') return;
    const lines = await this.#server.run(
      'list-panes',
      '-s',
      '-t',
      this.#target,
      '-F',
      '#{pane_id} #{pane_pid} #{pane_dead} #{@qd-side}',
    );
    for (const line of lines) {
      const [, pid, isDead, side] = line.split(' ');
      if (isDead !== '0' || side !== '1') continue;
      await new ProcessTree({ pid: Number(pid) }).kill();
    }
  }

  isPaused(): boolean {
    return this.#tree.isStopped();
  }

  async pause(): Promise<void> {
    if (this.#end !== undefined) return;
    await this.#tree.pause();
  }

  async resume(): Promise<void> {
    await this.#tree.resume();
  }

  async stop(graceMs: number): Promise<RunEnd> {
    this.#isStopOrdered = true;
    const watch = setInterval(() => {
      if (this.isSuspicious()) this.#spec.refresh().catch(() => undefined);
    }, 20);
    try {
      const end = await this.#stop.stop(graceMs);
      // Also where tmux never told of it: whoever waits for the end must not wait for good.
      this.#finish(end);
      await this.#sideWindowsEnded;
      await this.#spec.limits.discard();
      return this.#end ?? end;
    } finally {
      clearInterval(watch);
    }
  }

  get limits(): LimitsHeld {
    return this.#spec.limits.held;
  }

  async changeLimits(limits: ResourceLimits): Promise<LimitsHeld> {
    try {
      return await this.#spec.limits.change(limits);
    } finally {
      const { saved } = this.#spec.limits;
      if (saved !== undefined) await this.#ask('set-option', '-t', this.#target, LIMITS_OPTION, saved);
    }
  }

  stats(): Promise<RunStats | undefined> {
    return this.#tree.stats();
  }

  async attach(size: TerminalSize, window = 'main'): Promise<TerminalStream> {
    const windowId = await this.#windowId(window);
    const client = await this.#server.clientCommand();
    viewCount += 1;
    const name = `View-${process.pid}-${viewCount}`;
    const view = new TmuxView(
      new PtyProcess({
        path: client.path,
        // A session of its own that shares the windows: which window it shows, and that it has no prefix key, is nobody
        // else's business. It goes when the client does.
        args: [
          ...client.args,
          ...['new-session', '-E', '-t', this.#target.slice(0, -1), '-s', name],
          ...[';', 'set-option', '-t', `=${name}:`, 'destroy-unattached', 'on'],
          ...[';', 'set-option', '-t', `=${name}:`, 'prefix', 'None'],
          ...[';', 'set-option', '-t', `=${name}:`, 'prefix2', 'None'],
          ...[';', 'set-option', '-t', `=${name}:`, 'key-table', 'quarterdeck'],
          ...[';', 'select-window', '-t', `=${name}:${windowId}`],
        ],
        cwd: '/',
        env: client.env,
        term: 'xterm-256color',
        size,
      }),
      () => this.#views.delete(view),
    );
    this.#views.add(view);
    return view;
  }

  async #windowId(window: string): Promise<string> {
    const lines = await this.#ask('list-windows', '-t', this.#target, '-F', '#{window_id} #{window_name}');
    const line = lines.find((one) => one.slice(one.indexOf(' ') + 1) === window);
    if (line === undefined)
      throw new AppError('NOT_FOUND', `Agent ${this.agentId} has no window "${window}"`, { data: { window } });
    return line.slice(0, line.indexOf(' '));
  }

  /** A command about this run's session, which may be gone. */
  async #ask(...words: readonly string[]): Promise<string[]> {
    try {
      return await this.#server.run(...words);
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw new AppError('UNAVAILABLE', `The terminal of agent ${this.agentId} is gone: its tmux session was removed`, {
        retryable: false,
        cause: error,
      });
    }
  }

  async capture(options: { historyLines: number; ansi: boolean; window?: string }): Promise<TerminalCapture> {
    const target = options.window === undefined || options.window === 'main' ? this.paneId : await this.#windowId(options.window);
    const start = options.historyLines > 0 ? `-${Math.trunc(options.historyLines)}` : '0';
    const [lines, facts] = await Promise.all([
      this.#ask('capture-pane', '-p', ...(options.ansi ? ['-e'] : []), '-t', target, '-S', start),
      this.#ask('display-message', '-p', '-t', target, '#{pane_width} #{pane_height} #{cursor_x} #{cursor_y}'),
    ]);
    const [cols, rows, x, y] = (facts[0] ?? '').split(' ').map(Number);
    return { lines, size: { cols: cols ?? 0, rows: rows ?? 0 }, cursor: { x: x ?? 0, y: y ?? 0 } };
  }

  async windows(): Promise<readonly string[]> {
    return this.#ask('list-windows', '-t', this.#target, '-F', '#{window_name}');
  }

  async discard(): Promise<void> {
    if (this.#end === undefined)
      throw new AppError('CONFLICT', `Agent ${this.agentId} still runs: stop it before discarding its terminal`);
    await this.#stop.sweep();
    await this.#spec.limits.discard();
    this.#disposeViews();
    this.#isReleased = true;
    this.#spec.onGone(this);
    await killSession(this.#server, this.#target).catch(() => undefined); // Gone with its server, or removed by hand.
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#spec.limits.release();
    this.#disposeViews();
    this.#spec.onGone(this);
  }

  #disposeViews(): void {
    for (const view of this.#views) view.dispose();
    this.#views.clear();
  }
}

/** Removes a session with all its windows. Killing only the session would leave them in the sessions that share them. */
export async function killSession(server: TmuxServer, target: string): Promise<void> {
  await server.runAll([
    ['kill-window', '-a', '-t', target],
    ['kill-window', '-t', target],
  ]);
}

/** A view of an agent's window: a tmux client on a pseudoterminal. */
class TmuxView implements TerminalStream {
  readonly #client: PtyProcess;
  readonly #onDispose: () => void;
  readonly #feed = new TerminalFeed();

  constructor(client: PtyProcess, onDispose: () => void) {
    this.#client = client;
    this.#onDispose = onDispose;
    client.onData((chunk) => this.#feed.push(chunk));
    client.ended.then(() => this.#feed.end()).catch(() => undefined);
  }

  onData(listener: (chunk: Uint8Array) => void): Disposable {
    return this.#feed.onData(listener);
  }

  onEnd(listener: () => void): Disposable {
    return this.#feed.onEnd(listener);
  }

  write(data: Uint8Array): void {
    this.#client.write(data);
  }

  resize(size: TerminalSize): void {
    this.#client.resize(size);
  }

  dispose(): void {
    this.#feed.dispose();
    this.#client.dispose();
    this.#onDispose();
  }
}
