/** For tests: a terminals service over real agents in tmux, and clients on real links. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { WebSocket, WebSocketServer } from 'ws';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { mintId, ProjectId as ProjectIdSchema } from '#shared/kernel/ids.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { Caller } from '#core/caller.ts';
import type { Run, Runtime } from '#core/runtimes/runtime.ts';
import { agentId, launchSpec, removeFolder, scratchFolder } from '#core/runtimes/testing/support.ts';
import { TmuxRuntime } from '#core/runtimes/tmux/tmux-runtime.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import type { Duplex } from '../duplex.ts';
import { portDuplex } from '../port-duplex.ts';
import { TerminalLink } from '../terminal-link.ts';
import { TerminalsService } from '../terminals-service.ts';
import { wsDuplex } from '../ws-duplex.ts';
import { TerminalClient } from './terminal-client.ts';

/** The operator, at a window. */
export const OPERATOR: Caller = { actor: { kind: 'operator', id: 'operator' }, role: 'operator', door: 'web' };
/** The operator, at a command line. */
export const AT_CLI: Caller = { ...OPERATOR, door: 'cli' };
/** A program with a token that may do all. */
export const ROBOT: Caller = { actor: { kind: 'token', id: 'tok_robot' }, role: 'operator', door: 'web' };
/** One who may only look. */
export const OBSERVER: Caller = { actor: { kind: 'token', id: 'tok_look' }, role: 'observer', door: 'web' };

/** The kinds of link. */
export type LinkKind = 'websocket' | 'port';

/** Everything that a test of terminals needs; `dispose` ends all of it. */
export class TerminalsFixture {
  readonly folder = scratchFolder();
  readonly testStore: TestStore = openTestStore();
  readonly runs = new Map<AgentId, Run>();
  readonly projectId: ProjectId = ProjectIdSchema.parse(mintId('prj'));
  readonly terminals: TerminalsService;
  readonly logged: string[] = [];
  /** Adjustable clock of the service. */
  now = Date.now();
  lastDuplex: Duplex | undefined;
  lastLink: TerminalLink | undefined;
  readonly #runtimes: Runtime[] = [];
  readonly #clients: TerminalClient[] = [];
  readonly #servers: WebSocketServer[] = [];
  #runCount = 0;

  constructor(options: { lingerMs?: number; graceMs?: number } = {}) {
    this.terminals = new TerminalsService({
      store: this.testStore.store,
      runOf: (id) => this.runs.get(id),
      agentOf: (id) => {
        if (id === 'known-outside') return { projectId: this.projectId, config: { type: 'external' } };
        return this.runs.has(id) || id.startsWith('known') ? { projectId: this.projectId } : undefined;
      },
      now: () => this.now,
      lingerMs: options.lingerMs ?? 100,
      graceMs: options.graceMs ?? 200,
      onFault: (error) => this.logged.push(String(error)),
      nameOf: (actor) => (actor.kind === 'operator' ? 'operator' : `token ${actor.id}`),
    });
  }

  /** A tmux server of this test's own. */
  tmux(): Runtime {
    const first = this.#runtimes[0];
    if (first) return first;
    const log = (message: string): number => this.logged.push(message);
    const runtime = new TmuxRuntime({ socketDir: join(this.folder, 's'), instanceId: 'test', log });
    this.#runtimes.push(runtime);
    return runtime;
  }

  /** Uses another runtime for `start`. */
  use(runtime: Runtime): void {
    this.#runtimes.unshift(runtime);
  }

  /** Starts an agent with this shell script. */
  async start(name: string, script: string, size = { cols: 80, rows: 24 }): Promise<Run> {
    this.#runCount += 1;
    const id = agentId(name);
    const run = await this.tmux().launch(
      launchSpec(['bash', '--norc', '--noprofile', '-c', script], {
        cwd: this.folder,
        agentId: id,
        runId: `run_${this.#runCount}`,
        size,
      }),
    );
    this.runs.set(id, run);
    return run;
  }

  /** Ends the tmux runtime as a core's end does, and has another one adopt what runs. */
  async restart(): Promise<void> {
    for (const runtime of this.#runtimes.splice(0)) await runtime.close();
    for (const run of await this.tmux().adopt(new Set(this.runs.keys()))) this.runs.set(run.agentId, run);
  }

  /** A client on a link of this kind. */
  async connect(kind: LinkKind = 'port', caller: Caller = OPERATOR): Promise<TerminalClient> {
    const client = new TerminalClient(kind === 'port' ? this.#port(caller) : await this.#socket(caller));
    this.#clients.push(client);
    return client;
  }

  /** Ends every tmux client that looks at an agent, as a person might; the control client stays. */
  cutViewers(): void {
    const args = ['-S', join(this.folder, 's', 'tmux.sock'), 'list-clients', '-F', '#{client_control_mode} #{client_pid}'];
    for (const line of spawnSync('tmux', args, { encoding: 'utf8' }).stdout.split('\n')) {
      if (line.startsWith('0 ')) process.kill(Number(line.slice(2)), 'SIGKILL');
    }
  }

  /** The journal's events about terminals so far, oldest first. */
  events(): JournalEvent[] {
    return (this.testStore.journal.recentAfter(0, 1_000) ?? []).filter((one) => one.kind.startsWith('terminal.'));
  }

  /** How often the journal says that somebody typed. */
  typedEvents(): number {
    return this.events().filter((one) => one.kind === 'terminal.typed').length;
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.terminals.dispose();
    for (const server of this.#servers) {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
    }
    await Promise.all(
      [...this.runs.values()].map(async (run) => {
        await run.stop(0);
        await run.discard();
      }),
    );
    for (const runtime of this.#runtimes) await runtime.close();
    // By its own socket: no other tmux server is meant. Fails where none was started.
    spawnSync('tmux', ['-S', join(this.folder, 's', 'tmux.sock'), 'kill-server'], { stdio: 'ignore' });
    await this.testStore.dispose();
    removeFolder(this.folder);
  }

  #serve(duplex: Duplex, caller: Caller): void {
    this.lastDuplex = duplex;
    this.lastLink = new TerminalLink({ duplex, caller, terminals: this.terminals, log: (message) => this.logged.push(message) });
  }

  #port(caller: Caller): ConstructorParameters<typeof TerminalClient>[0] {
    const { port1, port2 } = new MessageChannel();
    this.#serve(portDuplex(port1), caller);
    return {
      send: (bytes) => port2.postMessage(bytes),
      onMessage: (listener) => port2.on('message', (bytes: Uint8Array) => listener(bytes)),
      onClose: (listener) => port2.on('close', () => listener(0)),
      close: () => port2.close(),
    };
  }

  async #socket(caller: Caller): Promise<ConstructorParameters<typeof TerminalClient>[0]> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false, maxPayload: 1024 * 1024 });
    this.#servers.push(server);
    server.on('connection', (socket) => this.#serve(wsDuplex(socket), caller));
    await once(server, 'listening');
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { perMessageDeflate: false });
    await once(socket, 'open');
    return {
      send: (bytes) => socket.send(bytes),
      onMessage: (listener) => socket.on('message', (bytes: Buffer) => listener(bytes)),
      onClose: (listener) => socket.on('close', listener),
      close: () => socket.terminate(),
    };
  }
}
