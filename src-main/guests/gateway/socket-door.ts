/**
 * A server at a path: a Unix socket that only its owner can use. It appears with its mode and owner set, all at once, and is
 * made anew when somebody removed it.
 */
import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, rename, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { AppError } from '#shared/kernel/errors.ts';

/** Longest path of a Unix socket in bytes, on Linux; macOS takes 103. */
const MAX_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/** What a door is made from. */
export interface SocketDoorOptions {
  readonly path: string;
  /** Whose it is to be; null: the gateway's own user. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** Makes a server that does not listen yet; called again when the socket has to be made anew. */
  readonly makeServer: () => Server;
}

/** One socket. */
export class SocketDoor {
  readonly #options: SocketDoorOptions;
  #server: Server | undefined;
  #made: Identity | undefined;

  constructor(options: SocketDoorOptions) {
    this.#options = options;
  }

  /** Makes the socket. Fails with BAD_REQUEST when that is not possible there. */
  async open(): Promise<void> {
    const { path, owner, makeServer } = this.#options;
    if (Buffer.byteLength(path) > MAX_PATH_BYTES)
      throw new AppError('BAD_REQUEST', `The path of a socket has at most ${MAX_PATH_BYTES} bytes, and "${path}" has more.`);
    const server = makeServer();
    // libuv removes the path that a server was bound to when it closes: it must not be the one that others use by then.
    const temporary = join(dirname(path), `.${randomBytes(3).toString('hex')}`);
    try {
      await listen(server, temporary);
      await chmod(temporary, 0o600);
      if (owner !== null && (owner.uid !== process.getuid?.() || owner.gid !== process.getgid?.()))
        await chown(temporary, owner.uid, owner.gid);
      const made = await identify(temporary);
      await rename(temporary, path);
      this.#made = made;
    } catch (error) {
      server.close();
      await rm(temporary, { force: true });
      throw new AppError(
        'BAD_REQUEST',
        `The socket "${path}" cannot be made: ${error instanceof Error ? error.message : 'unknown'}.`,
        { cause: error },
      );
    }
    this.#server?.close();
    this.#server = server;
  }

  /** What is at the path now: this socket, nothing, or something that somebody else put there. */
  async look(): Promise<'own' | 'gone' | 'foreign'> {
    const found = await identify(this.#options.path);
    if (found === undefined) return 'gone';
    return found.isSocket && found.ino === this.#made?.ino && found.mtimeNs === this.#made.mtimeNs ? 'own' : 'foreign';
  }

  /** Takes no more connections, and removes the socket if it is its own. */
  async close(): Promise<void> {
    if ((await this.look()) === 'own') await rm(this.#options.path, { force: true });
    this.#server?.close();
  }

  /** Ends what is still connected, after `close`. */
  drop(): void {
    this.#server?.closeAllConnections();
  }
}

/** What tells a socket from another one at the same path: a number of a file is given out again once the file is gone. */
interface Identity {
  readonly ino: bigint;
  readonly mtimeNs: bigint;
  readonly isSocket: boolean;
}

async function identify(path: string): Promise<Identity | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  return found === undefined ? undefined : { ino: found.ino, mtimeNs: found.mtimeNs, isSocket: found.isSocket() };
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve();
    });
  });
}

/** Whether somebody answers at a socket's path. */
export async function isAnswered(path: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // EACCES and the like: somebody may be there, and it is not for us to take its place.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED'));
  });
}
