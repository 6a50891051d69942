/**
 * Terminals of agents: reading, typing, sizes, and watching live.
 * Invariant: nothing is typed before the journal says that somebody types; what is typed is never stored.
 */
import { refusalFor } from '#shared/auth/authorise.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import type { ProcedureMeta } from '#shared/kernel/procedure.ts';
import { terminalsContract } from '#shared/terminals/contract.ts';
import type { Caller } from '#core/caller.ts';
import type { AppStore } from '#core/reads.ts';
import type { Run, RunEnd, TerminalCapture, TerminalSize } from '#core/runtimes/runtime.ts';
import { divide, EndedTerminal } from './ended-terminal.ts';
import { endReason } from './terminal-hub.ts';
import type { HubSeat } from './terminal-hub.ts';
import type { HubLease } from './terminal-hubs.ts';
import { endOf, TerminalHubs } from './terminal-hubs.ts';
import type { ViewSink } from './terminal-view.ts';
import { TerminalView } from './terminal-view.ts';
import { TypingLog } from './typing-log.ts';

/** What the service needs of the rest of the core. */
export interface TerminalsOptions {
  readonly store: AppStore;
  /** The agent's last run, also when it has ended and its terminal is kept. */
  readonly runOf: (agentId: AgentId) => Run | undefined;
  /** The agent, as far as the journal needs it; undefined when there is none. */
  readonly agentOf: (agentId: AgentId) => { readonly projectId: ProjectId } | undefined;
  readonly now?: () => number;
  /** See `LINGER_MS`. */
  readonly lingerMs?: number;
}

/** What somebody wants to watch. */
export interface WatchRequest {
  readonly agentId: AgentId;
  readonly window: string;
  readonly cols: number;
  readonly rows: number;
  readonly historyLines: number;
}

/** Somebody who watches a terminal. Disposing it ends that. */
export interface Viewer extends Disposable {
  /** See `TerminalView.acknowledge`. */
  acknowledge(bytes: number): void;
  /** See `TerminalView.recheck`. */
  recheck(): void;
  /** Types bytes, in order. Returns a promise when the journal has to be written first. FORBIDDEN, CONFLICT. */
  type(bytes: Uint8Array): Promise<void> | undefined;
  /** The viewer's size has changed. FORBIDDEN. */
  resize(size: TerminalSize): void;
}

const WATCH = terminalsContract.capture['~orpc'].meta;
const TYPE = terminalsContract.write['~orpc'].meta;
const RESIZE = terminalsContract.resize['~orpc'].meta;

function demand(caller: Caller, meta: ProcedureMeta, what: string): void {
  const refusal = refusalFor(caller.role, meta);
  if (refusal) throw new AppError('FORBIDDEN', `${what} ${refusal.reason}.`, { data: { role: caller.role } });
}

/** Terminals of agents. */
export class TerminalsService implements Disposable {
  readonly #options: TerminalsOptions;
  readonly #hubs: TerminalHubs;
  readonly #typing: TypingLog;

  constructor(options: TerminalsOptions) {
    this.#options = options;
    this.#hubs = new TerminalHubs(options.lingerMs === undefined ? {} : { lingerMs: options.lingerMs });
    this.#typing = new TypingLog({ store: options.store, now: options.now ?? Date.now });
  }

  /** How many hubs are open. */
  get openHubs(): number {
    return this.#hubs.size;
  }

  /** The screen with history above it, and the names of the windows. NOT_FOUND, CONFLICT (never started), UNAVAILABLE (not kept). */
  async capture(input: {
    id: AgentId;
    window: string;
    historyLines: number;
    ansi: boolean;
  }): Promise<TerminalCapture & { windows: readonly string[] }> {
    const { run } = this.#find(input.id);
    const [capture, windows] = await Promise.all([
      run.capture({ historyLines: input.historyLines, ansi: input.ansi, window: input.window }),
      run.windows(),
    ]);
    return { ...capture, windows };
  }

  /** Types text, and Enter if wanted. NOT_FOUND, CONFLICT (not running). */
  async write(
    input: { id: AgentId; window: string; text: string; enter: boolean },
    caller: Caller,
  ): Promise<{ typedBytes: number }> {
    const { run, projectId } = await this.#findRunning(input.id);
    const bytes = Buffer.from(input.enter ? `${input.text}\r` : input.text);
    const lease = await this.#hubs.acquire(run, input.window, undefined);
    try {
      await this.#typing.note({ agentId: input.id, projectId, window: input.window }, caller);
      lease.hub.type(bytes);
    } finally {
      lease.dispose();
    }
    return { typedBytes: bytes.length };
  }

  /** Sets the size of the main window for all who look at it. NOT_FOUND, CONFLICT (not running). */
  async resize(input: { id: AgentId } & TerminalSize, _caller: Caller): Promise<TerminalSize> {
    const { run } = await this.#findRunning(input.id);
    const size = { cols: input.cols, rows: input.rows };
    const lease = await this.#hubs.acquire(run, 'main', size);
    lease.hub.resize(size);
    lease.dispose();
    return size;
  }

