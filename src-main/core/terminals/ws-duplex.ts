/** A WebSocket of the package `ws` as a duplex. */
import type { RawData, WebSocket } from 'ws';
import { toDisposable } from '#shared/kernel/disposable.ts';
import type { Duplex } from './duplex.ts';

/** Text of a close frame may have this many bytes (RFC 6455 section 5.5). */
const MAX_REASON_BYTES = 123;

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

/**
 * Wraps an open WebSocket. Made with `perMessageDeflate: false` (compressing costs more than it saves on one machine) and
 * `maxPayload` of a frame. Call it in the same turn in which the socket opened, so that no message is missed.
 */
export function wsDuplex(socket: WebSocket): Duplex {
  // Errors are followed by `close`; without a listener they would end the process.
  socket.on('error', () => undefined);
  return {
    send(bytes) {
      if (socket.readyState === socket.OPEN) socket.send(bytes, { binary: true, compress: false }, () => undefined);
    },
    onMessage(listener) {
      const receive = (data: RawData, isBinary: boolean): void => listener(isBinary ? bytesOf(data) : undefined);
      socket.on('message', receive);
      return toDisposable(() => socket.off('message', receive));
    },
    onClose(listener) {
      if (socket.readyState === socket.CLOSED) queueMicrotask(listener);
      else socket.once('close', listener);
      return toDisposable(() => socket.off('close', listener));
    },
    close(code, reason) {
      socket.close(code, Buffer.from(reason).subarray(0, MAX_REASON_BYTES).toString('utf8').replaceAll('\ufffd', ''));
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
  };
}
