/**
 * The gateway: owns the sockets of contained agents, what they may connect to, the keys of model APIs, and the log of it all.
 * It outlives the core. Invariant: what it was not told to let through is refused.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GatewayAgent, GatewayModelApi, GatewayOwner, GatewayStatus } from '#shared/gateway/model.ts';
import { CONTROL_SOCKET, GATEWAY_PROTOCOL } from '#shared/gateway/model.ts';
import { SOCKETS } from '#shared/gateway/places.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { uuidv7 } from '#shared/kernel/ids.ts';
import { makeAgentServer } from './agent-door.ts';
import { AgentLine } from './agent-line.ts';
import type { Clock } from './clock.ts';
import { MACHINE_CLOCK } from './clock.ts';
import { ConnectionBook } from './connection-book.ts';
import { ConnectionLog } from './connection-log.ts';
import type { Orders } from './control.ts';
import { makeControlServer } from './control.ts';
import { CoreLink } from './core-link.ts';
import { makeEgressServer } from './egress-door.ts';
import type { GatewayLimits } from './limits.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { ModelApis } from './model-apis.ts';
import type { Network } from './network.ts';
import { MACHINE_NETWORK } from './network.ts';
import { ServedAgent } from './served-agent.ts';
import { isAnswered, SocketDoor } from './socket-door.ts';

/** What a gateway is started with. */
export interface GatewayOptions {
  readonly socketDir: string;
  /** Name of the log; its files are numbered beside it. */
  readonly log: string;
  readonly version: string;
  readonly network?: Network;
  readonly clock?: Clock;
  readonly limits?: Partial<GatewayLimits>;
  /** Is called once when the gateway has ended, whoever wanted it. */
  readonly onEnd?: (reason: string) => void;
  /** Is told of what the operator may have to mend. */
  readonly onProblem?: (problem: string) => void;
}

/** Another gateway answers in this folder. */
export class GatewayTakenError extends Error {
  constructor(path: string) {
    super(`Another gateway answers at ${path}.`);
    this.name = 'GatewayTakenError';
  }
}

interface Served {
  readonly agent: ServedAgent;
  doors: readonly SocketDoor[];
  line?: AgentLine;
}