  /** The windows, who has control, and how many look. NOT_FOUND. */
  async status(id: AgentId): Promise<{
    windows: readonly string[];
    holder: { name: string; door: Caller['door']; since: number } | null;
    viewers: number;
  }> {
    if (!this.#options.agentOf(id)) this.#find(id);
    const windows = (await this.#options.runOf(id)?.windows().catch(() => [])) ?? [];
    return { windows, holder: null, viewers: 0 };
  }

  /**
   * Lets somebody watch: `opened`, then history if asked for, then the screen, then what follows. Of a run that has ended the
   * last screen is shown. FORBIDDEN, NOT_FOUND (agent or window), CONFLICT (never started), UNAVAILABLE.
   */
  async watch(request: WatchRequest, caller: Caller, sink: ViewSink): Promise<Viewer> {
    demand(caller, WATCH, 'Watching a terminal');
    const { run, projectId } = this.#find(request.agentId);
    // One who may not resize must not decide the size by being the first either.
    const wish = refusalFor(caller.role, RESIZE) === undefined ? { cols: request.cols, rows: request.rows } : undefined;
    let lease: HubLease | undefined;
    while (lease === undefined) {
      const end = await endOf(run);
      if (end !== undefined) return this.#watchEnded(run, end, request, sink);
      const next = await this.#hubs.acquire(run, request.window, wish);
      // It ended while it was opened: the next round finds the run ended, or opens another.
      if (next.hub.isEnding) next.dispose();
      else lease = next;
    }
    const held = lease;
    const seat = held.hub.join(sink, wish);
    sink.opened(held.hub.size, request.window);
    seat.view.start(request.historyLines === 0 ? [] : historyOf(run, request)).catch(() => undefined);
    return this.#viewer(seat, { agentId: request.agentId, projectId, window: request.window }, caller, () => {
      seat.dispose();
      held.dispose();
    });
  }

  dispose(): void {
    this.#hubs.dispose();
  }

  #viewer(
    seat: HubSeat,
    where: { agentId: AgentId; projectId: ProjectId; window: string },
    caller: Caller,
    dispose: () => void,
  ): Viewer {
    let isDisposed = false;
    let turn: Promise<void> | undefined;
    return {
      acknowledge: (bytes) => seat.view.acknowledge(bytes),
      recheck: () => seat.view.recheck(),
      type: (bytes) => {
        demand(caller, TYPE, 'Typing into a terminal');
        const noted = this.#typing.note(where, caller);
        if (noted === undefined && turn === undefined) {
          seat.type(bytes);
          return undefined;
        }
        const mine: Promise<void> = Promise.all([turn, noted])
          .then(() => seat.type(bytes))
          .finally(() => {
            if (turn === mine) turn = undefined;
          });
        turn = mine;
        return mine;
      },
      resize: (size) => {
        demand(caller, RESIZE, 'Changing the size of a terminal');
        seat.resize(size);
      },
      dispose: () => {
        if (isDisposed) return;
        isDisposed = true;
        dispose();
      },
    };
  }

  async #watchEnded(run: Run, end: RunEnd, request: WatchRequest, sink: ViewSink): Promise<Viewer> {
    const capture = await run.capture({ historyLines: request.historyLines, ansi: true, window: request.window });
    const source = new EndedTerminal(capture);
    const view = new TerminalView(source, sink);
    sink.opened(source.size, request.window);
    view
      .start(divide(capture).history)
      .then(() => view.end(endReason(end)))
      .catch(() => undefined);
    const refuse = (): never => {
      throw notRunning(request.agentId);
    };
    return {
      acknowledge: (bytes) => view.acknowledge(bytes),
      recheck: () => view.recheck(),
      type: refuse,
      resize: () => undefined,
      dispose: () => view.close(),
    };
  }

  #find(id: AgentId): { run: Run; projectId: ProjectId } {
    const agent = this.#options.agentOf(id);
    if (!agent) throw new AppError('NOT_FOUND', `There is no agent "${id}". List them with list_agents.`, { data: { id } });
    const run = this.#options.runOf(id);
    if (!run) throw notRunning(id);
    return { run, projectId: agent.projectId };
  }

  async #findRunning(id: AgentId): Promise<{ run: Run; projectId: ProjectId }> {
    const found = this.#find(id);
    if ((await endOf(found.run)) !== undefined) throw notRunning(id);
    return found;
  }
}

function notRunning(id: AgentId): AppError {
  return new AppError('CONFLICT', `Agent "${id}" is not running. Start it with start_agent, then try again.`, { data: { id } });
}

/** Lines above the screen; none when they cannot be had. */
async function historyOf(run: Run, request: WatchRequest): Promise<readonly string[]> {
  return run.capture({ historyLines: request.historyLines, ansi: true, window: request.window }).then(
    (capture) => divide(capture).history,
    () => [],
  );
}
