/**
 * Containers for tests: a runtime with an instance of its own, boxes for launches with a real desk and a real proof, and the
 * removal of everything that was made.
 */
import { randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import type { ProofCheck } from '#shared/boundary/model.ts';
import type { BoxProbe } from '#shared/box/model.ts';
import { BOX } from '#shared/box/places.ts';
import { parseSize } from '#shared/kernel/units.ts';
import { judge } from '#core/boundary/judge.ts';
import { SocketDesk } from '#core/boundary/launch-desk.ts';
import type { BoxSpec, LaunchSpec } from '#core/runtimes/runtime.ts';
import { LABEL } from '../container-options.ts';
import type { DockerRuntimeOptions } from '../docker-runtime.ts';
import { DockerRuntime } from '../docker-runtime.ts';
import { connectEngine } from '../engine.ts';
import { ensureTestKit, IMAGE_SOURCE } from './agent-image.ts';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));

/** As whom tests' agents run. */
export const TEST_USER = { uid: 1000, gid: 1000 } as const;

/** Where the built guests are. Fails when they are not: `npm run build` makes them. */
export function guestsDir(): string {
  const folder = join(process.env['QUARTERDECK_BUILD_OUT'] ?? join(root, 'out'), 'guests');
  if (!existsSync(join(folder, 'box.js'))) throw new Error(`There is no box.js in ${folder}: run npm run build`);
  return folder;
}

/** What was proved at the launches of a bench, newest last. */
export interface SeenProof {
  readonly inside: readonly ProofCheck[];
  readonly outside: readonly ProofCheck[];
  readonly problem: string | null;
  /** Milliseconds that it took inside. */
  readonly tookMs: number;
}

/** Containers for one test file. */
export class ContainerBench {
  readonly instanceId = randomUUID();
  readonly docker: Docker;
  readonly proofs: SeenProof[] = [];
  readonly notes: string[] = [];
  readonly #runtimes: DockerRuntime[] = [];

  constructor(docker: Docker = connectEngine(process.env)) {
    this.docker = docker;
  }

  /** Makes the image and its kit, where they are not there yet. */
  async prepare(): Promise<void> {
    await ensureTestKit();
    guestsDir();
  }

  /** A runtime that stands for one core; `instanceId` makes it another data folder's. */
  runtime(changes: Partial<DockerRuntimeOptions> = {}): DockerRuntime {
    const runtime = new DockerRuntime({
      instanceId: this.instanceId,
      source: IMAGE_SOURCE,
      connect: () => this.docker,
      log: (message, facts) => this.notes.push(facts === undefined ? message : `${message} ${JSON.stringify(facts)}`),
      ...changes,
    });
    this.#runtimes.push(runtime);
    return runtime;
  }

  /** Puts a launch into a box whose workspace is its `cwd`, which gets the owner that the agent runs as. */
  boxed(spec: LaunchSpec, changes: Partial<BoxSpec> = {}): LaunchSpec {
    const id = `${spec.agentId}-${Math.random().toString(36).slice(2, 8)}`;
    const sockets = join('/tmp', `qds-${process.pid}-${id}`);
    const user = changes.user ?? TEST_USER;
    if (existsSync(spec.cwd)) chownSync(spec.cwd, user.uid, user.gid);
    mkdirSync(sockets, { mode: 0o700 });
    chownSync(sockets, user.uid, user.gid);
    this.#folders.push(sockets);
    const probe: BoxProbe = {
      type: 'probe',
      user: { uid: user.uid, gid: user.gid },
      writablePaths: [spec.cwd],
      readOnlyPaths: [],
      hiddenPaths: ['/root/.ssh', '/var/run/docker.sock'],
      unreachable: [],
      hiddenValues: { salt: 'salt', hashes: [] },
      limits: {
        memoryBytes: parseSize(spec.limits.memory) ?? null,
        processes: spec.limits.processes,
        cpus: Number(spec.limits.cpu),
        openFiles: spec.limits.openFiles,
      },
    };
    const box: BoxSpec = {
      boundary: 'container',
      image: undefined,
      user,
      mounts: [
        ...(existsSync(spec.cwd) ? [{ source: spec.cwd, target: spec.cwd, isWritable: true }] : []),
        { source: sockets, target: BOX.sockets, isWritable: false },
        { source: guestsDir(), target: BOX.guests, isWritable: false },
      ],
      openDesk: () =>
        SocketDesk.open({
          agentId: spec.agentId,
          socketPath: join(sockets, 'launch.sock'),
          owner: user,
          probe,
          start: {
            argv: [...spec.argv],
            cwd: spec.cwd,
            env: { ...spec.env },
            size: spec.size,
            sideWindows: spec.sideWindows.map(({ name, argv }) => ({ name, argv: [...argv] })),
            setup: spec.setup ?? null,
            keptLines: 1000,
          },
          decide: ({ inside, outside, problem }) => {
            const verdict =
              inside === undefined
                ? { holds: false, problem: problem ?? 'nothing came from inside' }
                : judge({ boundary: 'container', probe, inside: inside.checks, outside });
            this.proofs.push({ inside: inside?.checks ?? [], outside, problem: verdict.problem, tookMs: inside?.tookMs ?? 0 });
            return Promise.resolve(verdict);
          },
        }),
      ...changes,
    };
    return { ...spec, box };
  }

  readonly #folders: string[] = [];

  /** Closes the runtimes and removes every container of this instance. */
  async cleanUp(): Promise<void> {
    for (const runtime of this.#runtimes.splice(0)) await runtime.close();
    const left = await this.docker.listContainers({ all: true, filters: { label: [`${LABEL.instance}=${this.instanceId}`] } });
    await Promise.all(
      left.map((one) =>
        this.docker
          .getContainer(one.Id)
          .remove({ force: true, v: true })
          .catch(() => undefined),
      ),
    );
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  }
}
