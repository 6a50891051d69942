/** One WebSocket to the running core, and the contract over it. */
import { createORPCClient, ORPCError } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { WebSocket } from 'ws';
import * as z from 'zod';
import type { Contract } from '#shared/contract.ts';
import type { CoreAddress } from './core-address.ts';
import { NOT_RUNNING } from './core-address.ts';
import { CliError } from './cli-error.ts';

/** The procedures of the core. */
export type CoreClient = ContractRouterClient<Contract>;

/** How long the core may take to accept a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;

const ErrorBody = z.object({ code: z.string(), message: z.string() });

/** The headers by which the core knows a caller from this command line. */
export function callerHeaders(token: string, folder: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'x-quarterdeck-client': 'cli', 'x-quarterdeck-folder': encodeURIComponent(folder) };
}

function refusal(status: number, body: string): CliError {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = undefined;
  }
  const stated = ErrorBody.safeParse(value).data;
  if (stated) return new CliError(stated.code, stated.message);
  return new CliError(
    status === 401 ? 'UNAUTHORIZED' : status === 403 ? 'FORBIDDEN' : 'FAILED',
    `What answers there refused the connection (HTTP ${status}).`,
  );
}

/** Opens a WebSocket to a path of the core. Fails with NOT_RUNNING, or with the core's own refusal. */
export function openSocket(address: CoreAddress, path: string, folder: string): Promise<WebSocket> {
  const url = new URL(path, address.url);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      headers: callerHeaders(address.token, folder),
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      perMessageDeflate: false,
    });
    socket.once('open', () => resolve(socket));
    socket.on('error', (error) => {
      const place = address.run === undefined ? `Nothing answers at ${address.url}.` : NOT_RUNNING;
      reject(new CliError('NOT_RUNNING', `${place} (${error.message})`, { cause: error }));
    });
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('close', () => reject(refusal(response.statusCode ?? 0, body)));
    });
  });
}

/** A connection to the core. */
export class CoreConnection {
  readonly client: CoreClient;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.client = createORPCClient<CoreClient>(new RPCLink({ websocket: socket }));
  }

  /** Whether the connection has ended. */
  get isGone(): boolean {
    return this.#socket.readyState !== WebSocket.OPEN;
  }

  close(): void {
    this.#socket.terminate();
  }

  /** Runs calls; what they throw when the connection breaks becomes CONNECTION_LOST. */
  async run<T>(work: (client: CoreClient) => Promise<T>): Promise<T> {
    try {
      return await work(this.client);
    } catch (error) {
      if (error instanceof ORPCError || error instanceof CliError || !this.isGone) throw error;
      throw new CliError(
        'CONNECTION_LOST',
        'The connection to Quarterdeck was lost. What was asked may or may not have been done.',
        { cause: error },
      );
    }
  }
}

/** Connects to a core. */
export async function connectCore(address: CoreAddress, folder: string): Promise<CoreConnection> {
  return new CoreConnection(await openSocket(address, '/rpc', folder));
}
