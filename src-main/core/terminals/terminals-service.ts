/**
 * Terminals of agents: reading, typing, sizes, and watching, live or as a small picture.
 * Invariant: nothing is typed before the journal says that somebody types; what is typed is never stored.
 */
import type * as z from 'zod';
import type { AgentType } from '#shared/agents/model.ts';
import { refusalFor } from '#shared/auth/authorise.ts';
import type { Actor } from '#shared/auth/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { terminalsContract } from '#shared/terminals/contract.ts';
import type { OpenPayload } from '#shared/terminals/frames.ts';
import type { Caller } from '#core/caller.ts';
import type { AppStore } from '#core/reads.ts';
import type { Run, RunEnd, TerminalCapture, TerminalSize } from '#core/runtimes/runtime.ts';
import { CapturedTerminal } from './captured-terminal.ts';
import type { LeaveReason } from './control-leases.ts';
import { ControlLeases } from './control-leases.ts';
import type { Glimpse } from './glimpse.ts';
import { isSameSize, showGlimpse } from './glimpse.ts';
import type { Viewer, ViewerSink } from './live-viewer.ts';
import { demand, INERT, liveViewer, RESIZE } from './live-viewer.ts';
import { endReason } from './terminal-hub.ts';
import type { HubLease } from './terminal-hubs.ts';
import { endOf, TerminalHubs } from './terminal-hubs.ts';
import type { ViewSink } from './view-ports.ts';
import { TerminalView } from './terminal-view.ts';
import { TileFeeds } from './tile-feed.ts';
import { TypingLog } from './typing-log.ts';

/** What the service needs of the rest of the core. */
export interface TerminalsOptions {
  readonly store: AppStore;
  /** The agent's last run, also when it has ended and its terminal is kept. */
  readonly runOf: (agentId: AgentId) => Run | undefined;
  /** The agent, as far as the journal needs it; undefined when there is none. */
  readonly agentOf: (
    agentId: AgentId,
  ) => { readonly projectId: ProjectId; readonly config?: { readonly type: AgentType } } | undefined;
  /** Resolves when an agent of an earlier core has been looked for. */
  readonly whenFound?: (id: AgentId) => Promise<void>;
  readonly now?: () => number;
  /** What a caller is called, by people; by default its id. */
  readonly nameOf?: (actor: Actor) => string;
  /** Told of what should not happen. */
  readonly onFault?: (error: unknown) => void;
  /** See `LINGER_MS`. */
  readonly lingerMs?: number;
  /** See `GRACE_MS`. */
  readonly graceMs?: number;
}

/** What somebody wants to watch. */
export type WatchRequest = z.output<typeof OpenPayload>;

const WATCH = terminalsContract.capture['~orpc'].meta;

/** Terminals of agents. */
export class TerminalsService implements Disposable {
  readonly #options: TerminalsOptions;
  readonly #hubs: TerminalHubs;
  readonly #tiles = new TileFeeds();
  readonly #leases: ControlLeases;
  readonly #typing: TypingLog;

