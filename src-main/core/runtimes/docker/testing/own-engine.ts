/**
 * A Docker engine of a test's own, with its own data and its own containerd, so that it can be killed, restarted and filled.
 * It makes no bridge and touches no firewall. Needs root, and `dockerd` on the PATH.
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { isRunning } from '#core/runtimes/process-table.ts';
import { processesWith, waitFor } from '#core/runtimes/testing/support.ts';
import { connectEngine } from '../engine.ts';
import { ensureAgentImage } from './agent-image.ts';

/** How an engine is set up. */
export interface OwnEngineOptions {
  /** Folder for its socket and state; short, for the socket's path. */
  readonly folder: string;
  /** Where images and containers are kept; by default in `folder`. */
  readonly dataRoot?: string;
  /** Whether containers outlive it. */
  readonly isLiveRestore?: boolean;
}

/** An engine of its own. */
export class OwnEngine {
  readonly docker: Docker;
  readonly #options: OwnEngineOptions;
  #daemon: ChildProcess | undefined;

  constructor(options: OwnEngineOptions) {
    this.#options = options;
    this.docker = new Docker({ socketPath: this.#path('d.sock') });
  }

  #path(name: string): string {
    return join(this.#options.folder, name);
  }

  /** Starts it; resolves when it answers. */
  async start(): Promise<void> {
    mkdirSync(this.#options.folder, { recursive: true });
    const daemon = spawn(
      // In a network name space of its own: an engine without a bridge removes docker0, which is the machine's engine's.
      'unshare',
      [
        ...['--net', '--', 'dockerd'],
        ...['--data-root', this.#options.dataRoot ?? this.#path('data'), '--exec-root', this.#path('exec')],
        ...['-H', `unix://${this.#path('d.sock')}`, '-p', this.#path('d.pid'), '--bridge=none', '--iptables=false'],
        ...(this.#options.isLiveRestore === true ? ['--live-restore'] : []),
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    daemon.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-3000);
    });
    this.#daemon = daemon;
    await waitFor(
      'an engine of its own',
      async () => {
        if (daemon.exitCode !== null) throw new Error(`dockerd ended with code ${daemon.exitCode}: ${said}`);
        return this.docker.ping().then(
          () => true,
          () => false,
        );
      },
      60_000,
    );
  }

  /** Puts the agent image into it. */
  async loadAgentImage(): Promise<void> {
    const image = await connectEngine(process.env)
      .getImage(await ensureAgentImage())
      .get();
    const progress = await this.docker.loadImage(image);
    if (!(progress instanceof Readable)) throw new Error('No progress of loading the image');
    progress.resume();
    await new Promise((resolve, reject) => {
      progress.once('end', resolve);
      progress.once('error', reject);
    });
    // An image that is loaded by its id only has no name yet.
    await waitFor('the image', async () => (await this.docker.listImages()).length > 0);
  }

  /** Ends the engine: SIGTERM lets it end its containers, SIGKILL leaves everything as it is. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = new Promise((resolve) => {
      daemon.once('exit', resolve);
    });
    daemon.kill(signal);
    await ended;
    rmSync(this.#path('d.pid'), { force: true });
    if (signal === 'SIGKILL') await this.#endContainerd();
  }

  /** Ends the engine's containerd, which its containers outlive. An engine takes a dead one that nobody collected for alive. */
  async #endContainerd(): Promise<void> {
    const pidFile = this.#path('exec/containerd/containerd.pid');
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0;
    if (pid > 1 && isRunning(pid)) process.kill(pid, 'SIGKILL');
    await waitFor('the end of its containerd', () => pid <= 1 || !isRunning(pid));
    rmSync(pidFile, { force: true });
  }

  /** Fills the disk that its data is on, but for `leftBytes`. */
  fill(leftBytes: number): void {
    const root = this.#options.dataRoot ?? this.#path('data');
    const { bavail, bsize } = statfsSync(root);
    writeFileSync(join(root, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - leftBytes)));
  }

  /** Ends it with everything that it started. */
  async dispose(): Promise<void> {
    const containers = await this.docker.listContainers({ all: true }).catch(() => []);
    for (const { Id } of containers)
      await this.docker
        .getContainer(Id)
        .remove({ force: true, v: true })
        .catch(() => undefined);
    await this.end('SIGTERM');
    await this.#endContainerd();
    // What holds a container that the engine could not remove names this folder in its arguments.
    for (const pid of processesWith(this.#path('exec'))) process.kill(pid, 'SIGKILL');
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(`${this.#options.folder}/`));
    for (const path of mounts.toReversed()) execFileSync('umount', ['-l', path]);
  }
}
