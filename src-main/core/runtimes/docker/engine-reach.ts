/**
 * Whether what runs in an engine's containers reaches this machine's folders and sockets. The folders it must: an engine on another
 * machine is refused. The sockets need not: where they cannot be seen inside, a line carries what is said to them.
 */
import { tmpdir } from 'node:os';
import type Docker from 'dockerode';
import * as z from 'zod';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { engineFault } from './engine-faults.ts';
import type { EngineDescription } from './engine.ts';
import { reachesSockets } from './socket-try.ts';

/** How sockets are brought into containers: `try` finds out whether they can be mounted, `line` never mounts them. */
export type SocketWay = 'try' | 'line';

/** What is said beside the runtime where a line is used. */
const NOTES = {
  tried:
    'Sockets cannot be reached through folders of this engine (it was tried): what agents say to the gateway goes through one program in each container, over the engine.',
  forced: 'What agents say to the gateway goes through one program in each container, over the engine, as it was asked for.',
} as const;

const Modem = z.object({ socketPath: z.string().min(1) });

/** Where an engine listens on this machine. Fails with UNAVAILABLE for one that is reached over a network. */
export function localSocketOf(docker: Docker): string {
  const parsed = Modem.safeParse(docker.modem);
  if (parsed.success) return parsed.data.socketPath;
  throw new AppError(
    'UNAVAILABLE',
    'DOCKER_HOST names an engine that is reached over a network: it would mount folders of its own machine, not the workspaces and homes that are here. Name an engine of this machine (unix://…), or unset DOCKER_HOST.',
    { retryable: false, data: { cause: 'engine', remedy: 'unset DOCKER_HOST' } },
  );
}

/** What is known of engines. */
export class EngineReach {
  readonly #way: SocketWay;
  readonly #folder: string;
  readonly #log: RuntimeLog;
  /** By engine and its version. */
  readonly #known = new Map<string, Promise<boolean>>();

  /** `folder`: where sockets of agents are, or one that is mounted the same way. */
  constructor(options: { way: SocketWay; folder: string | undefined; log: RuntimeLog }) {
    this.#way = options.way;
    this.#folder = options.folder ?? tmpdir();
    this.#log = options.log;
  }

  /**
   * Whether containers of an engine need a line. Tried with the image once; where it cannot be tried a line is used, which works
   * everywhere, and it is tried again with the next launch. Fails where the engine's disk is full: nothing can be started then.
   */
  async needsLine(docker: Docker, engine: EngineDescription, image: string): Promise<boolean> {
    if (this.#way === 'line') return true;
    try {
      return !(await this.#try(docker, engine, image));
    } catch (error) {
      const fault = engineFault('Whether sockets can be mounted into containers could not be tried', error);
      if (fault.data['cause'] === 'disk') throw fault;
      this.#log('Whether sockets can be mounted into containers could not be tried, so a line is used', {
        error: messageOf(error),
      });
      return true;
    }
  }

  /** What is to be said of an engine, as far as it can be known with the images it has. */
  async notesOn(docker: Docker, engine: EngineDescription, image: string): Promise<string[]> {
    if (this.#way === 'line') return [NOTES.forced];
    // Without the image nothing is known, and nothing can be started either.
    const isReached = await this.#try(docker, engine, image).catch(() => undefined);
    return isReached === false ? [NOTES.tried] : [];
  }

  #try(docker: Docker, engine: EngineDescription, image: string): Promise<boolean> {
    const key = `${engine.id} ${engine.version}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const trying = reachesSockets(docker, image, this.#folder);
    this.#known.set(key, trying);
    trying.catch(() => this.#known.delete(key));
    return trying;
  }
}
