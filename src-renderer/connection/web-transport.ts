/** The core over WebSockets of the page's own origin. The browser's cookie says who we are. */
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { BytePipe, CoreClient, Line, Transport } from './line.ts';
import { ConnectError } from './line.ts';
import { LinkEnd } from './link-end.ts';

/** How long a WebSocket may take to open, and the request that asks why it did not, in milliseconds. */
const OPEN_DEADLINE_MS = 10_000;

/** Where the doors of the core are, for a page at `pageUrl`. */
function doorsOf(pageUrl: string): { rpc: string; terminals: string; whoami: string } {
  const socketUrl = (path: string): string => {
    const url = new URL(path, pageUrl);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.hash = '';
    return url.href;
  };
  return { rpc: socketUrl('/rpc'), terminals: socketUrl('/terminals'), whoami: new URL('/api/v1/auth/whoami', pageUrl).href };
}

/** Resolves when the socket is open; rejects when it closes first, or the signal or the deadline ends the wait. */
function opened(socket: WebSocket, signal: AbortSignal, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
    const fail = (): void => {
      socket.close();
      reject(new ConnectError('unreachable', 'The core did not open the connection.'));
    };
    deadline.addEventListener('abort', fail, { once: true });
    socket.addEventListener('close', fail, { once: true });
    socket.addEventListener(
      'open',
      () => {
        deadline.removeEventListener('abort', fail);
        socket.removeEventListener('close', fail);
        resolve();
      },
      { once: true },
    );
    if (deadline.aborted) fail();
  });
}

/** The transport of a page that was served by the core itself. `pageUrl` decides host and port; `deadlineMs`: see OPEN_DEADLINE_MS. */
export function webTransport(pageUrl: string, deadlineMs: number = OPEN_DEADLINE_MS): Transport {
  const doors = doorsOf(pageUrl);

  /** A browser does not tell a page why a WebSocket was refused: a plain request does. */
  const explain = async (signal: AbortSignal): Promise<ConnectError> => {
    const unreachable = new ConnectError('unreachable', 'The core does not answer.');
    try {
      // Where packets vanish, an answer may never come: without a deadline nothing else would be tried meanwhile.
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
      const response = await fetch(doors.whoami, { signal: deadline, credentials: 'same-origin', cache: 'no-store' });
      return response.status === 401 ? new ConnectError('signed-out', 'This browser is not logged in.') : unreachable;
    } catch {
      return unreachable;
    }
  };

  const openSocket = async (url: string, signal: AbortSignal): Promise<WebSocket> => {
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    try {
      await opened(socket, signal, deadlineMs);
    } catch {
      throw await explain(signal);
    }
    return socket;
  };

  return {
    async openLine(signal): Promise<Line> {
      const socket = await openSocket(doors.rpc, signal);
      const end = new LinkEnd((data) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(data);
      });
      socket.addEventListener('message', (event: MessageEvent<unknown>) => end.receive(event.data));
      socket.addEventListener('close', () => end.close(), { once: true });
      if (socket.readyState !== WebSocket.OPEN) end.close();
      return {
        client: createORPCClient<CoreClient>(new RPCLink({ websocket: end })),
        gone: end.gone,
        close: () => {
          // A socket whose network is gone closes only after a handshake that may never come.
          end.close();
          socket.close();
        },
      };
    },

    async openTerminals(signal): Promise<BytePipe> {
      const socket = await openSocket(doors.terminals, signal);
      const pipe: BytePipe = {
        send: (bytes) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
        },
        onBytes: () => undefined,
        onGone: () => undefined,
        close: () => socket.close(),
      };
      socket.addEventListener('message', (event: MessageEvent<unknown>) => {
        if (event.data instanceof ArrayBuffer) pipe.onBytes(new Uint8Array(event.data));
      });
      socket.addEventListener('close', () => pipe.onGone(), { once: true });
      return pipe;
    },
  };
}
