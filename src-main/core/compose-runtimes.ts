/** Where agents run: the runtimes of this machine and what containers are made from. Only composes. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ResourceLimits } from '#shared/agents/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { Programs } from './agents/types/agent-driver.ts';
import type { Twin } from './boundary/twin.ts';
import type { DataPaths } from './paths.ts';
import { cacheDirOf } from './paths.ts';
import { containerTwin } from './runtimes/docker/container-twin.ts';
import { DockerRuntime } from './runtimes/docker/docker-runtime.ts';
import { connectEngine } from './runtimes/docker/engine.ts';
import type { ImageSource } from './runtimes/docker/image-source.ts';
import { HostLimits } from './runtimes/limits/host-limits.ts';
import { PtyRuntime } from './runtimes/pty/pty-runtime.ts';
import type { BoxSpec } from './runtimes/runtime.ts';
import { TmuxRuntime } from './runtimes/tmux/tmux-runtime.ts';
import { DOCKER_PACKAGE, installCommand } from './system/install-command.ts';

/** What they are made of. */
export interface RuntimesOptions {
  readonly instanceId: string;
  readonly paths: DataPaths;
  readonly env: NodeJS.ProcessEnv;
  readonly assetsDir: string;
  readonly guestsDir: string;
  readonly programs: Programs;
  readonly log: Logger;
  /** Memory ran out in an agent's container, and the agent lives on. */
  readonly onOom: (id: AgentId) => void;
}

/** The runtimes, and what else belongs to them. */
export interface Runtimes {
  readonly runtimes: { readonly docker: DockerRuntime; readonly tmux: TmuxRuntime; readonly pty: PtyRuntime };
  readonly imageSource: ImageSource;
  /** What makes twins of a container with this box and these limits. */
  twinOf(box: Pick<BoxSpec, 'user' | 'image'>, limits: ResourceLimits): Promise<Twin>;
  /** Removes what holds runs that are no more. After agents were adopted. */
  sweep(): Promise<void>;
  dispose(): void;
}

/** Makes them. Nothing is started, and no engine is asked, before one is used. */
export function composeRuntimes(o: RuntimesOptions): Runtimes {
  const { instanceId, env } = o;
  const { socketDir } = o.paths;
  const log = (message: string, facts?: Readonly<Record<string, unknown>>): void => o.log.info(facts ?? {}, message);
  // The Node that the guests run on: it goes into the agent image, and is bound into bubblewrap's boxes.
  const node = o.programs.guest('worker')[0] ?? process.execPath;
  const imageSource: ImageSource = { assetsDir: o.assetsDir, nodeBinary: node, cacheDir: cacheDirOf(env), env };
  const limits = new HostLimits({ instanceId, env, log });
  const connect = () => connectEngine(env);
  return {
    runtimes: {
      docker: new DockerRuntime({
        instanceId,
        source: imageSource,
        connect,
        sockets: env['QUARTERDECK_CONTAINER_SOCKETS'] === 'line' ? 'line' : 'try',
        socketDir,
        log,
        onOom: o.onOom,
        // Beside the agent's home, which alone of this folder is in its box.
        pictureFile: (id) => join(o.paths.agents, id, 'paused-screen.json'),
        installCommand: () => installCommand(DOCKER_PACKAGE, { env, deadline: Number.POSITIVE_INFINITY }),
      }),
      tmux: new TmuxRuntime({ socketDir, instanceId, log, limits, node }),
      pty: new PtyRuntime({ log, limits, socketDir, node }),
    },
    imageSource,
    twinOf: (box, held) =>
      containerTwin({ docker: connect(), instanceId, source: imageSource, guestsDir: o.guestsDir, ...box, limits: held }),
    sweep: async () => {
      await limits.sweep();
    },
    dispose: () => limits.dispose(),
  };
}
