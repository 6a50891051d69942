/** The shape of a connection to the core, the same over a WebSocket and over MessagePorts. */
import type { ContractRouterClient } from '@orpc/contract';
import type { Contract } from '#shared/contract.ts';

/** The core's procedures, as this window calls them. */
export type CoreClient = ContractRouterClient<Contract>;

/** One standing connection for calls. When it is gone another one is opened; a line never comes back. */
export interface Line {
  readonly client: CoreClient;
  /** Aborted when the line is gone, whoever ended it. */
  readonly gone: AbortSignal;
  close(): void;
}

/** One standing connection for terminal frames. */
export interface BytePipe {
  /** Frames sent after the pipe is gone are dropped. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Receives every frame; set before the first one can arrive. */
  onBytes: (bytes: Uint8Array) => void;
  /** Called once, when the pipe is gone. */
  onGone: () => void;
  close(): void;
}

/** Why a connection could not be opened. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  /** signed-out: the core does not know this browser; unreachable: it did not answer, try again later. */
  readonly kind: 'signed-out' | 'unreachable';

  constructor(kind: 'signed-out' | 'unreachable', message: string) {
    super(message);
    this.kind = kind;
  }
}

/** How this window reaches the core. Both calls reject with a ConnectError. */
export interface Transport {
  openLine(signal: AbortSignal): Promise<Line>;
  openTerminals(signal: AbortSignal): Promise<BytePipe>;
}
