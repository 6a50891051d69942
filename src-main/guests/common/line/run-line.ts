/**
 * The end of a line inside: sockets with the names of the gateway's, whose connections go through standard input and output to
 * the gateway. It runs beside the box, started by an `exec`, and ends with its input; another one takes its sockets over.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rename } from 'node:fs/promises';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { join as joinPath } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Door } from '#shared/box/line-frames.ts';
import { SOCKETS } from '#shared/gateway/places.ts';
import { join } from './join.ts';
import { Line } from './line.ts';

/** The launch is the last: whoever sees it finds the others. */
const DOORS: readonly Door[] = ['agent', 'egress', 'launch'];

/** Runs until the line is over; resolves with the reason. The sockets appear in the folder when the other end is there. */
export async function runLine(folder: string, input: Readable, output: Writable): Promise<string> {
  const servers: Server[] = [];
  const over = Promise.withResolvers<string>();
  const line = new Line({
    send: (bytes) => output.write(bytes),
    onReady: () => {
      listen(folder, line, servers).catch((error: unknown) => line.close(error instanceof Error ? error.message : 'no sockets'));
    },
    onEnd: (reason) => over.resolve(reason),
  });
  output.on('drain', () => line.drained());
  output.on('error', (error) => line.close(error.message));
  input.on('data', (chunk: Buffer) => line.receive(chunk));
  input.on('error', (error) => line.close(error.message));
  input.once('end', () => line.close('the gateway let go'));
  const reason = await over.promise;
  for (const server of servers) server.close();
  return reason;
}

async function listen(folder: string, line: Line, servers: Server[]): Promise<void> {
  // The agent may have made them meanwhile, or put something else there: it would harm itself only.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  for (const door of DOORS) {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      const stream = line.open(door);
      if (stream === undefined) socket.destroy();
      else join(socket, stream);
    });
    servers.push(server);
    // libuv removes the path that a server was bound to when it closes: not the one that the next line has by then.
    const temporary = joinPath(folder, `.${randomBytes(3).toString('hex')}`);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(temporary, () => {
        server.off('error', reject);
        server.on('error', () => undefined);
        resolve();
      });
    });
    await chmod(temporary, 0o600);
    await rename(temporary, joinPath(folder, SOCKETS[door]));
  }
}
