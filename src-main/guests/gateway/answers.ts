/** Answers that the gateway gives itself: JSON with a code and a sentence. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '#shared/kernel/errors.ts';
import { httpStatusOf } from '#shared/kernel/errors.ts';

/** An error of the gateway's own. */
export interface GatewayError {
  readonly code: ErrorCode | 'BAD_GATEWAY';
  readonly message: string;
}

/** The status that an error is answered with. */
export function statusOf({ code }: GatewayError): number {
  return code === 'BAD_GATEWAY' ? 502 : httpStatusOf(code);
}

/** Answers a request with an error; where an answer has begun, the connection is dropped instead. */
export function sendError(request: IncomingMessage, response: ServerResponse, error: GatewayError): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(error);
  const retry = error.code === 'UNAVAILABLE' ? { 'retry-after': '5' } : {};
  // Where the body was not read to its end, what follows on the connection is not the next request.
  const close = request.complete ? {} : { connection: 'close' };
  response.writeHead(statusOf(error), {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-quarterdeck-refused': 'gateway',
    ...retry,
    ...close,
  });
  response.end(body);
}

/** Answers on a bare connection, and ends it. */
export function sendRawError(socket: Duplex, error: GatewayError): void {
  if (socket.destroyed || !socket.writable) return;
  const status = statusOf(error);
  const body = JSON.stringify(error);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nx-quarterdeck-refused: gateway\r\nconnection: close\r\n\r\n${body}`,
  );
}
