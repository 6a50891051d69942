/** Answers: JSON, errors in one form, and the headers that everything served to a browser carries. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AppError } from '#shared/kernel/errors.ts';
import { httpStatusOf } from '#shared/kernel/errors.ts';
import { toWireError } from '#core/rpc/errors.ts';

/** On every answer of either server. */
const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * The content security policy: nothing but this server's own files. Styles may be inline, because the terminal's renderer
 * sets them; scripts may not. The WebSocket is named, because not every browser takes 'self' for it.
 */
export function contentSecurityPolicy(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    `connect-src 'self' ws://${host} wss://${host}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Sets the headers of every answer. The Host was checked before. */
export function setCommonHeaders(request: IncomingMessage, response: ServerResponse): void {
  for (const [name, value] of Object.entries(COMMON_HEADERS)) response.setHeader(name, value);
  response.setHeader('content-security-policy', contentSecurityPolicy(request.headers.host ?? ''));
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** The JSON form of an error: the same in every door. */
export function errorBody(error: AppError): unknown {
  return toWireError(error).toJSON();
}

/** Headers that go with an error. */
function errorHeaders(error: AppError): Record<string, string> {
  if (error.code === 'UNAUTHORIZED') return { 'www-authenticate': 'Bearer' };
  const seconds = error.data['retryAfterSeconds'];
  return typeof seconds === 'number' ? { 'retry-after': String(seconds) } : {};
}

/** Answers with an error. */
export function sendError(response: ServerResponse, error: AppError, status = httpStatusOf(error.code)): void {
  if (!response.headersSent) for (const [name, value] of Object.entries(errorHeaders(error))) response.setHeader(name, value);
  sendJson(response, status, errorBody(error));
}

/** Answers with an error that only HTTP knows: it has no code of ours. */
export function sendHttpError(
  response: ServerResponse,
  status: number,
  code: 'METHOD_NOT_SUPPORTED' | 'NOT_IMPLEMENTED' | 'UPGRADE_REQUIRED',
  message: string,
): void {
  sendJson(response, status, { defined: false, code, status, message });
}

/** Answers 405, naming what is possible. */
export function sendMethodError(response: ServerResponse, method: string | undefined, allowed: readonly string[]): void {
  response.setHeader('allow', allowed.join(', '));
  sendHttpError(
    response,
    405,
    'METHOD_NOT_SUPPORTED',
    `${method ?? 'This method'} is not possible on this path; possible: ${allowed.join(', ')}.`,
  );
}

/** Refuses an upgrade: answers on the bare socket and closes it. */
export function refuseUpgrade(socket: Duplex, error: AppError): void {
  const body = JSON.stringify(errorBody(error));
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...errorHeaders(error),
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${httpStatusOf(error.code)} ${error.code}`, ...head, '', body].join('\r\n'));
}
