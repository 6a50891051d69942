/**
 * A model that says what a script tells it: the Messages API on loopback, for driving the real
 * Claude Code CLI without a network. It also stands in as the client's HTTP proxy, so that every
 * attempt to reach anything else is refused and seen.
 */

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { sendError, sendJson, sendReply } from './encode-reply.ts';
import { messagesRequest } from './messages-api.ts';
import type { MessagesRequest } from './messages-api.ts';
import { nextReply } from './script.ts';
import type { Script } from './script.ts';

/** A request as it arrived. */
export interface RecordedRequest {
  readonly method: string;
  /** Path with its query; the whole target when the client used this server as a proxy. */
  readonly target: string;
  /** `model`: answered by the script. `background`: answered harmlessly. `unknown`: answered 404. `outside`: refused. */
  readonly kind: 'model' | 'background' | 'unknown' | 'outside';
  readonly headers: IncomingMessage['headers'];
  /** Parsed body of a `/v1/messages` request. */
  readonly body: MessagesRequest | undefined;
}

export interface ModelServer {
  /** Base URL, for ANTHROPIC_BASE_URL. */
  readonly url: string;
  /** Every request, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** What went wrong in the script or with a request, oldest first; empty after a good run. */
  readonly problems: readonly string[];
  /** Ends open answers and stops listening. */
  close(): Promise<void>;
}

/** Answer to requests that the client makes for itself, such as a title for the session. */
const BACKGROUND_TEXT = 'ok';

/** Starts the server on a free port of 127.0.0.1. */
export async function startModelServer(options: { script: Script }): Promise<ModelServer> {
  const requests: RecordedRequest[] = [];
  const problems: string[] = [];
  let answered = 0;

  const record = (request: IncomingMessage, kind: RecordedRequest['kind'], body?: MessagesRequest): void => {
    const { method = '', url: target = '', headers } = request;
    requests.push({ method, target, kind, headers, body });
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = request.url ?? '/';
    if (!target.startsWith('/')) {
      record(request, 'outside');
      sendError(response, 502, 'api_error', 'nothing outside loopback is reachable in this test');
      return;
    }
    const path = target.split('?', 1)[0];
    const text = await readBody(request);
    if (request.method !== 'POST' || (path !== '/v1/messages' && path !== '/v1/messages/count_tokens')) {
      record(request, 'unknown');
      sendError(response, 404, 'not_found_error', `no ${request.method ?? ''} ${target} here`);
      return;
    }
    const parsed = parseRequest(text);
    if (path === '/v1/messages/count_tokens') {
      record(request, 'background');
      sendJson(response, 200, { input_tokens: Math.ceil(text.length / 4) });
      return;
    }
    if (!parsed.success) {
      record(request, 'unknown');
      problems.push(`unreadable request: ${parsed.error.message}`);
      sendError(response, 400, 'invalid_request_error', parsed.error.message);
      return;
    }

    const body = parsed.data;
    const isBackground = isBackgroundRequest(body);
    record(request, isBackground ? 'background' : 'model', body);
    answered += 1;
    const encoding = { id: `msg_${answered}`, model: body.model, stream: body.stream ?? false };
    if (isBackground) {
      sendReply(response, { kind: 'text', text: BACKGROUND_TEXT }, encoding);
      return;
    }
    try {
      const sessionId = request.headers['x-claude-code-session-id'];
      const reply = await nextReply(options.script, body, typeof sessionId === 'string' ? sessionId : undefined);
      sendReply(response, reply, encoding);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push(reason);
      sendError(response, 400, 'invalid_request_error', `scripted model: ${reason}`);
    }
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      problems.push(String(error));
      response.destroy();
    });
  });
  server.on('connect', (request, socket) => {
    record(request, 'outside');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = z.object({ port: z.number() }).parse(server.address());

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    problems,
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Requests with which the client works for itself: they bring no tools, or ask a small model. */
function isBackgroundRequest(body: MessagesRequest): boolean {
  return (body.tools ?? []).length === 0 || body.model.includes('haiku');
}

function parseRequest(text: string): z.ZodSafeParseResult<MessagesRequest> {
  try {
    return messagesRequest.safeParse(JSON.parse(text));
  } catch {
    return messagesRequest.safeParse(undefined);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(z.instanceof(Uint8Array).parse(piece)));
  return Buffer.concat(pieces).toString('utf8');
}
