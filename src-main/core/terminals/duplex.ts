/** A two-way link that carries binary messages whole and in order: a WebSocket or a MessagePort. */
import type { Disposable } from '#shared/kernel/disposable.ts';

/** Why the core closes a link; the codes of RFC 6455 section 7.4.1. A MessagePort drops them. */
export const CloseCode = { goingAway: 1001, protocolError: 1002, unsupportedData: 1003, tooBig: 1009, policy: 1008 } as const;

/** One side of a link. */
export interface Duplex {
  /** Queues one message; does nothing when the link is closed. The bytes must not change afterwards. */
  send(bytes: Uint8Array): void;
  /** Every message; undefined for one that is not binary. Messages that came before the first listener are kept for it. */
  onMessage(listener: (bytes: Uint8Array | undefined) => void): Disposable;
  /** The link is closed, by whichever side. Called once. */
  onClose(listener: () => void): Disposable;
  close(code: number, reason: string): void;
  /** Bytes that were sent and have not left this process, as far as can be known; else 0. */
  readonly bufferedAmount: number;
}
