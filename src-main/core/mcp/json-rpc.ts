/** The errors of JSON-RPC itself, for messages that never reach a server. */
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { INVALID_REQUEST, PARSE_ERROR, parseJSONRPCMessage } from '@modelcontextprotocol/server';

/** An error answer. */
export interface JsonRpcError {
  readonly jsonrpc: '2.0';
  readonly id: string | number | null;
  readonly error: { readonly code: number; readonly message: string };
}

/** Not JSON at all. */
export function parseError(detail: string): JsonRpcError {
  return { jsonrpc: '2.0', id: null, error: { code: PARSE_ERROR, message: `Parse error: ${detail}` } };
}

/** JSON, but no JSON-RPC message; undefined when it is one (or a batch of them). */
export function invalidMessage(value: unknown): JsonRpcError | undefined {
  const messages = Array.isArray(value) ? value : [value];
  if (messages.length > 0 && messages.every((message) => asMessage(message) !== undefined)) return undefined;
  return {
    jsonrpc: '2.0',
    id: idOf(value),
    error: {
      code: INVALID_REQUEST,
      message:
        'Invalid request: a JSON-RPC 2.0 message has "jsonrpc": "2.0" and a "method", or an "id" with a "result" or an "error".',
    },
  };
}

/** The value as a message; undefined when it is none. */
export function asMessage(value: unknown): JSONRPCMessage | undefined {
  try {
    return parseJSONRPCMessage(value);
  } catch {
    return undefined;
  }
}

function idOf(value: unknown): string | number | null {
  if (typeof value !== 'object' || value === null || !('id' in value)) return null;
  return typeof value.id === 'string' || typeof value.id === 'number' ? value.id : null;
}
