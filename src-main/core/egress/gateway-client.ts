/**
 * The core's side of the gateway: finds the one that lives or starts one, owns it, and keeps it told.
 *
 * What is to hold is state, not a sequence of orders: whatever breaks, the next connection tells it all again.
 * Invariants: a core that another one replaced as the owner gives no more orders, ever; a gateway that serves agents is never
 * ended to be replaced; without a contained agent no gateway is started.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { GatewayAgent, GatewayEvent, GatewayModelApi, GatewayOwner, GatewayStatus } from '#shared/gateway/model.ts';
import { CONTROL_SOCKET, GATEWAY_PROTOCOL } from '#shared/gateway/model.ts';
import type { BackoffPolicy } from '#shared/kernel/backoff.ts';
import { backoffMs } from '#shared/kernel/backoff.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { GatewayControl, GatewayError } from './gateway-control.ts';
import type { GatewayProgram } from './gateway-process.ts';
import { startGateway } from './gateway-process.ts';
import { WantedAgents } from './wanted-agents.ts';

/** Who reads the log of connections. */
export interface EventReader {
  /** The number after which it wants the log, given the last one there is. */
  after(lastEvent: number): number;
  /** Takes entries in order; resolves when they are stored. False: these do not follow what it has, it wants to start over. */
  take(events: readonly GatewayEvent[]): Promise<boolean>;
}

/** What the client is made of. */
export interface GatewayClientOptions {
  readonly program: GatewayProgram;
  /** Minted by this core. */
  readonly coreId: string;
  /** The model APIs with their keys, as they are now. Kept in no field: keys stay where they are needed. */
  readonly modelApis: () => readonly GatewayModelApi[];
  /** Whether an agent that the gateway serves, and this core did not ask for, still runs. */
  readonly isRunning: (id: AgentId) => boolean;
  readonly events: EventReader;
  readonly log: GatewayLog;
  readonly now?: () => number;
  readonly timings?: Partial<GatewayTimings>;
}

/** Where the client tells what happens. */
export interface GatewayLog {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** Times in milliseconds. */
export interface GatewayTimings {
  /** Until a gateway that was started answers. */
  readonly startMs: number;
  /** Until an agent that is to be served is. */
  readonly serveMs: number;
  /** Between looks at a gateway that cannot be used. */
  readonly recheckMs: number;
  /** Until a gateway that was told to end is gone. */
  readonly endMs: number;
}

const TIMINGS: GatewayTimings = { startMs: 15_000, serveMs: 30_000, recheckMs: 5_000, endMs: 5_000 };
/** Tries to start or reach a gateway that fails again and again. */
const RETRY: BackoffPolicy = { firstMs: 50, maxMs: 5_000, jitter: 0.3 };
/** How often a gateway that starts or ends is asked, in milliseconds. */
const POLL_MS = 25;
/** The loop's own end, in milliseconds. */
const CLOSE_MS = 500;
/** One that served this long, in milliseconds, is no failed try. */
const STABLE_MS = 10_000;

/**
 * off: none is there and none is wanted; connecting; ready: it is owned and was told everything; lost: another core owns it;
 * foreign: it speaks another protocol and serves agents; closed: this core is ending.
 */
export type GatewayState = 'off' | 'connecting' | 'ready' | 'lost' | 'foreign' | 'closed';

/** What the owner says of itself beside its id. */
export type CoreAddress = Pick<GatewayOwner, 'agentUrl' | 'word'>;

/** Owns the connection to the gateway. */
export class GatewayClient {
  readonly #o: GatewayClientOptions;
  readonly #times: GatewayTimings;
  readonly #now: () => number;
  readonly #control: GatewayControl;
  readonly #closing = new AbortController();
  readonly #wanted = new WantedAgents();
  #owner: GatewayOwner | undefined;
  #state: GatewayState = 'off';
  /** Why it is not ready, for those who wait. */
  #problem = 'it is not started yet';
  #running: Promise<void> | undefined;
  /** The connection that is told now; aborted when it turns out to be broken. */
  #session: AbortController | undefined;
  #telling: Promise<void> = Promise.resolve();