  constructor(options: TerminalsOptions) {
    this.#options = options;
    this.#hubs = new TerminalHubs(options.lingerMs === undefined ? {} : { lingerMs: options.lingerMs });
    const now = options.now ?? Date.now;
    this.#leases = new ControlLeases({
      store: options.store,
      now,
      nameOf: options.nameOf ?? (({ id }) => id),
      onFault: (error) => options.onFault?.(error),
      ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
    });
    this.#typing = new TypingLog({ store: options.store, now });
  }

  /** How many windows have tiles. */
  get openTileFeeds(): number {
    return this.#tiles.size;
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
    const { run } = await this.#find(input.id);
    const [capture, windows] = await Promise.all([
      run.capture({ historyLines: input.historyLines, ansi: input.ansi, window: input.window }),
      run.windows(),
    ]);
    return { ...capture, windows };
  }

  /** Types text, and Enter if wanted. NOT_FOUND, CONFLICT (not running, or somebody else has control). */
  async write(
    input: { id: AgentId; window: string; text: string; enter: boolean },
    caller: Caller,
  ): Promise<{ typedBytes: number }> {
    const { run, projectId } = await this.#findRunning(input.id);
    this.#leases.demandFree(input.id, caller);
    const bytes = Buffer.from(input.enter ? `${input.text}\r` : input.text);
    const lease = await this.#hubs.acquire(run, input.window, undefined);
    try {
      await this.#typing.note({ agentId: input.id, projectId, window: input.window }, caller);
      // It may have been taken meanwhile.
      this.#leases.demandFree(input.id, caller);
      lease.hub.type(bytes);
    } finally {
      lease.dispose();
    }
    return { typedBytes: bytes.length };
  }

  /** Sets the size of the main window for all who look at it. NOT_FOUND, CONFLICT (not running, or somebody else has control). */
  async resize(input: { id: AgentId } & TerminalSize, caller: Caller): Promise<TerminalSize> {
    const { run } = await this.#findRunning(input.id);
    this.#leases.demandFree(input.id, caller);
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
    if (!this.#options.agentOf(id)) await this.#find(id);
    const windows =
      (await this.#options
        .runOf(id)
        ?.windows()
        .catch(() => [])) ?? [];
    return { windows, ...this.#leases.statusOf(id) };
  }

  /**
   * Lets somebody watch: `opened`, who has control, the screen, what follows, and history behind it if asked for; or, as a
   * tile, the last lines. Of a run that has ended the last screen is shown. FORBIDDEN, NOT_FOUND (agent or window), CONFLICT
   * (never started), UNAVAILABLE.
   */
  async watch(request: WatchRequest, caller: Caller, sink: ViewerSink): Promise<Viewer> {
    demand(caller, WATCH, 'Watching a terminal');
    const { run, projectId } = await this.#find(request.agentId);
    if (request.tier === 'tile') return this.#watchTile(run, request, sink);
    // One who may not resize must not decide the size by being the first either.
    const wish = refusalFor(caller.role, RESIZE) === undefined ? { cols: request.cols, rows: request.rows } : undefined;
    const glimpse: Glimpse = { size: undefined };
    let lease: HubLease;
    try {
      const entered = await this.#enter(run, request, wish, sink, glimpse);
      if ('end' in entered) return await this.#watchEnded(run, entered.end, request, sink);
      lease = entered;
    } catch (error) {
      if (glimpse.size === undefined) throw error;
      // To the viewer the view stands already: it has to hear that it does not.
      sink.ended({
        code: 'DETACHED',
        message: error instanceof AppError ? error.message : 'The terminal could not be attached to.',
      });
      return idleViewer(request.agentId);
    }
    const held = lease;
    const seat = held.hub.join(sink, wish);
    if (glimpse.size === undefined) sink.opened(held.hub.size, request.window);
    else if (!isSameSize(glimpse.size, held.hub.size)) sink.resized(held.hub.size);
    const place = { agentId: request.agentId, projectId, window: request.window };
    const control = this.#leases.join(place, caller, (now) => sink.control(now));
    const leave = (reason: LeaveReason): void => {
      control.leave(reason);
      seat.dispose();
      held.dispose();
    };
    const viewer = liveViewer({
      hub: held.hub,
      seat,
      control,
      place,
      caller,
      typing: this.#typing,
      onTyped: () => this.#tiles.typed(),
      leave,
    });
    // What is opened stands, whether control could be had or not.
    if (request.control !== 'watch') viewer.take(request.control === 'force').catch((error: unknown) => sink.refused(error));
    seat.view.start(request.historyLines).catch(() => undefined);
    return viewer;
  }

  dispose(): void {
    this.#leases.dispose();
    this.#hubs.dispose();
  }

  /** A lease of the hub, or how the run ended. What is shown of it before is noted in `glimpse`. */
  async #enter(
    run: Run,
    request: WatchRequest,
    wish: TerminalSize | undefined,
    sink: ViewSink,
    glimpse: Glimpse,
  ): Promise<HubLease | { readonly end: RunEnd }> {
    for (;;) {
      const end = await endOf(run);
      if (end !== undefined) return { end };
      const isCold = !this.#hubs.has(run, request.window);
      const opening = this.#hubs.acquire(run, request.window, wish);
      if (isCold && wish !== undefined && glimpse.size === undefined)
        await showGlimpse(run, request.window, wish, sink, opening, glimpse);
      const lease = await opening;
      if (!lease.hub.isEnding) return lease;
      // It ended while it was opened: the next round finds the run ended, or opens another.
      lease.dispose();
    }
  }

  async #watchEnded(run: Run, end: RunEnd, request: WatchRequest, sink: ViewSink): Promise<Viewer> {
    const capture = await run.capture({ historyLines: request.historyLines, ansi: true, window: request.window });
    const source = new CapturedTerminal(capture);
    const view = new TerminalView(source, sink);
    sink.opened(source.size, request.window);
    view
      .start(request.historyLines)
      .then(() => view.end(endReason(end)))
      .catch(() => undefined);
    return {
      ...idleViewer(request.agentId),
      acknowledge: (bytes) => view.acknowledge(bytes),
      recheck: () => view.recheck(),
      leave: () => view.close(),
    };
  }

  async #watchTile(run: Run, request: WatchRequest, sink: ViewerSink): Promise<Viewer> {
    const { window } = request;
    if (window !== 'main' && !(await run.windows()).includes(window))
      throw new AppError('NOT_FOUND', `Agent ${request.agentId} has no window "${window}"`, { data: { window } });
    sink.opened({ cols: request.cols, rows: request.rows }, window);
    const seat = this.#tiles.join(run, window, request.rows, sink);
    const refuse = (): never => {
      throw new AppError('CONFLICT', 'This is a picture of a terminal: open a live view to type.');
    };
    return {
      ...INERT,
      acknowledge: (bytes) => seat.acknowledge(bytes),
      recheck: () => seat.recheck(),
      type: refuse,
      take: async () => refuse(),
      leave: () => seat.dispose(),
    };
  }

  async #find(id: AgentId): Promise<{ run: Run; projectId: ProjectId }> {
    const agent = this.#options.agentOf(id);
    if (!agent) throw new AppError('NOT_FOUND', `There is no agent "${id}". List them with list_agents.`, { data: { id } });
    if (agent.config?.type === 'external') throw notHere(id);
    // A core that has just begun may not have found it yet.
    if (!this.#options.runOf(id)) await this.#options.whenFound?.(id);
    const run = this.#options.runOf(id);
    if (!run) throw notRunning(id);
    return { run, projectId: agent.projectId };
  }

  async #findRunning(id: AgentId): Promise<{ run: Run; projectId: ProjectId }> {
    const found = await this.#find(id);
    if ((await endOf(found.run)) !== undefined) throw notRunning(id);
    return found;
  }
}

function notHere(id: AgentId): AppError {
  return new AppError(
    'CONFLICT',
    `Agent "${id}" was enrolled from outside: its terminal, if it has one, is where it was started. What it says comes as messages.`,
    { data: { id } },
  );
}

function notRunning(id: AgentId): AppError {
  return new AppError('CONFLICT', `Agent "${id}" is not running. Start it with start_agent, then try again.`, { data: { id } });
}

/** Somebody who looks at a terminal in which nothing runs. */
function idleViewer(id: AgentId): Viewer {
  const refuse = (): never => {
    throw notRunning(id);
  };
  return {
    ...INERT,
    acknowledge: () => undefined,
    recheck: () => undefined,
    type: refuse,
    take: async () => refuse(),
    leave: () => undefined,
  };
}
