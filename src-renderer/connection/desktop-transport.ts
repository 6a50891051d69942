/** The core over MessagePorts, in the desktop app. The preload hands the ports over with window.postMessage. */
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { BytePipe, CoreClient, Line, Transport } from './line.ts';
import { ConnectError } from './line.ts';
import { LinkEnd } from './link-end.ts';

/** What the preload gives the page: nothing but a way to ask for ports. */
export interface DesktopBridge {
  /** Asks for new ports. The answer is a message `PORTS_MESSAGE` to this window with two ports: calls, terminals. */
  connect(): void;
}

/** The message that carries the ports. */
export const PORTS_MESSAGE = 'quarterdeck:ports';

/** How long the main process may take to hand over ports, in milliseconds. */
const PORTS_DEADLINE_MS = 10_000;

interface Ports {
  readonly rpc: MessagePort;
  readonly terminals: MessagePort;
}

/** The transport of the desktop app. `page` is the window the ports arrive in. */
export function desktopTransport(bridge: DesktopBridge, page: Window): Transport {
  // Both ports come in one message; the second is taken when the terminals are opened.
  let spare: MessagePort | undefined;

  const askForPorts = (signal: AbortSignal): Promise<Ports> =>
    new Promise((resolve, reject) => {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(PORTS_DEADLINE_MS)]);
      const receive = (event: MessageEvent<unknown>): void => {
        const [rpc, terminals] = event.ports;
        if (event.source !== page || event.data !== PORTS_MESSAGE || !rpc || !terminals) return;
        page.removeEventListener('message', receive);
        deadline.removeEventListener('abort', fail);
        resolve({ rpc, terminals });
      };
      const fail = (): void => {
        page.removeEventListener('message', receive);
        reject(new ConnectError('unreachable', 'The main process did not hand over a connection.'));
      };
      page.addEventListener('message', receive);
      deadline.addEventListener('abort', fail, { once: true });
      bridge.connect();
    });

  return {
    async openLine(signal): Promise<Line> {
      const ports = await askForPorts(signal);
      spare?.close();
      spare = ports.terminals;
      const end = new LinkEnd((data) => ports.rpc.postMessage(data));
      ports.rpc.addEventListener('message', (event: MessageEvent<unknown>) => end.receive(event.data));
      ports.rpc.addEventListener('close', () => end.close(), { once: true });
      const client = createORPCClient<CoreClient>(new RPCLink({ port: end }));
      ports.rpc.start();
      return {
        client,
        gone: end.gone,
        close: () => {
          end.close();
          ports.rpc.close();
        },
      };
    },

    async openTerminals(): Promise<BytePipe> {
      const port = spare;
      spare = undefined;
      if (port === undefined) throw new ConnectError('unreachable', 'The terminals follow the next connection.');
      const pipe: BytePipe = {
        send: (bytes) => port.postMessage(bytes),
        onBytes: () => undefined,
        onGone: () => undefined,
        close: () => {
          port.close();
          pipe.onGone();
        },
      };
      port.addEventListener('message', (event: MessageEvent<unknown>) => {
        if (event.data instanceof Uint8Array) pipe.onBytes(event.data);
        else if (event.data instanceof ArrayBuffer) pipe.onBytes(new Uint8Array(event.data));
      });
      port.addEventListener('close', () => pipe.onGone(), { once: true });
      // Starts a turn later, so that the caller has set its receiver.
      queueMicrotask(() => port.start());
      return pipe;
    },
  };
}
