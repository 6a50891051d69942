/** Keeps a line to the core: opens it, follows the journal over it, and opens the next one when it is gone. */
import type { BackoffPolicy } from '#shared/kernel/backoff.ts';
import { backoffMs, RECONNECT } from '#shared/kernel/backoff.ts';
import type { CrewListener } from './crew-follower.ts';
import { CrewFollower } from './crew-follower.ts';
import type { CoreClient, Line, Transport } from './line.ts';
import { ConnectError } from './line.ts';

/** How things stand between this window and the core. */
export type ConnectionStatus =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'online' }
  /** The line was lost, or could not be opened; the next try is under way or planned. `since` in ms since the epoch. */
  | { readonly kind: 'offline'; readonly since: number }
  /** The core does not know this browser. Nothing is tried until `retry`. */
  | { readonly kind: 'signed-out' };

/** What a connection is made of. */
export interface ConnectionOptions {
  readonly transport: Transport;
  readonly crew: CrewListener;
  readonly onStatus: (status: ConnectionStatus) => void;
  readonly backoff?: BackoffPolicy;
}

/** The one connection of this window. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #follower: CrewFollower;
  readonly #end = new AbortController();
  #line: Line | undefined;
  #status: ConnectionStatus = { kind: 'connecting' };
  #wake: () => void = () => undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#follower = new CrewFollower({
      onSnapshot: (state) => options.crew.onSnapshot(state),
      onEvents: (events, state) => options.crew.onEvents(events, state),
      onDeliveries: (changes) => options.crew.onDeliveries(changes),
      onFollowing: () => {
        this.#set({ kind: 'online' });
        options.crew.onFollowing();
      },
    });
  }

  /** The procedures of the core over the present line; throws a ConnectError while there is none. */
  get client(): CoreClient {
    if (this.#line === undefined || this.#line.gone.aborted) {
      throw new ConnectError('unreachable', 'The core is not reachable at the moment.');
    }
    return this.#line.client;
  }

  /** Connects, and stays connected, until `dispose`. */
  async run(): Promise<void> {
    const { signal } = this.#end;
    let attempt = 0;
    while (!signal.aborted) {
      const wasOnline = await this.#once(signal);
      if (signal.aborted) return;
      if (wasOnline) attempt = 0;
      await this.#pause(this.#status.kind === 'signed-out' ? undefined : backoffMs(this.#options.backoff ?? RECONNECT, attempt));
      attempt += 1;
    }
  }

  /** Tries again now. */
  retry(): void {
    if (this.#status.kind === 'signed-out') this.#set({ kind: 'connecting' });
    this.#wake();
  }

  dispose(): void {
    this.#end.abort();
    this.#line?.close();
    this.#wake();
  }

  /** One line from opening to end. True when it got as far as following. */
  async #once(signal: AbortSignal): Promise<boolean> {
    try {
      const line = await this.#options.transport.openLine(signal);
      this.#line = line;
      if (signal.aborted) line.close();
      await this.#follower.follow(line.client, AbortSignal.any([signal, line.gone]));
    } catch (error) {
      if (error instanceof ConnectError && error.kind === 'signed-out') {
        this.#set({ kind: 'signed-out' });
        return false;
      }
    } finally {
      this.#line?.close();
      this.#line = undefined;
    }
    const wasOnline = this.#status.kind === 'online';
    if (this.#status.kind !== 'offline') this.#set({ kind: 'offline', since: Date.now() });
    return wasOnline;
  }

  /** Waits for so long, or without a limit, or until `retry`. */
  #pause(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.#wake(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
    });
  }

  #set(status: ConnectionStatus): void {
    this.#status = status;
    this.#options.onStatus(status);
  }
}
