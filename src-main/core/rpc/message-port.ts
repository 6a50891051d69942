/**
 * The router over a MessagePort: the door of the desktop window. The same calls, streams and aborts as over WebSocket.
 * A MessagePort knows no flow control: a stream is asked for its next item as soon as the last one was posted. What is
 * streamed here (the journal) is small and paced by commits; terminal bytes have a link of their own with acknowledgements.
 */
import { RPCHandler } from '@orpc/server/message-port';
import type { Caller } from '#core/caller.ts';
import type { RpcContext, RpcRouter } from './router.ts';
import { WIRE_JSON } from './wire-json.ts';

/** A port as Node's worker_threads and Electron's MessagePortMain both have it. */
export type RpcPort = Parameters<RPCHandler<RpcContext>['upgrade']>[0];

/** Serves calls that arrive on `port` for one caller, until the port is closed. */
export function serveMessagePort(router: RpcRouter, port: RpcPort, caller: Caller): void {
  new RPCHandler<RpcContext>(router, { customJsonSerializers: WIRE_JSON }).upgrade(port, { context: { caller } });
}
