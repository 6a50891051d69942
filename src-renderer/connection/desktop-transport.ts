/** The core over MessagePorts, in the desktop app. The preload hands the ports over with window.postMessage. */
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import * as z from 'zod';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import type { BytePipe, CoreClient, Line, Transport } from './line.ts';
import { ConnectError } from './line.ts';
import { LinkEnd } from './link-end.ts';

/** What the preload gives the page: a way to ask for ports, and the one thing that has no other door. */
export interface DesktopBridge {
  /** Asks for new ports. The answer is a message `PORTS_MESSAGE` to this window with two ports: calls, terminals. */
  connect(): void;
  /**
   * Lets the operator choose a folder in the system's own dialog; `startAt` is where it opens. The absolute path, or null
   * when none was chosen. Rejects when the request is refused.
   */
  chooseFolder(request?: { readonly title?: string; readonly startAt?: string }): Promise<string | null>;
}

/** The message that carries the ports. */
export const PORTS_MESSAGE = 'quarterdeck:ports';
/** The message, as `{type, path}`, that sends the window to one of its places: a deep link, the tray, a notification. */
const NAVIGATE_MESSAGE = 'quarterdeck:navigate';

/** What a navigation says. The main process has checked the path; the window's routes decide what it shows. */
const Navigation = z.object({ type: z.literal(NAVIGATE_MESSAGE), path: z.string().startsWith('/').max(300) });

/** Hears where the desktop sends the window, until disposed. Harmless in a browser, where nothing comes. */
export function onDesktopNavigation(page: Window, go: (path: string) => void): Disposable {
  const receive = (event: MessageEvent<unknown>): void => {
    if (event.source !== page) return;
    const navigation = Navigation.safeParse(event.data);
    if (navigation.success) go(navigation.data.path);
  };
  page.addEventListener('message', receive);
  return toDisposable(() => page.removeEventListener('message', receive));
}

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

  let waiting: ((ports: Ports) => void) | undefined;
  // For as long as the page lives: ports that nobody waits for any more are closed, or the core would serve them for ever.
  page.addEventListener('message', (event: MessageEvent<unknown>) => {
    const [rpc, terminals] = event.ports;
    if (event.source !== page || event.data !== PORTS_MESSAGE || !rpc || !terminals) return;
    if (waiting !== undefined) return waiting({ rpc, terminals });
    rpc.close();
    terminals.close();
  });

  const askForPorts = (signal: AbortSignal): Promise<Ports> =>
    new Promise((resolve, reject) => {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(PORTS_DEADLINE_MS)]);
      const end = (): void => {
        waiting = undefined;
        deadline.removeEventListener('abort', fail);
      };
      const fail = (): void => {
        end();
        reject(new ConnectError('unreachable', 'The main process did not hand over a connection.'));
      };
      if (deadline.aborted) return fail();
      waiting = (ports) => {
        end();
        resolve(ports);
      };
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
