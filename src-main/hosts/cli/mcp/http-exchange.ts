/** One message to an MCP server over Streamable HTTP, and what comes back, message by message. */
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** Where messages go. */
export interface McpTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The connection failed. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  /** Whether the server may have received the message: then repeating it is for the caller to decide. */
  readonly mayHaveArrived: boolean;

  constructor(message: string, mayHaveArrived: boolean) {
    super(message);
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** What a server answered. */
export interface ExchangeResult {
  readonly status: number;
  /** The body, when it was no stream of messages. */
  readonly body: string;
}

/** No answer of the core is larger: pages and captures are limited. In characters. */
const MAX_BODY_CHARS = 64 * 1024 * 1024;

/** Sends one message; `onMessage` receives every message that comes back on a stream. Fails with an ExchangeError. */
export async function exchange(
  target: McpTarget,
  text: string,
  onMessage: (text: string) => void,
  signal: AbortSignal,
): Promise<ExchangeResult> {
  const response = await post(target, text, signal);
  const status = response.statusCode ?? 0;
  const isStream = response.headers['content-type']?.startsWith('text/event-stream') === true;
  response.setEncoding('utf8');
  let body = '';
  const stream = new EventReader(onMessage);
  try {
    for await (const chunk of response) {
      const part = String(chunk);
      if (isStream) stream.read(part);
      else body += part;
      if (body.length > MAX_BODY_CHARS) throw new Error('the answer is too large');
    }
  } catch (error) {
    throw new ExchangeError(error instanceof Error ? error.message : String(error), true);
  }
  return { status, body };
}

function post(target: McpTarget, text: string, signal: AbortSignal): Promise<IncomingMessage> {
  const url = new URL(target.url);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    let isConnected = false;
    const request = send(url, {
      method: 'POST',
      // A connection of its own for each message: a kept one could be of a core that has just ended.
      agent: false,
      signal,
      headers: {
        ...target.headers,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'content-length': Buffer.byteLength(text),
      },
    });
    request.once('socket', (socket) => socket.once('connect', () => (isConnected = true)));
    request.once('response', resolve);
    request.once('error', (error) => reject(new ExchangeError(error.message, isConnected)));
    request.end(text);
  });
}

/** Reads server-sent events (HTML standard, 9.2): the data of each event is one message. */
class EventReader {
  readonly #onMessage: (text: string) => void;
  #rest = '';
  #data: string[] = [];

  constructor(onMessage: (text: string) => void) {
    this.#onMessage = onMessage;
  }

  read(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data:')) this.#data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
      else if (line === '' && this.#data.length > 0) {
        const message = this.#data.join('\n');
        this.#data = [];
        if (message !== '') this.#onMessage(message);
      }
    }
  }
}
