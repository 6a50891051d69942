/**
 * Callers without a token at the agent port: all that is there for them is `register_agent`. Invariant: few of them are let in
 * at once, none stays long, and what they send is small: whoever stalls or floods holds up nobody but other applicants.
 */
import type { IncomingMessage } from 'node:http';
import { AppError } from '#shared/kernel/errors.ts';
import type { Visitor } from './access.ts';

/** Requests, streams and sockets of applicants that may be open at once. */
export const MAX_APPLICANTS = 32;
/** How long a stream or a socket of one may stay, in milliseconds: as long as a request waits for the operator. */
const STAY_MS = 10 * 60_000;
/** The largest request of one, in bytes: what register_agent takes at most, and room. */
export const APPLICANT_BODY_BYTES = 64 * 1024;

/** Whether somebody comes without a token and speaks MCP: everything else gets the answer of somebody whose token is missing. */
export function isApplication({ headers, method }: IncomingMessage, url: URL): boolean {
  if (headers.authorization !== undefined || headers.cookie !== undefined) return false;
  switch (url.pathname) {
    case '/mcp':
    case '/messages':
      return method === 'POST' && headers['content-type']?.split(';')[0]?.trim().toLowerCase() === 'application/json';
    case '/sse':
    case '/ws':
      return method === 'GET';
    default:
      return false;
  }
}

/** Lets them in. */
export class Applicants {
  #open = 0;

  /** How many are in. */
  get open(): number {
    return this.#open;
  }

  /** Lets one in until `leave`. TOO_MANY_REQUESTS when there are too many. */
  enter(request: IncomingMessage): { readonly visitor: Visitor; readonly leave: () => void } {
    if (this.#open >= MAX_APPLICANTS)
      throw new AppError('TOO_MANY_REQUESTS', 'Too many callers without a token are here at once. Try again in a minute.');
    this.#open += 1;
    let isIn = true;
    const address = request.socket.remoteAddress ?? 'unknown';
    return {
      visitor: {
        // Its id is the address: that is all that is known of it.
        principal: { actor: { kind: 'token', id: `applicant ${address}` }, role: 'applicant', tokenId: null },
        secret: '',
        isBrowser: false,
        until: Date.now() + STAY_MS,
      },
      leave: () => {
        if (isIn) this.#open -= 1;
        isIn = false;
      },
    };
  }
}
