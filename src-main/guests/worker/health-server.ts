/** GET /health on a Unix socket: is the process there, and what is it at. */
import { chmod, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';

/** What is answered. */
export interface Health {
  readonly status: 'ok' | 'stopping';
  readonly agentId: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly tasks: { readonly running: number; readonly waiting: number; readonly done: number; readonly failed: number };
  readonly core: 'connected' | 'away';
  readonly memoryBytes: number;
}

/** Serves it until closed. A socket that an earlier process left is replaced. Rejects when the socket cannot be made. */
export async function serveHealth(socketPath: string, health: () => Health): Promise<Server> {
  const server = createServer((request, response) => {
    const isHealth = request.url === '/health' || request.url?.startsWith('/health?') === true;
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
    };
    if (!isHealth) answer(404, { error: 'Only /health is here' });
    else if (request.method !== 'GET' && request.method !== 'HEAD') answer(405, { error: 'Only GET' });
    else answer(200, health());
  });
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  await chmod(socketPath, 0o600);
  return server;
}
