/** Joins a stream of a line with a socket. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Passes everything both ways, each as fast as the other takes it; when one breaks, so does the other. */
export function join(socket: Socket, stream: Duplex): void {
  socket.on('error', () => stream.destroy());
  stream.on('error', () => socket.destroy());
  // One that is gone before it said its end was broken off.
  socket.once('close', () => {
    if (!stream.writableEnded || !socket.readableEnded) stream.destroy();
  });
  stream.once('close', () => socket.destroySoon());
  socket.pipe(stream);
  stream.pipe(socket);
}
