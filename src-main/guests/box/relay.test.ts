import { mkdtempSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Relay } from './relay.ts';

let folder: string;
let relay: Relay;
let port: number;
const servers: Server[] = [];
const sockets: Socket[] = [];

/** A gateway that does this with each connection. */
function gateway(serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(join(folder, 'agent.sock'), () => resolve(server));
  });
}

function client(): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  return socket;
}

/** Everything that is said on a socket; the error's code where it breaks. */
function heard(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    socket.on('data', (chunk) => parts.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(parts).toString()));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(`broken: ${error.code ?? ''}`));
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qd-relay-'));
  relay = new Relay([{ port: 0, socketPath: join(folder, 'agent.sock') }]);
  [port = 0] = await relay.listen();
});
afterEach(() => {
  relay.dispose();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true });
});

describe('the relay', () => {
  it('passes both ways, and that one side has said everything while the other goes on', async () => {
    await gateway((socket) => {
      let bytes = 0;
      socket.on('data', (chunk) => {
        bytes += chunk.byteLength;
      });
      // The answer comes when the question has ended: a relay that closes both sides then loses it.
      socket.on('end', () => setTimeout(() => socket.end(`you said ${bytes} bytes`), 20));
    });
    const socket = client();
    const answer = heard(socket);
    socket.end('x'.repeat(100_000));
    expect(await answer).toBe('you said 100000 bytes');
  });

  it('waits for a side that does not read, and keeps nothing of it in memory', async () => {
    let written = 0;
    await gateway((socket) => {
      const block = Buffer.alloc(1 << 16);
      const flood = (): void => {
        while (written < 64 << 20 && socket.write(block)) written += block.byteLength;
        if (written < 64 << 20) socket.once('drain', flood);
      };
      flood();
    });
    const socket = client();
    socket.pause();
    let before = -1;
    while (before !== written || written === 0) {
      before = written;
      await sleep(200);
    }
    expect(written).toBeLessThan(16 << 20);
    // Another connection is served all the while.
    const other = client();
    other.once('data', () => other.destroy());
    await new Promise((resolve) => other.once('close', resolve));
    expect(socket.bytesRead).toBeLessThan(16 << 20);
  });

  it('answers that the gateway is away, and serves as soon as it is there', async () => {
    const early = client();
    const answer = heard(early);
    early.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n.*does not answer/s);
    await gateway((socket) => socket.end('here'));
    expect(await heard(client())).toBe('here');
  });

  it('ends the gateway’s side when a client breaks', async () => {
    const closed = new Promise<void>((resolve) => {
      gateway((socket) => socket.on('end', () => resolve()).resume()).catch(() => undefined);
    });
    const socket = client();
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('half of');
    socket.resetAndDestroy();
    await closed;
    expect(servers).toHaveLength(1);
  });
});
