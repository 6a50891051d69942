/** For specs: requests with headers that fetch would not send, and what a WebSocket is answered before it is one. */
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:http';
import { WebSocket } from 'ws';

/** A request as it goes over the wire. */
export interface Raw {
  readonly path: string;
  readonly token: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** What came back. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A request as it is, headers that fetch would not send included. */
export function rawRequest(base: string, { path, token, method = 'POST', headers = {}, body }: Raw): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, base),
      { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** What a WebSocket is answered with before it is one; 101 when it was accepted. */
export function rawUpgrade(
  base: string,
  path: string,
  headers: Record<string, string>,
  protocols: string[] = [],
): Promise<number> {
  const url = new URL(path, base);
  url.protocol = 'ws:';
  return new Promise((resolve) => {
    const socket = new WebSocket(url, protocols, { headers });
    socket.on('error', () => undefined);
    socket.once('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
  });
}
