/** A MessagePort as a duplex: Electron's MessagePortMain, or that of node:worker_threads. */
import { toDisposable } from '#shared/kernel/disposable.ts';
import type { Duplex } from './duplex.ts';

/** What is used of a port. Electron wraps a message into an event with `data`; Node delivers it bare. */
export interface PortLike {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'close', listener: () => void): unknown;
  start(): void;
  close(): void;
}

function bytesOf(message: unknown): Uint8Array | undefined {
  const data: unknown =
    typeof message === 'object' &&
    message !== null &&
    !(message instanceof Uint8Array) &&
    !(message instanceof ArrayBuffer) &&
    'data' in message
      ? message.data
      : message;
  if (data instanceof Uint8Array) return data;
  return data instanceof ArrayBuffer ? new Uint8Array(data) : undefined;
}

/** Wraps a port; it starts to deliver when the first listener comes. */
export function portDuplex(port: PortLike): Duplex {
  let isClosed = false;
  port.on('close', () => {
    isClosed = true;
  });
  return {
    send(bytes) {
      // A copy of its own length: a view would take the whole buffer behind it along.
      if (!isClosed) port.postMessage(bytes.length === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes));
    },
    onMessage(listener) {
      const receive = (message: unknown): void => listener(bytesOf(message));
      port.on('message', receive);
      port.start();
      return toDisposable(() => port.off('message', receive));
    },
    onClose(listener) {
      if (isClosed) queueMicrotask(listener);
      else port.on('close', listener);
      return toDisposable(() => port.off('close', listener));
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      port.close();
    },
    bufferedAmount: 0,
  };
}
