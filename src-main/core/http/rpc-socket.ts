/**
 * The contract over a WebSocket. oRPC sends a stream's items one after the other and waits for each to be sent, so pacing
 * the sends paces the source: with a slow reader at most `MAX_BUFFERED_BYTES` and one item wait in memory.
 */
import { setImmediate } from 'node:timers/promises';
import { RPCHandler } from '@orpc/server/ws';
import type { WebSocket } from 'ws';
import type { Caller } from '#core/caller.ts';
import type { RpcContext, RpcRouter } from '#core/rpc/router.ts';
import { WIRE_JSON } from '#core/rpc/wire-json.ts';

/** Above this many unsent bytes a send waits until its frame has left. */
export const MAX_BUFFERED_BYTES = 64 * 1024;
/** A stream that always has a next item lets others have their turn after this long, in milliseconds. */
const MAX_TURN_MS = 5;
/** "Invalid frame payload data", RFC 6455 section 7.4.1. */
const CLOSE_INVALID = 1007;

type Frame = Parameters<WebSocket['send']>[0];
type RpcSocketLike = Parameters<RPCHandler<RpcContext>['upgrade']>[0];

/** Serves calls over sockets. */
export class RpcSockets {
  readonly #handler: RPCHandler<RpcContext>;

  constructor(router: RpcRouter) {
    this.#handler = new RPCHandler<RpcContext>(router, { customJsonSerializers: WIRE_JSON });
  }

  /** Serves one socket for one caller, until it is closed. */
  async serve(socket: WebSocket, caller: Caller): Promise<void> {
    await this.#handler.upgrade(paced(socket), { context: { caller } });
  }
}

function paced(socket: WebSocket): RpcSocketLike {
  let turnAt = performance.now();
  const pacedSend = async (data: Frame): Promise<void> => {
    if (socket.readyState !== socket.OPEN) {
      // The close event ends the calls; it must get its turn of the event loop.
      await setImmediate();
      return;
    }
    if (socket.bufferedAmount >= MAX_BUFFERED_BYTES) await sent(socket, data);
    else socket.send(data);
    if (performance.now() - turnAt < MAX_TURN_MS) return;
    await setImmediate();
    turnAt = performance.now();
  };
  // oRPC waits for what a send returns, although its type does not say so.
  const send = (data: Frame): unknown => pacedSend(data);
  return {
    send,
    addEventListener: (type, listener, options) => {
      if (type !== 'message') {
        socket.addEventListener(type, listener, options);
        return;
      }
      socket.addEventListener('message', (event) => {
        if (!isCall(event.data)) socket.close(CLOSE_INVALID, 'not a call');
        else if (typeof listener === 'function') (listener as (event: unknown) => void)(event);
      });
    },
  };
}

/** Resolves when the frame was taken by the system, or the socket broke. */
async function sent(socket: WebSocket, data: Frame): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.send(data, () => resolve());
  });
}

/** Whether a frame is what oRPC's client sends: JSON with an id. Anything else has nobody to answer to. */
function isCall(data: unknown): boolean {
  if (typeof data !== 'string') return false;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null && 'i' in value && typeof value.i === 'string';
  } catch {
    return false;
  }
}
