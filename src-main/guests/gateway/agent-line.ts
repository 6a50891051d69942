/**
 * The line into one agent's container, where the sockets of the host cannot be seen inside: a program in the container passes
 * what is connected to there, and each connection is made here, to the agent's own sockets and nowhere else.
 * Invariants: it is made again for as long as the container runs, and ends with it; what the other end sends is a stranger's.
 */
import { connect } from 'node:net';
import { join as joinPath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lineCommand } from '#shared/box/places.ts';
import type { GatewayLine } from '#shared/gateway/model.ts';
import { SOCKETS } from '#shared/gateway/places.ts';
import type { BackoffPolicy } from '#shared/kernel/backoff.ts';
import { backoffMs } from '#shared/kernel/backoff.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { join } from '#guests/common/line/join.ts';
import { Line } from '#guests/common/line/line.ts';
import { LineEngine } from './line-engine.ts';

/** What a line is made from. */
export interface AgentLineOptions {
  /** For people, in problems. */
  readonly agentId: string;
  readonly line: GatewayLine;
  /** Folder of the agent's sockets. */
  readonly socketDir: string;
  /** Is told why it is not there; once until it is again. */
  readonly onProblem: (problem: string) => void;
  /** For tests. */
  readonly beatMs?: number;
}

const RETRY: BackoffPolicy = { firstMs: 50, maxMs: 3000, jitter: 0.3 };
/** How often a container that is paused is looked at, in milliseconds: nothing of it waits for that. */
const PAUSED_MS = 500;
/** A line that lasted so long was no failed try, in milliseconds. */
const STABLE_MS = 10_000;
/** What the program inside says of itself is kept up to here, in characters. */
const MAX_SAID = 500;

/** The line into one container. */
export class AgentLine implements Disposable {
  readonly #o: AgentLineOptions;
  readonly #engine: LineEngine;
  readonly #closing = new AbortController();
  #hasTold = false;

  constructor(options: AgentLineOptions) {
    this.#o = options;
    this.#engine = new LineEngine(options.line.engine.socketPath);
    this.#run().catch((error: unknown) => this.#tell(error instanceof Error ? error.message : 'unknown'));
  }

  /** Whether it is this container's. */
  isOf(line: GatewayLine): boolean {
    const own = this.#o.line;
    return own.container === line.container && own.engine.socketPath === line.engine.socketPath;
  }

  /** Ends it, and the program inside with it. */
  dispose(): void {
    this.#closing.abort();
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#closing.signal.aborted;) {
      const since = performance.now();
      let pause: number | undefined;
      try {
        const state = await this.#engine.stateOf(this.#o.line.container);
        if (state === 'gone') return;
        if (state === 'running') this.#tell(await this.#carry());
        else pause = PAUSED_MS;
      } catch (error) {
        this.#tell(error instanceof Error ? error.message : 'unknown');
      }
      if (performance.now() - since > STABLE_MS) failures = 0;
      await sleep(pause ?? backoffMs(RETRY, failures++), undefined, { signal: this.#closing.signal, ref: false }).catch(
        () => undefined,
      );
    }
  }

  /** Makes the line, and carries until it breaks; resolves with the reason. */
  async #carry(): Promise<string> {
    const { line: to, socketDir, beatMs } = this.#o;
    const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
    const { socket, read } = await this.#engine.start(to.container, lineCommand(arch));
    const { signal } = this.#closing;
    const over = Promise.withResolvers<string>();
    let said = '';
    const line = new Line({
      send: (bytes) => socket.write(bytes),
      onReady: () => (this.#hasTold = false),
      onOpen: (door, stream) => join(connect({ path: joinPath(socketDir, SOCKETS[door]), allowHalfOpen: true }), stream),
      onSilent: () => {
        // Nothing comes from a container that is paused; anything else that is silent is made again.
        this.#engine.stateOf(to.container).then(
          (state) => (state === 'paused' ? undefined : line.close('the program inside is silent')),
          () => line.close('neither the program inside nor the engine answers'),
        );
      },
      onEnd: (reason) => over.resolve(reason),
      ...(beatMs === undefined ? {} : { beatMs }),
    });
    const onClosing = (): void => line.dispose();
    signal.addEventListener('abort', onClosing);
    socket.on('drain', () => line.drained());
    socket.on('error', (error) => line.close(error.message));
    socket.once('close', () => line.close('the program inside ended'));
    read({
      onOutput: (bytes) => line.receive(bytes),
      onError: (bytes) => (said = (said + bytes.toString('utf8')).slice(-MAX_SAID)),
    });
    if (signal.aborted) line.dispose();
    try {
      const reason = await over.promise;
      return said.trim() === '' ? reason : `${reason} (${said.trim()})`;
    } finally {
      signal.removeEventListener('abort', onClosing);
      // Its input ends with this, and so does it.
      socket.destroy();
    }
  }

  #tell(problem: string): void {
    if (this.#hasTold || this.#closing.signal.aborted) return;
    this.#hasTold = true;
    this.#o.onProblem(`The line into the container of agent ${this.#o.agentId} broke, and is made again: ${problem}.`);
  }
}
