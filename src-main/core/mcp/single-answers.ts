/**
 * Tool calls over Streamable HTTP outside of a session, as the protocol has them up to 2025-11-25: one message in, one piece of
 * JSON out. The SDK's own way makes a web request, a web response and three streams of each such call, which costs more than
 * the call; everything but this one form is still left to it.
 * Invariant: nothing of an answer is sent before all of it is there; whoever goes away ends its call.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JSONRPCMessage, JSONRPCRequest, Server, Transport } from '@modelcontextprotocol/server';
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server';
import { sendJson } from '#core/http/respond.ts';

/** Keys in `_meta` with which a request says of itself which revision it speaks begin so: those are of a later protocol. */
const ENVELOPE_PREFIX = 'io.modelcontextprotocol/';

/**
 * The message as a tool call that is answered here; undefined for whatever the SDK has to judge: other methods, requests of
 * later revisions or of ones that nobody knows, and clients that do not say that they take JSON and streams (they get 406).
 */
export function plainToolCall(request: IncomingMessage, message: unknown): JSONRPCRequest | undefined {
  const { accept = '', 'mcp-protocol-version': version } = request.headers;
  if (!accept.includes('application/json') || !accept.includes('text/event-stream')) return undefined;
  if (version !== undefined && !(typeof version === 'string' && SUPPORTED_PROTOCOL_VERSIONS.includes(version))) return undefined;
  return isToolCall(message) ? message : undefined;
}

/** Only for messages that were found to be JSON-RPC before. */
function isToolCall(message: unknown): message is JSONRPCRequest {
  if (typeof message !== 'object' || message === null || !('method' in message) || !('id' in message)) return false;
  if (message.method !== 'tools/call' || !('params' in message)) return false;
  const { params } = message;
  if (typeof params !== 'object' || params === null) return false;
  const meta = '_meta' in params ? params._meta : undefined;
  if (meta === undefined) return true;
  return typeof meta === 'object' && meta !== null && !Object.keys(meta).some((key) => key.startsWith(ENVELOPE_PREFIX));
}

/** Lets a server answer a call, with all of it in one piece. `server` is for this call alone. */
export async function answerAlone(server: Server, response: ServerResponse, call: JSONRPCRequest): Promise<void> {
  const transport = new SingleAnswer(call.id, (answer) => sendJson(response, 200, answer));
  await server.connect(transport);
  // After the answer was sent, or when the caller went away: then the call is cancelled.
  response.once('close', () => void server.close().catch(() => undefined));
  transport.onmessage?.(call);
}

/** The transport of one call: what the server says besides its answer reaches nobody. */
class SingleAnswer implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #id: JSONRPCRequest['id'];
  readonly #answer: (message: JSONRPCMessage) => void;

  constructor(id: JSONRPCRequest['id'], answer: (message: JSONRPCMessage) => void) {
    this.#id = id;
    this.#answer = answer;
  }

  async start(): Promise<void> {
    // There is nothing to wait for: the call is here.
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (!('method' in message) && message.id === this.#id) this.#answer(message);
  }

  async close(): Promise<void> {
    this.onclose?.();
  }
}
