/**
 * A core whose answers a test writes: the contract over a WebSocket, found through a data folder like a real one. For what
 * a real core does not do on demand: every error code, answers that hurt, lines that break.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { implement } from '@orpc/server';
import type { AnyRouter } from '@orpc/server';
import { RPCHandler } from '@orpc/server/ws';
import { WebSocketServer } from 'ws';
import { contract } from '#shared/contract.ts';

const TOKEN = 'scripted-token';

/** The contract, to be implemented in part. */
export const script = implement(contract);

/** A scripted core that listens. */
export interface ScriptedCore {
  readonly dataDir: string;
  /** Headers of the connections so far, the newest last. */
  readonly visits: readonly NodeJS.Dict<string | string[]>[];
  /** Cuts every connection, as a crash does. */
  cut(): void;
  close(): Promise<void>;
}

/** A data folder as a core leaves it, with a run.json that names `url`. */
export function makeDataDir(options: { url?: string; pid?: number } = {}): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'qd-cli-'));
  writeFileSync(join(dataDir, 'operator-token'), `${TOKEN}\n`, { mode: 0o600 });
  if (options.url === undefined) return dataDir;
  const { url } = options;
  const run = {
    pid: options.pid ?? process.pid,
    startedAt: 1,
    version: '0.0.0',
    url,
    apiUrl: `${url}api`,
    mcpUrl: `${url}mcp`,
    agentMcpUrl: `${url}mcp`,
    agentSseUrl: `${url}sse`,
    agentWsUrl: `${url}ws`,
  };
  writeFileSync(join(dataDir, 'run.json'), JSON.stringify(run));
  return dataDir;
}

/** Starts a core that answers with `router`; a call that is not in it is NOT_FOUND. */
export async function startScriptedCore(router: AnyRouter): Promise<ScriptedCore> {
  const server = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true });
  const rpc = new RPCHandler(router);
  const visits: NodeJS.Dict<string | string[]>[] = [];
  server.on('upgrade', (request, socket, head) => {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      const body = JSON.stringify({ code: 'UNAUTHORIZED', message: 'This token is not known.' });
      socket.end(
        `HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
      );
      return;
    }
    visits.push(request.headers);
    sockets.handleUpgrade(request, socket, head, (ws) => {
      rpc.upgrade(ws, { context: {} }).catch(() => ws.terminate());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const dataDir = makeDataDir({ url: `http://127.0.0.1:${address.port}/` });
  const cut = (): void => {
    for (const socket of sockets.clients) socket.terminate();
  };
  return {
    dataDir,
    visits,
    cut,
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
