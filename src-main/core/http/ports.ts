/** Binds servers to ports, and finds out who holds one that is taken. */
import { readFile, readdir, readlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { AppError } from '#shared/kernel/errors.ts';

/** How many ports after the wanted one are tried. */
const NEXT_PORTS = 100;
const MAX_PORT = 65_535;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

/** Fails on an address that others can reach: without TLS tokens would travel in the clear. */
export function requireLoopback(host: string): void {
  if (LOOPBACK.has(host)) return;
  throw new AppError(
    'BAD_REQUEST',
    `Quarterdeck does not listen on "${host}": other machines could reach it there, and without TLS tokens and terminals would travel unencrypted. Leave --bind out and use an SSH tunnel: ssh -L 3000:127.0.0.1:3000 <this machine>.`,
  );
}

/** Listens on exactly this port (0: any). Fails with CONFLICT naming who holds it. Resolves with the port. */
export async function listenOn(server: Server, host: string, port: number, purpose: string): Promise<number> {
  if (await tryListen(server, host, port)) return boundPort(server);
  const holder = await holderOf(port);
  throw new AppError(
    'CONFLICT',
    `Port ${port} (${purpose}) is taken${holder === undefined ? ' by another program' : ` by ${holder}`}. End that program, or choose another port.`,
    {
      data: { port, ...(holder === undefined ? {} : { holder }) },
    },
  );
}

/** Listens on this port or the next free one (0: any). Resolves with the port. */
export async function listenFrom(server: Server, host: string, port: number, purpose: string): Promise<number> {
  const last = Math.min(port + NEXT_PORTS, MAX_PORT);
  for (let next = port; next < last; next += 1) {
    if (await tryListen(server, host, next)) return boundPort(server);
  }
  return await listenOn(server, host, last, purpose);
}

/** Whether it listens now; false when the port is taken. */
async function tryListen(server: Server, host: string, port: number): Promise<boolean> {
  return await new Promise<boolean>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      server.off('listening', onListening);
      if (error.code === 'EADDRINUSE') resolve(false);
      else if (error.code === 'EACCES')
        reject(
          new AppError('FORBIDDEN', `Port ${port} needs privileges that this user has not. Choose one from 1024 on.`, {
            cause: error,
          }),
        );
      else reject(new AppError('UNAVAILABLE', `Port ${port} on ${host} cannot be used: ${error.message}.`, { cause: error }));
    };
    const onListening = (): void => {
      server.off('error', onError);
      resolve(true);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    server.listen(port, host);
  });
}

function boundPort(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no address.');
  return address.port;
}

/** TCP state "LISTEN" in /proc/net/tcp. */
const LISTEN = '0A';

/** Who listens on a port of this machine, such as "node (pid 4711)"; undefined where the system does not tell. */
export async function holderOf(port: number): Promise<string | undefined> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')));
  const links = new Set<string>();
  for (const line of tables.join('\n').split('\n')) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === LISTEN && local?.endsWith(`:${wanted}`)) links.add(`socket:[${inode}]`);
  }
  if (links.size === 0) return undefined;
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid) || !(await holdsOne(pid, links))) continue;
    const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
    return `${name === '' ? 'a program' : `"${name}"`} (pid ${pid})`;
  }
  return undefined;
}

async function holdsOne(pid: string, links: ReadonlySet<string>): Promise<boolean> {
  // The folders of other users' processes cannot be read: then nobody is named.
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    if (links.has(link)) return true;
  }
  return false;
}
