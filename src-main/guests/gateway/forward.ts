/** Passes one HTTP request on and its answer back, both as streams: nothing is read faster than the other side takes it. */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import type { GatewayError } from './answers.ts';
import { sendError } from './answers.ts';
import { responseHeaders } from './headers.ts';

/** How a request is passed on. */
export interface ForwardOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The request outside, made and not ended. */
  readonly upstream: ClientRequest;
  /** Largest body; undefined: any. */
  readonly maxBodyBytes?: number;
  /** Nothing passed for so long: given up. 0: never. */
  readonly idleMs: number;
  /** Picks headers of the answer that are not passed. */
  readonly dropHeader?: (name: string, value: string) => boolean;
  /** What the answer's body goes through. */
  readonly body?: Transform;
  /** What is said when nothing answers. */
  readonly unreachable: (reason: string) => GatewayError;
  /** Ends it from outside: the connection is dropped, an event stream ended. */
  readonly signal: AbortSignal;
}

/** How it ended; bytes are those of the bodies. */
export interface Forwarded {
  readonly outcome: 'closed' | 'failed';
  /** Why it failed. */
  readonly reason?: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** Does it. Resolves when both sides are done, and never rejects. */
export async function forward(options: ForwardOptions): Promise<Forwarded> {
  const { request, response, upstream, signal } = options;
  return await new Promise<Forwarded>((resolve) => {
    let sentBytes = 0;
    let receivedBytes = 0;
    let isSettled = false;
    let isStream = false;
    const settle = (outcome: 'closed' | 'failed', reason?: string): void => {
      if (isSettled) return;
      isSettled = true;
      signal.removeEventListener('abort', onAbort);
      upstream.destroy();
      resolve({ outcome, ...(reason === undefined ? {} : { reason }), sentBytes, receivedBytes });
    };
    /** Ends the answer before its time: an event stream may end anywhere, anything else must be seen to be incomplete. */
    const breakOff = (error: GatewayError): void => {
      if (isStream && response.headersSent) response.end();
      else sendError(request, response, error);
    };
    const fail = (error: GatewayError): void => {
      if (isSettled) return;
      request.unpipe(upstream);
      breakOff(error);
      settle('failed', error.message);
    };
    const onAbort = (): void => {
      const message = signal.reason instanceof Error ? signal.reason.message : 'It was ended.';
      fail({ code: 'UNAVAILABLE', message });
    };

    signal.addEventListener('abort', onAbort);
    response.once('close', () => {
      if (response.writableFinished) settle('closed');
      else settle('failed', 'the agent closed the connection before the answer was complete');
    });
    request.on('data', (chunk: Buffer) => {
      sentBytes += chunk.length;
      if (options.maxBodyBytes === undefined || sentBytes <= options.maxBodyBytes) return;
      fail({ code: 'PAYLOAD_TOO_LARGE', message: `The request is larger than ${options.maxBodyBytes} bytes.` });
    });
    request.once('error', () => settle('failed', 'the agent closed the connection'));
    request.pipe(upstream);

    upstream.setTimeout(options.idleMs, () => fail({ code: 'TIMEOUT', message: 'Nothing passed for too long.' }));
    upstream.on('error', (error: NodeJS.ErrnoException) => fail(options.unreachable(error.code ?? error.message)));
    upstream.once('response', (answer) => {
      isStream = answer.headers['content-type']?.startsWith('text/event-stream') === true;
      const headers = responseHeaders(answer.rawHeaders, options.dropHeader ?? (() => false));
      if (response.destroyed) return;
      response.sendDate = false;
      try {
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers);
      } catch {
        return fail({ code: 'BAD_GATEWAY', message: 'The answer has a head that cannot be passed on.' });
      }
      response.flushHeaders();
      answer.on('data', (chunk: Buffer) => (receivedBytes += chunk.length));
      answer.once('error', () => fail({ code: 'BAD_GATEWAY', message: 'The answer broke off.' }));
      if (options.body === undefined) answer.pipe(response);
      else answer.pipe(options.body).pipe(response);
    });
    if (signal.aborted) onAbort();
    // It may have gone while something was waited for: its close came before anybody listened here.
    if (response.destroyed) settle('failed', 'the agent closed the connection');
  });
}
