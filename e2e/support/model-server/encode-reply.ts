/** Writes an answer of the model in the two forms of the Messages API: one JSON body, or a stream of server-sent events. */

import type { ServerResponse } from 'node:http';
import type { Reply } from './script.ts';

/** Fixed counts: the client adds them up to a price, so they are small and never zero. */
const USAGE = { input_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 5 };

/** Streamed text goes out in pieces of this many characters, so that the client joins several. */
const CHUNK_CHARS = 200;

/** Answers with one JSON body. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Answers with an error as the Messages API shapes it. Status 400 is not tried again by the client. */
export function sendError(response: ServerResponse, status: number, type: string, message: string): void {
  sendJson(response, status, { type: 'error', error: { type, message } });
}

/** Answers with the reply, streamed or whole. `id` is the message id. */
export function sendReply(response: ServerResponse, reply: Reply, options: { id: string; model: string; stream: boolean }): void {
  const { id, model, stream } = options;
  const stopReason = reply.kind === 'tools' ? 'tool_use' : 'end_turn';
  const content =
    reply.kind === 'tools' ? reply.calls.map((call) => ({ type: 'tool_use', ...call })) : [{ type: 'text', text: reply.text }];
  const message = { id, type: 'message', role: 'assistant', model, stop_sequence: null };
  if (!stream) {
    sendJson(response, 200, { ...message, content, stop_reason: stopReason, usage: USAGE });
    return;
  }

  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (type: string, fields: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  };
  send('message_start', {
    message: { ...message, content: [], stop_reason: null, usage: { ...USAGE, output_tokens: 1 } },
  });
  const blocks = reply.kind === 'tools' ? reply.calls.map(toolBlock) : [textBlock(reply.text)];
  for (const [index, { start, deltas }] of blocks.entries()) {
    send('content_block_start', { index, content_block: start });
    for (const delta of deltas) send('content_block_delta', { index, delta });
    send('content_block_stop', { index });
  }
  send('message_delta', {
    delta: { stop_reason: stopReason, stop_sequence: null },
    usage: { output_tokens: USAGE.output_tokens },
  });
  send('message_stop', {});
  response.end();
}

function textBlock(text: string): { start: object; deltas: object[] } {
  return {
    start: { type: 'text', text: '' },
    deltas: chunksOf(text).map((piece) => ({ type: 'text_delta', text: piece })),
  };
}

function toolBlock(call: { id: string; name: string; input: unknown }): { start: object; deltas: object[] } {
  return {
    start: { type: 'tool_use', id: call.id, name: call.name, input: {} },
    deltas: chunksOf(JSON.stringify(call.input)).map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
  };
}

/** Splits by code points: a surrogate pair stays together. */
function chunksOf(text: string): string[] {
  const characters = [...text];
  const chunks: string[] = [];
  for (let at = 0; at < characters.length; at += CHUNK_CHARS) {
    chunks.push(characters.slice(at, at + CHUNK_CHARS).join(''));
  }
  return chunks.length === 0 ? [''] : chunks;
}
