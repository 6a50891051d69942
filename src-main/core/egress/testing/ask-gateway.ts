/** For tests: asks the gateway as an agent would, through its sockets. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { SOCKETS } from '#shared/gateway/places.ts';

/** What was answered. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A longest wait in milliseconds: nothing here takes a tenth of it. */
const ASK_MS = 20_000;

/** One HTTP request through a socket of the agent whose folder it is. */
export function askThrough(
  socketDir: string,
  socket: keyof typeof SOCKETS,
  path: string,
  options: { method?: string; headers?: Readonly<Record<string, string>>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath: join(socketDir, SOCKETS[socket]),
        path,
        method: options.method ?? 'GET',
        agent: false,
        headers: { host: '127.0.0.1', ...options.headers },
        signal: AbortSignal.timeout(ASK_MS),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.once('error', reject);
      },
    );
    asked.once('error', reject);
    asked.end(options.body);
  });
}

/** Opens a tunnel through the proxy and closes it again. Resolves with the answer to CONNECT. */
export function tunnelTo(socketDir: string, target: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(join(socketDir, SOCKETS.egress));
    let text = '';
    const timer = setTimeout(() => socket.destroy(new Error('no answer to CONNECT')), ASK_MS);
    socket.once('error', reject);
    socket.once('connect', () => socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const status = /^HTTP\/1\.1 (\d{3})[^]*?\r\n\r\n/.exec(text)?.[1];
      if (status !== undefined) socket.end();
    });
    socket.once('close', () => {
      clearTimeout(timer);
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    });
  });
}