  constructor(options: GatewayClientOptions) {
    this.#o = options;
    this.#times = { ...TIMINGS, ...options.timings };
    this.#now = options.now ?? Date.now;
    this.#control = new GatewayControl(join(options.program.socketDir, CONTROL_SOCKET));
  }

  /** Where it stands. */
  get state(): GatewayState {
    return this.#state;
  }

  /** Takes over the gateway that an earlier core left, if one lives. Resolves when that is known; what follows goes on by itself. */
  async open(address: CoreAddress): Promise<void> {
    const found = await this.#control.status().catch(() => undefined);
    // This core just started, so it is the one that came later, also where the clock was set back meanwhile.
    const startedAt = Math.max(this.#now(), (found?.owner?.startedAt ?? 0) + 1);
    this.#owner = { coreId: this.#o.coreId, startedAt, ...address };
    if (found !== undefined || this.#wanted.size > 0) this.#run();
  }

  /** Whether the gateway serves an agent with what was last told. */
  isServed(id: AgentId): boolean {
    return this.#state === 'ready' && this.#wanted.isTold(id);
  }

  /** Whether an agent is to be served. */
  isWanted(id: AgentId): boolean {
    return this.#wanted.get(id) !== undefined;
  }

  /** What was last asked for an agent. */
  wanted(id: AgentId): GatewayAgent | undefined {
    return this.#wanted.get(id);
  }

  /** Projects of the agents that are to be served. */
  projects(): ReadonlySet<GatewayAgent['projectId']> {
    return new Set(this.#wanted.all().map((agent) => agent.projectId));
  }

  /**
   * Has an agent served, or served otherwise. Resolves when the gateway has confirmed it; fails with UNAVAILABLE, saying
   * why, when it has not within `waitMs` (`serveMs`) or never will. What was asked stays asked for: it is told as soon as it
   * can be.
   */
  async put(agent: GatewayAgent, waitMs: number = this.#times.serveMs): Promise<void> {
    this.#wanted.put(agent);
    if (this.#state === 'lost' || this.#state === 'foreign' || this.#state === 'closed') throw this.#unavailable();
    const told = this.#wanted.whenTold(agent.id, waitMs);
    this.#run();
    this.#tell().catch(() => undefined);
    const outcome = await told;
    if (outcome === 'told') return;
    throw outcome === 'too-late' || outcome === 'given-up' ? this.#unavailable() : refusal(outcome.problem);
  }

  /** Has an agent served no more. Never fails: what cannot be told now is told with the next connection. */
  async drop(id: AgentId): Promise<void> {
    if (!this.#wanted.drop(id) || this.#state !== 'ready') return;
    await this.#tell();
  }

  /** Tells the model APIs anew, after a key or the list changed. Never fails. */
  async putModelApis(): Promise<void> {
    this.#wanted.touchModelApis();
    if (this.#state === 'ready') await this.#tell();
  }

  /** Lets go. The gateway goes on while it serves agents, else it is ended. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const isOwner = this.#state === 'ready';
    this.#state = 'closed';
    this.#problem = 'Quarterdeck is ending';
    this.#closing.abort();
    this.#session?.abort();
    this.#wanted.giveUp();
    // What it waits for last is bounded by itself; the end of the core is not to wait for it.
    await Promise.race([this.#running, wait(CLOSE_MS)]);
    if (!isOwner || this.#wanted.size > 0 || this.#wanted.hasStrays) return;
    await this.#control
      .shutdown(this.#o.coreId)
      .then(() => this.#gone())
      .catch((error: unknown) => this.#o.log.warn({ err: error }, 'the gateway could not be ended'));
  }

  #unavailable(): AppError {
    return new AppError(
      'UNAVAILABLE',
      `The gateway, through which contained agents reach anything, cannot be used: ${this.#problem}.`,
    );
  }

  #run(): void {
    if (this.#running || !this.#owner || this.#closing.signal.aborted) return;
    this.#running = this.#loop(this.#owner).finally(() => {
      this.#running = undefined;
      // Asked for while it was ending.
      if (this.#state === 'off' && this.#wanted.size > 0) this.#run();
    });
  }

  async #loop(owner: GatewayOwner): Promise<void> {
    let failures = 0;
    while (!this.#closing.signal.aborted) {
      const since = performance.now();
      this.#become('connecting');
      try {
        const status = await this.#find();
        if (status === undefined) {
          this.#become('off');
          return;
        }
        if (await this.#isUsable(status)) await this.#serve(owner);
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        if (error instanceof DisownedError) {
          this.#lose(error);
          return;
        }
        this.#problem = messageOf(error);
        if (performance.now() - since > STABLE_MS) failures = 0;
        this.#o.log.warn(
          { problem: this.#problem },
          'the gateway does not answer any more; it is connected to again, or started anew',
        );
      }
      await this.#pause(this.#state === 'foreign' ? this.#times.recheckMs : backoffMs(RETRY, failures++));
    }
  }

  /** The status of the one that lives, or of one that was started; undefined when there is none and none is wanted. */
  async #find(): Promise<GatewayStatus | undefined> {
    const found = await this.#look();
    if (found !== undefined) return found;
    if (this.#wanted.size === 0) return undefined;
    const started = await startGateway(this.#o.program);
    this.#o.log.info({ pid: started.pid }, 'a gateway was started');
    let end: string | undefined;
    started.ended.then(
      (how) => (end = how),
      () => undefined,
    );
    const deadline = performance.now() + this.#times.startMs;
    while (performance.now() < deadline && !this.#closing.signal.aborted) {
      const status = await this.#look();
      if (status !== undefined) return status;
      // Another one in the folder, which took its place: that one answers soon.
      if (end !== undefined && !end.startsWith('another'))
        throw new Error(`it ended as it started (${end}); its reason is in ${this.#o.program.logFile}`);
      await this.#pause(POLL_MS);
    }
    throw new Error(`it did not answer within ${this.#times.startMs} ms of its start; see ${this.#o.program.logFile}`);
  }

  async #look(): Promise<GatewayStatus | undefined> {
    try {
      return await this.#control.status();
    } catch (error) {
      if (error instanceof GatewayError && error.kind === 'gone') return undefined;
      throw error;
    }
  }

  /** Whether to work with this one. One of another version that serves nobody is ended first. */
  async #isUsable(status: GatewayStatus): Promise<boolean> {
    const { version } = this.#o.program;
    const isSpoken = status.protocol === GATEWAY_PROTOCOL;
    if (isSpoken && status.version === version) return true;
    if (status.agents.length === 0) {
      this.#o.log.info(
        { from: status.version, to: version, pid: status.pid },
        'the gateway of another version serves nobody and is replaced',
      );
      if (this.#owner) await this.#own(this.#owner);
      await this.#control.shutdown(this.#o.coreId);
      await this.#gone();
      return false;
    }
    if (isSpoken) {
      this.#o.log.info(
        { gateway: status.version, core: version, agents: status.agents.length },
        'the gateway is of another version and stays, because it serves agents; it is replaced when none of them runs any more',
      );
      return true;
    }
    this.#problem = `it belongs to version ${status.version} and speaks protocol ${status.protocol}, this core ${GATEWAY_PROTOCOL}. Stop the contained agents (${status.agents.slice(0, 5).join(', ')}), then it is replaced`;
    if (this.#state !== 'foreign') this.#o.log.warn({ gateway: status.version }, `the gateway is kept: ${this.#problem}`);
    this.#become('foreign');
    this.#wanted.giveUp();
    return false;
  }

  /** Owns it, tells it everything, and reads its log until the line ends. */
  async #serve(owner: GatewayOwner): Promise<void> {
    const status = await this.#own(owner);
    const session = new AbortController();
    const onClosing = (): void => session.abort();
    this.#closing.signal.addEventListener('abort', onClosing);
    this.#session = session;
    try {
      this.#wanted.tellAllAgain(status.agents, this.#o.isRunning);
      await this.#tellNow(session);
      if (session.signal.aborted) throw new GatewayError('gone', this.#problem);
      this.#become('ready');
      // What was asked for while it was told.
      const telling = this.#tell();
      await this.#follow(status, session);
      await telling;
    } finally {
      session.abort();
      this.#closing.signal.removeEventListener('abort', onClosing);
      this.#session = undefined;
    }
  }

  async #follow(status: GatewayStatus, session: AbortController): Promise<void> {
    const { events } = this.#o;
    let { lastEvent } = status;
    for (;;) {
      const lines = this.#control.events(this.#o.coreId, events.after(lastEvent), session.signal);
      let isContinued = true;
      for await (const batch of lines) {
        isContinued = await events.take(batch);
        lastEvent = Math.max(lastEvent, batch.at(-1)?.n ?? 0);
        if (!isContinued) break;
      }
      // Whether another core took over is said where this one asks to own it again.
      if (isContinued) throw new GatewayError('gone', 'the line to the gateway ended');
    }
  }

  /** Tells what is not told yet; one telling at a time. A broken line ends the session: the loop then tells everything again. */
  #tell(): Promise<void> {
    const session = this.#session;
    if (session === undefined || this.#state !== 'ready') return Promise.resolve();
    this.#telling = this.#telling.then(() => this.#tellNow(session));
    return this.#telling;
  }

  /** Never rejects. */
  async #tellNow(session: AbortController): Promise<void> {
    for (let order = this.#wanted.next(); order && !session.signal.aborted; order = this.#wanted.next()) {
      try {
        if (order.kind === 'model-apis') await this.#control.putModelApis(this.#o.coreId, this.#o.modelApis());
        else if (order.kind === 'put') await this.#control.putAgent(this.#o.coreId, order.agent);
        else await this.#control.removeAgent(this.#o.coreId, order.id);
        this.#wanted.told(order);
      } catch (error) {
        if (error instanceof GatewayError && error.kind === 'refused') {
          this.#o.log.warn({ problem: error.message, order: order.kind }, 'the gateway refused an order');
          this.#wanted.refused(order, error.message);
          continue;
        }
        // The loop finds out what it is: a gateway that is gone, or another owner.
        this.#problem = messageOf(error);
        session.abort();
      }
    }
  }

  /** Asks to own it. The only place where ownership is lost: whatever else fails is tried again, and comes by here. */
  async #own(owner: GatewayOwner): Promise<GatewayStatus> {
    try {
      return await this.#control.own(owner);
    } catch (error) {
      if (error instanceof GatewayError && error.kind === 'other-owner') throw new DisownedError(error.message, { cause: error });
      throw error;
    }
  }

  #lose(error: DisownedError): void {
    this.#problem = `${error.message.replace(/\.$/, '')}. Only one core gives its orders; end this one, or the other`;
    this.#become('lost');
    this.#wanted.giveUp();
    this.#o.log.error(
      { problem: error.message },
      'another core owns the gateway: this one gives it no more orders, and starts no contained agent',
    );
  }

  #become(state: GatewayState): void {
    // A look at a gateway that could not be used before says nothing new.
    if (this.#state === 'closed' || (this.#state === 'foreign' && state === 'connecting')) return;
    this.#state = state;
  }

  async #gone(): Promise<void> {
    const deadline = performance.now() + this.#times.endMs;
    while (performance.now() < deadline) {
      const status = await this.#control.status().catch(() => undefined);
      if (status === undefined) return;
      await wait(POLL_MS);
    }
    throw new Error(`it did not end within ${this.#times.endMs} ms`);
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }
}

/** Another core owns the gateway. */
class DisownedError extends Error {
  override readonly name = 'DisownedError';
}

function refusal(problem: string): AppError {
  return new AppError('UNAVAILABLE', `The gateway cannot serve this agent: ${problem}.`, { retryable: false });
}