/** A running gateway. */
export class Gateway implements Orders {
  readonly #options: GatewayOptions;
  readonly #limits: GatewayLimits;
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #log: ConnectionLog;
  readonly #book: ConnectionBook;
  readonly #core: CoreLink;
  readonly #modelApis = new ModelApis();
  readonly #agents = new Map<AgentId, Served>();
  readonly #control: SocketDoor;
  readonly #id = uuidv7();
  readonly #startedAt: number;
  /** Orders that change agents, one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #streams = 0;
  #lastOrderAt: number;
  #cancelLonely: (() => void) | undefined;
  #cancelCheck: (() => void) | undefined;
  #ending: Promise<void> | undefined;

  private constructor(options: GatewayOptions, limits: GatewayLimits, clock: Clock, log: ConnectionLog) {
    this.#options = options;
    this.#limits = limits;
    this.#clock = clock;
    this.#network = options.network ?? MACHINE_NETWORK;
    this.#log = log;
    this.#book = new ConnectionBook({ log, clock, sameMs: limits.sameRefusalMs, different: limits.differentRefusals });
    this.#core = new CoreLink(limits.coreProbeMs);
    this.#startedAt = clock.now();
    this.#lastOrderAt = this.#startedAt;
    this.#control = new SocketDoor({
      path: join(options.socketDir, CONTROL_SOCKET),
      owner: null,
      makeServer: () => makeControlServer(this),
    });
  }

  /** Starts one. Fails with `GatewayTakenError` where another answers; a socket that nobody answers on is replaced. */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const clock = options.clock ?? MACHINE_CLOCK;
    await mkdir(options.socketDir, { recursive: true, mode: 0o700 });
    const path = join(options.socketDir, CONTROL_SOCKET);
    if (await isAnswered(path)) throw new GatewayTakenError(path);
    const log = await ConnectionLog.open(
      {
        log: options.log,
        fileBytes: limits.logFileBytes,
        files: limits.logFiles,
        onProblem: options.onProblem ?? (() => undefined),
      },
      clock.now(),
    );
    const gateway = new Gateway(options, limits, clock, log);
    try {
      await gateway.#control.open();
    } catch (error) {
      await log.close();
      throw error;
    }
    gateway.#watchSockets();
    gateway.#watchLoneliness();
    return gateway;
  }

  status(): GatewayStatus {
    const owner = this.#core.owner;
    return {
      pid: process.pid,
      version: this.#options.version,
      protocol: GATEWAY_PROTOCOL,
      gatewayId: this.#id,
      startedAt: this.#startedAt,
      owner: owner === undefined ? null : { coreId: owner.coreId, startedAt: owner.startedAt },
      agents: [...this.#agents.keys()],
      lastEvent: this.#log.lastEvent,
      waiting: this.#core.waiting,
    };
  }

  own(owner: GatewayOwner): void {
    if (!CoreLink.isAgentUrl(owner.agentUrl))
      throw new AppError('BAD_REQUEST', 'agentUrl is not an address such as http://127.0.0.1:3100.');
    const present = this.#core.owner;
    // A core that is gone keeps nobody out, should the machine's clock have been wrong when it started.
    const isThere = this.#streams > 0 || this.#clock.now() - this.#lastOrderAt < this.#limits.ownerGoneMs;
    if (present !== undefined && present.coreId !== owner.coreId && present.startedAt >= owner.startedAt && isThere) {
      throw new AppError('CONFLICT', `The gateway belongs to the core "${present.coreId}", which was started later.`);
    }
    this.#lastOrderAt = this.#clock.now();
    this.#core.own(owner);
  }

  requireOwner(coreId: string | undefined): void {
    const present = this.#core.owner;
    if (present === undefined || coreId !== present.coreId) {
      const whose = present === undefined ? 'no core yet' : `the core "${present.coreId}"`;
      throw new AppError('CONFLICT', `The gateway belongs to ${whose}, and takes orders from it only.`);
    }
    this.#lastOrderAt = this.#clock.now();
  }

  async putAgent(config: GatewayAgent): Promise<void> {
    await this.#inTurn(async () => {
      const served = this.#agents.get(config.id);
      if (served === undefined) {
        const agent = new ServedAgent(config, this.#limits);
        const doors = this.#makeDoors(agent);
        await openAll(doors);
        const fresh: Served = { agent, doors };
        this.#agents.set(config.id, fresh);
        this.#setLine(fresh);
        return;
      }
      const before = served.agent.config;
      // First what may be connected to: should the sockets fail, the rules hold all the same.
      served.agent.change(config);
      const isElsewhere = before.socketDir !== config.socketDir || !isSameOwner(before.owner, config.owner);
      if (isElsewhere) {
        const doors = this.#makeDoors(served.agent);
        await openAll(doors);
        if (before.socketDir !== config.socketDir) await closeAll(served.doors);
        served.doors = doors;
        dropLine(served);
      } else await this.#mendDoors(served);
      this.#setLine(served);
    });
  }

  async deleteAgent(id: AgentId): Promise<void> {
    await this.#inTurn(async () => {
      const served = this.#agents.get(id);
      if (served === undefined) return;
      this.#agents.delete(id);
      dropLine(served);
      await closeAll(served.doors);
      served.agent.end();
    });
  }

  setModelApis(apis: readonly GatewayModelApi[]): void {
    this.#modelApis.set(apis);
    for (const { agent } of this.#agents.values()) agent.review();
  }

  follow(after: number, signal: AbortSignal): AsyncIterable<string> {
    const last = this.#log.lastEvent;
    if (after > last) {
      throw new AppError('CONFLICT', `The log ends at ${last}, before ${after}: it is another log than that one. Ask from 0.`);
    }
    return this.#follow(after, AbortSignal.any([signal, this.#core.term]));
  }

  shutdown(): void {
    this.end('a core ended it').catch(() => undefined);
  }

  /** Ends it: closes everything, writes what is counted, removes its sockets. Resolves when that is done. */
  async end(reason: string): Promise<void> {
    this.#ending ??= this.#end(reason);
    await this.#ending;
  }

  async #end(reason: string): Promise<void> {
    this.#cancelLonely?.();
    this.#cancelCheck?.();
    await this.#control.close();
    await this.#queue;
    for (const served of this.#agents.values()) {
      dropLine(served);
      await closeAll(served.doors);
      served.agent.end();
    }
    this.#agents.clear();
    this.#core.dispose();
    this.#modelApis.dispose();
    // Connections record their end when their sockets have closed: in the turns of the event loop after this one.
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    this.#book.flush();
    await this.#log.close();
    this.#control.drop();
    this.#options.onEnd?.(reason);
  }

  async *#follow(after: number, signal: AbortSignal): AsyncGenerator<string, void, void> {
    this.#streams += 1;
    const hold = this.#core.hold();
    try {
      yield* this.#log.read(after, signal);
    } finally {
      this.#streams -= 1;
      hold?.dispose();
      this.#lastOrderAt = this.#clock.now();
    }
  }

  #makeDoors(agent: ServedAgent): SocketDoor[] {
    const { socketDir, owner } = agent.config;
    const limits = this.#limits;
    const egress = { agent, book: this.#book, network: this.#network, modelApis: this.#modelApis, clock: this.#clock, limits };
    return [
      new SocketDoor({
        path: join(socketDir, SOCKETS.agent),
        owner,
        makeServer: () => makeAgentServer({ agent, core: this.#core, limits }),
      }),
      new SocketDoor({ path: join(socketDir, SOCKETS.egress), owner, makeServer: () => makeEgressServer(egress) }),
    ];
  }

  /** Makes the line that the core asks for, keeps the one that is there, or ends the one that is not asked for any more. */
  #setLine(served: Served): void {
    const { id, line, socketDir } = served.agent.config;
    if (line !== undefined && served.line?.isOf(line)) return;
    dropLine(served);
    if (line === undefined) return;
    const onProblem = this.#options.onProblem ?? (() => undefined);
    served.line = new AgentLine({ agentId: id, line, socketDir, onProblem });
  }

  /** Makes sockets anew that were removed or replaced. */
  async #mendDoors({ doors }: Served): Promise<void> {
    for (const door of doors) if ((await door.look()) !== 'own') await door.open();
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    await done;
  }

  #watchSockets(): void {
    this.#cancelCheck = this.#clock.after(this.#limits.socketCheckMs, () => {
      this.#checkSockets()
        .catch((error: unknown) =>
          this.#options.onProblem?.(error instanceof Error ? error.message : 'A socket could not be made anew.'),
        )
        .finally(() => {
          if (this.#ending === undefined) this.#watchSockets();
        })
        .catch(() => undefined);
    });
  }

  async #checkSockets(): Promise<void> {
    const control = await this.#control.look();
    if (this.#ending !== undefined) return;
    if (control === 'foreign') {
      // Somebody removed the socket, and another gateway was started before it was back: that one has it now.
      this.end('another gateway took its place').catch(() => undefined);
      return;
    }
    if (control === 'gone') await this.#control.open();
    await this.#inTurn(async () => {
      for (const served of this.#agents.values()) {
        // One agent's folder that is gone must not keep the others from being mended.
        await this.#mendDoors(served).catch((error: unknown) =>
          this.#options.onProblem?.(error instanceof Error ? error.message : 'A socket could not be made anew.'),
        );
      }
    });
  }

  #watchLoneliness(): void {
    this.#cancelLonely = this.#clock.after(Math.max(100, Math.floor(this.#limits.lonelyMs / 20)), () => {
      const isLonely = this.#agents.size === 0 && this.#streams === 0;
      if (isLonely && this.#clock.now() - this.#lastOrderAt >= this.#limits.lonelyMs) {
        this.end('it had neither agents nor a core').catch(() => undefined);
        return;
      }
      this.#watchLoneliness();
    });
  }
}

function dropLine(served: Served): void {
  served.line?.dispose();
  delete served.line;
}

async function openAll(doors: readonly SocketDoor[]): Promise<void> {
  for (const [index, door] of doors.entries()) {
    try {
      await door.open();
    } catch (error) {
      await closeAll(doors.slice(0, index));
      throw error;
    }
  }
}

async function closeAll(doors: readonly SocketDoor[]): Promise<void> {
  for (const door of doors) await door.close();
}

function isSameOwner(a: GatewayAgent['owner'], b: GatewayAgent['owner']): boolean {
  return a?.uid === b?.uid && a?.gid === b?.gid;
}
