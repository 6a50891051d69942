import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { webTransport } from './web-transport.ts';

/** Takes connections and never says a word, as a machine does behind a network that swallows what it answers. */
let silent: Server;
const sockets: Socket[] = [];
let url = '';

beforeEach(async () => {
  silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  silent.close();
});

test('gives up on a core that never answers, so that the next try can be made', async () => {
  const transport = webTransport(url, 50);
  const { signal } = new AbortController();
  await expect(transport.openLine(signal)).rejects.toMatchObject({ kind: 'unreachable' });
  await expect(transport.openTerminals(signal)).rejects.toMatchObject({ kind: 'unreachable' });
  // A WebSocket and the request that asks why it failed, each time.
  expect(sockets.length).toBeGreaterThanOrEqual(4);
});
