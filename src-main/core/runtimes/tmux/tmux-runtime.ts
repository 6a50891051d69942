/**
 * Agents in tmux: one session each on a tmux server of our own, which outlives the core.
 *
 * Ends are noticed three ways: tmux's hook (at once, but it can be missed), a look at the agents' pids four times a second
 * (a few microseconds each), and a listing of all panes every three seconds. Only what tmux then says about the pane counts.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { AgentId as AgentIdSchema } from '#shared/kernel/ids.ts';
import type { RuntimeAvailability } from '#shared/runtimes/model.ts';
import type { BubblewrapLaunch } from '../bubblewrap/bubblewrap.ts';
import { BOX_LAST_WORDS_MS, boxPidBehind, openBubblewrap } from '../bubblewrap/bubblewrap.ts';
import { checkLaunch, findProgram } from '../launch-check.ts';
import { isEntering } from '../limits/enter-command.ts';
import type { HostLimits } from '../limits/host-limits.ts';
import type { RunLimits } from '../limits/run-limits.ts';
import { NO_LIMITS } from '../limits/run-limits.ts';
import { childrenOf, isRunning, readProcess } from '../process-table.ts';
import { clampSize } from '../pty/pty-process.ts';
import type { LaunchSpec, Run, Runtime, SideWindow } from '../runtime.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import type { Shim, ShimKind } from './agent-shim.ts';
import { isShim, shimCommand } from './agent-shim.ts';
import { TmuxCommandError } from './control-protocol.ts';
import { escapeFormat, sessionNameOf } from './tmux-quote.ts';
import type { PaneReport } from './tmux-run.ts';
import { killSession, LIMITS_OPTION, TmuxRun } from './tmux-run.ts';
import { installCommand, TmuxServer } from './tmux-server.ts';

/** How the runtime is set up. */
export interface TmuxRuntimeOptions {
  /** Folder of the tmux socket; made with mode 0700. */
  readonly socketDir: string;
  /** Names the data folder that the agents belong to. Sessions of another instance are left alone. */
  readonly instanceId: string;
  readonly log: RuntimeLog;
  /** Holds agents to their limits; without it nothing does. */
  readonly limits?: HostLimits;
  /** By default looked up in the core's own PATH. */
  readonly tmuxPath?: string;
  /** By default Perl if there is one, else `sh`. */
  readonly shim?: ShimKind;
  /** Node for what runs in bubblewrap; by default the one this runs on. */
  readonly node?: string;
}

/** Between two looks at the agents' pids, in milliseconds. */
const PID_LOOK_MS = 250;
/** Between two listings of all panes, in milliseconds. */
const LISTING_MS = 3000;
/** How often panes are listed in quick succession for an agent whose end tmux has not noticed; then the timers go on. */
const MAX_QUICK_LOOKS = 20;
/** How long an agent may take from its pane to its own process, in milliseconds. */
const CHILD_DEADLINE_MS = 5000;

/** Between two looks whether a box that has not shown itself yet is still there, in milliseconds. */
const BOX_LOOK_MS = 100;

/** One row of the listing; the fields of `PANE_FORMAT`. */
interface ListedPane extends PaneReport {
  readonly sessionName: string;
  readonly agentId: AgentId;
  readonly runId: string;
  readonly instanceId: string;
  readonly startedAt: number;
  readonly limits: string;
}

const PANE_FORMAT = [
  '#{session_name}',
  '#{pane_id}',
  '#{pane_pid}',
  '#{pane_dead_status}',
  '#{pane_dead_signal}',
  '#{@qd-agent}',
  '#{@qd-run}',
  '#{@qd-instance}',
  '#{@qd-started}',
  `#{${LIMITS_OPTION}}`,
].join('\t');

function parsePane(line: string): ListedPane | undefined {
  const [
    sessionName = '',
    paneId = '',
    pid = '',
    code = '',
    signal = '',
    agent = '',
    runId = '',
    instanceId = '',
    started = '',
    limits = '',
  ] = line.split('\t');
  const agentId = AgentIdSchema.safeParse(agent);
  // A view shares the windows of its agent's session, but not these options: its rows are repetitions.
  if (!agentId.success || runId === '') return undefined;
  const number = (text: string): number | undefined => (text === '' ? undefined : Number(text));
  return {
    sessionName,
    paneId,
    shimPid: Number(pid),
    code: number(code),
    signal: number(signal),
    agentId: agentId.data,
    runId,
    instanceId,
    startedAt: Number(started),
    limits,
  };
}

/** Agents in tmux. */
export class TmuxRuntime implements Runtime {
  readonly kind = 'tmux';
  readonly isAdoptable = true;
  readonly #options: TmuxRuntimeOptions;
  readonly #server: TmuxServer;
  readonly #runs = new Map<string, TmuxRun>();
  #shim: Shim | undefined;
  #pidTimer: NodeJS.Timeout | undefined;
  #listingTimer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> | undefined;
  #isRefreshDue = false;
  #isClosed = false;

  constructor(options: TmuxRuntimeOptions) {
    this.#options = options;
    this.#server = new TmuxServer({ socketDir: options.socketDir, log: options.log, tmuxPath: options.tmuxPath });
    this.#server.onPaneDied(() => this.#refreshSoon());
    this.#server.onDisconnected((reason) => {
      this.#reconnect(reason).catch((error: unknown) =>
        options.log('Looking for the tmux server failed', { error: messageOf(error) }),
      );
    });
  }

  async probe(): Promise<RuntimeAvailability> {
    const found = await this.#server.find();
    const remedy = installCommand('tmux');
    if (found === undefined) return { kind: 'tmux', isAvailable: false, problem: 'tmux was not found', remedy };
    const facts = { kind: 'tmux', version: found.version, path: found.path } as const;
    if (found.isRecentEnough) return { ...facts, isAvailable: true };
    return { ...facts, isAvailable: false, problem: `tmux ${found.version} is too old: 3.2 or newer is needed`, remedy };
  }

  async launch(spec: LaunchSpec): Promise<Run> {
    const box = spec.box && (await openBubblewrap(spec, spec.box, { folder: this.#options.socketDir, node: this.#options.node }));
    try {
      const program = box ?? { path: await checkLaunch(spec), args: spec.argv.slice(1), cwd: spec.cwd, env: spec.env };
      const limits = (await this.#options.limits?.open(spec, { isShortLived: false })) ?? NO_LIMITS;
      try {
        const held = { ...program, ...limits.command(program) };
        return await this.#launch({ ...spec, cwd: program.cwd, env: program.env }, held, box, limits);
      } catch (error) {
        await limits.discard();
        throw error;
      }
    } finally {
      box?.dispose();
    }
  }

  async #launch(
    spec: LaunchSpec,
    program: { path: string; args: readonly string[]; cwd: string; env: Readonly<Record<string, string>> },
    box: BubblewrapLaunch | undefined,
    limits: RunLimits,
  ): Promise<Run> {
    const command = shimCommand(await this.#findShim(), program);
    const startedAt = Date.now();
    const started = await this.#newSession(spec, command, startedAt, limits.saved);
    const child = (await findChild(started.shimPid)) ?? started.shimPid;
    // A box that ended without a word has nobody at the desk any more. What it said is read before.
    let goneSince: number | undefined;
    const look =
      box &&
      setInterval(() => {
        if (isRunning(started.shimPid)) return;
        goneSince ??= performance.now();
        if (performance.now() - goneSince > BOX_LAST_WORDS_MS) box.dispose();
      }, BOX_LOOK_MS);
    try {
      await box?.admit(child, limits.held.mechanism);
    } catch (error) {
      await killSession(this.#server, `=${sessionNameOf(spec.agentId)}:`).catch(() => undefined);
      throw error;
    } finally {
      clearInterval(look);
    }
    const pid = box === undefined ? child : boxPidBehind(child);
    await this.#openSideWindows(spec, pid);
    return this.#track({ agentId: spec.agentId, runId: spec.runId, startedAt, ...started }, pid, false, limits);
  }

  /**
   * Finds the runs of an earlier core. Of agents not in `known`, dead sessions are removed and live ones left alone and logged:
   * whose process it is cannot be known, and ending work by mistake is worse than a stray session. Sessions of another
   * instance and sessions that a person has made are never touched.
   */
  async adopt(known: ReadonlySet<AgentId>): Promise<readonly Run[]> {
    if ((await this.#server.find()) === undefined || !(await this.#server.isRunning())) return [];
    const adopted: Run[] = [];
    for (const pane of await this.#listPanes()) {
      if (this.#runs.has(pane.paneId)) continue;
      if (pane.instanceId !== this.#options.instanceId) {
        this.#options.log('A tmux session belongs to another instance and is left alone', {
          agentId: pane.agentId,
          session: pane.sessionName,
        });
        continue;
      }
      const isAlive = this.#isAlive(pane);
      if (!known.has(pane.agentId)) {
        if (isAlive) {
          this.#options.log('A live tmux session belongs to no known agent and is left alone', {
            agentId: pane.agentId,
            session: pane.sessionName,
            pid: pane.shimPid,
          });
        } else {
          await killSession(this.#server, `=${pane.sessionName}:`).catch(() => undefined);
          this.#options.log('A dead tmux session of no known agent was removed', {
            agentId: pane.agentId,
            session: pane.sessionName,
          });
        }
        continue;
      }
      const pid = isAlive ? boxPidBehind((await findChild(pane.shimPid)) ?? pane.shimPid) : pane.shimPid;
      const limits = (await this.#options.limits?.adopt(pane.agentId, pane.limits)) ?? NO_LIMITS;
      const run = this.#track(pane, pid, !isAlive, limits);
      run.observe(pane);
      adopted.push(run);
    }
    this.#refreshSoon();
    return adopted;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#pidTimer);
    clearInterval(this.#listingTimer);
    for (const run of [...this.#runs.values()]) run.release();
    this.#server.dispose();
    return Promise.resolve();
  }

  #track(
    facts: { agentId: AgentId; runId: string; startedAt: number; paneId: string; shimPid: number },
    pid: number,
    hasEnded: boolean,
    limits: RunLimits,
  ): TmuxRun {
    const run = new TmuxRun({
      agentId: facts.agentId,
      runId: facts.runId,
      startedAt: facts.startedAt,
      paneId: facts.paneId,
      shimPid: facts.shimPid,
      pid,
      hasEnded,
      limits,
      server: this.#server,
      log: this.#options.log,
      refresh: () => this.#refresh(),
      onGone: (gone) => this.#runs.delete(gone.paneId),
    });
    this.#runs.set(run.paneId, run);
    this.#pidTimer ??= setInterval(() => {
      if ([...this.#runs.values()].some((one) => one.isSuspicious())) this.#refreshSoon();
    }, PID_LOOK_MS).unref();
    this.#listingTimer ??= setInterval(() => {
      if ([...this.#runs.values()].some((one) => one.end === undefined)) this.#refreshSoon();
    }, LISTING_MS).unref();
    return run;
  }

  /** Whether the pane's process runs. By the time a core looks again, its pid may be another's, who is no child of tmux. */
  #isAlive(pane: { shimPid: number; code: number | undefined; signal: number | undefined }): boolean {
    if ((pane.signal ?? pane.code) !== undefined) return false;
    return isRunning(pane.shimPid) && readProcess(pane.shimPid)?.ppid === this.#server.pid;
  }

  async #findShim(): Promise<Shim> {
    if (this.#shim !== undefined) return this.#shim;
    const { shim } = this.#options;
    const perl = shim === 'sh' ? undefined : await findProgram('perl', process.env['PATH'] ?? '/usr/bin:/bin', '/');
    this.#shim = perl === undefined ? { kind: 'sh', path: '/bin/sh' } : { kind: 'perl', path: perl };
    return this.#shim;
  }

  async #newSession(
    spec: LaunchSpec,
    command: readonly string[],
    startedAt: number,
    savedLimits: string | undefined,
  ): Promise<{ paneId: string; shimPid: number }> {
    const name = sessionNameOf(spec.agentId);
    const target = `=${name}:`;
    const size = clampSize(spec.size);
    // TERM is the terminal's to say; PWD is set by the shim.
    const env = Object.entries(spec.env).filter(([key]) => key !== 'TERM' && key !== 'PWD');
    const create = [
      ...['new-session', '-d', '-E', '-s', name, '-n', 'main', '-x', String(size.cols), '-y', String(size.rows)],
      ...['-c', escapeFormat(spec.cwd), '-P', '-F', '#{pane_id} #{pane_pid}'],
      ...env.flatMap(([key, value]) => ['-e', `${key}=${value}`]),
      ...['--', ...command],
    ];
    const option = (key: string, value: string): string[] => ['set-option', '-t', target, key, value];
    const commands = [
      create,
      option('@qd-agent', spec.agentId),
      option('@qd-run', spec.runId),
      option('@qd-instance', this.#options.instanceId),
      option('@qd-started', String(startedAt)),
      ...(savedLimits === undefined ? [] : [option(LIMITS_OPTION, savedLimits)]),
      ['set-option', '-p', '-t', target, '@qd-main', '1'],
      // The process has its environment; what the session keeps of it would be shown to whoever attaches, and go to side windows.
      ...env.map(([key]) => ['set-environment', '-u', '-t', target, key]),
    ];
    for (let attempt = 1; ; attempt += 1) {
      try {
        const [line = ''] = await this.#server.runAll(commands);
        const [paneId = '', pid = ''] = line.split(' ');
        return { paneId, shimPid: Number(pid) };
      } catch (error) {
        if (!(error instanceof TmuxCommandError)) throw error;
        if (attempt === 1 && (await this.#clearDead(target))) continue;
        const problem = error.message.includes('duplicate session')
          ? 'it still runs in a tmux session of that name'
          : error.message;
        throw new AppError('UNAVAILABLE', `Agent ${spec.agentId} cannot be started in tmux: ${problem}`, {
          retryable: false,
          cause: error,
        });
      }
    }
  }

  /** Removes a session in which nothing runs any more (left by a run that was never discarded); tells whether it did. */
  async #clearDead(target: string): Promise<boolean> {
    const command = ['list-panes', '-s', '-t', target, '-f', '#{@qd-main}', '-F', PANE_FORMAT];
    const lines = await this.#server.run(...command).catch(() => []);
    const panes = lines.map(parsePane).filter((pane) => pane !== undefined);
    if (panes.length === 0 || panes.some((pane) => this.#isAlive(pane))) return false;
    await killSession(this.#server, target);
    return true;
  }

  async #openSideWindows(spec: LaunchSpec, pid: number): Promise<void> {
    const target = `=${sessionNameOf(spec.agentId)}:`;
    const open = (window: SideWindow, index: number): string[][] => {
      // tmux gives a single word to a shell; `exec` makes it a program again.
      const argv = window.argv.length === 1 ? ['/bin/sh', '-c', 'exec "$0"', ...window.argv] : window.argv;
      return [
        [
          'new-window',
          '-d',
          '-t',
          `${target}${index + 1}`,
          '-n',
          window.name,
          '-e',
          `QUARTERDECK_MAIN_PID=${pid}`,
          '--',
          ...argv,
        ],
        ['set-option', '-p', '-t', `${target}${index + 1}`, '@qd-side', '1'],
      ];
    };
    const commands = spec.sideWindows.flatMap(open);
    if (commands.length === 0) return;
    await this.#server.runAll(commands).catch((error: unknown) => {
      this.#options.log('A side window could not be opened', { agentId: spec.agentId, error: messageOf(error) });
    });
  }

  async #listPanes(): Promise<ListedPane[]> {
    const lines = await this.#server.run('list-panes', '-a', '-f', '#{@qd-main}', '-F', PANE_FORMAT);
    return lines.map(parsePane).filter((pane) => pane !== undefined);
  }

  #refreshSoon(): void {
    this.#refresh().catch((error: unknown) => {
      if (!this.#isClosed) this.#options.log('The tmux panes could not be listed', { error: messageOf(error) });
    });
  }

  /** Lists the panes and tells every run. Calls while one is under way lead to one more after it. */
  #refresh(): Promise<void> {
    this.#isRefreshDue = true;
    this.#refreshing ??= this.#refreshWhileDue().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refreshWhileDue(): Promise<void> {
    let quickLooks = 0;
    while (this.#isRefreshDue && !this.#isClosed) {
      this.#isRefreshDue = false;
      // Asking must not start a server anew, when it is gone with all that ran in it.
      if (!(await this.#server.isRunning())) {
        for (const run of [...this.#runs.values()]) run.observeServerGone('its socket does not answer');
        return;
      }
      const before = new Set(this.#runs.values());
      const serverPid = this.#server.pid;
      const panes = new Map((await this.#listPanes()).map((pane) => [pane.paneId, pane]));
      for (const run of before) {
        if (serverPid !== this.#server.pid && serverPid !== 0) run.observeServerGone('another one has taken its place');
        const pane = panes.get(run.paneId);
        run.observe(pane?.runId === run.runId ? pane : undefined);
      }
      // A collected process was nudged for: look again shortly, until tmux has it.
      if (quickLooks < MAX_QUICK_LOOKS && [...this.#runs.values()].some((run) => run.isSuspicious())) {
        quickLooks += 1;
        await sleep(10);
        this.#isRefreshDue = true;
      }
    }
  }

  async #reconnect(reason: string): Promise<void> {
    if (this.#isClosed || this.#runs.size === 0) return;
    if (await this.#server.isRunning()) await this.#refresh();
    else for (const run of [...this.#runs.values()]) run.observeServerGone(reason);
  }
}

/** Whether a child of the shim has become the agent's program. */
function hasStarted(pid: number): boolean {
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return !isShim(commandLine) && !isEntering(commandLine);
  } catch {
    return true; // No /proc, or gone already.
  }
}

/** The child of a shim: the agent. Undefined when it is gone already (or did not come within five seconds). */
async function findChild(shimPid: number): Promise<number | undefined> {
  const deadline = performance.now() + CHILD_DEADLINE_MS;
  for (let waitMs = 1; performance.now() < deadline; waitMs = Math.min(waitMs * 2, 20)) {
    const [child] = childrenOf(shimPid);
    if (child !== undefined && hasStarted(child)) return child;
    if (!isRunning(shimPid)) return undefined;
    await sleep(waitMs);
  }
  return undefined;
}
