/** The gateway's control socket: one function per order, each answered or failed within a time. Holds no state. */
import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import type { AgentId } from '#shared/kernel/ids.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import type { GatewayAgent, GatewayModelApi, GatewayOwner } from '#shared/gateway/model.ts';
import { CORE_HEADER, GatewayEvent, GatewayStatus } from '#shared/gateway/model.ts';

/**
 * Why an order was not carried out. gone: nobody answers at the socket, or stopped answering; other-owner: another core gives
 * the orders; refused: the gateway says why it cannot.
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly kind: 'gone' | 'other-owner' | 'refused';

  constructor(kind: 'gone' | 'other-owner' | 'refused', message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}

/** An order has this long to be answered, in milliseconds: it makes sockets and closes connections, and waits for nothing outside. */
const ORDER_MS = 10_000;
/** The longest answer, and the longest line of the log, in characters: a thousand agents in a status take a tenth of it. */
const MAX_TEXT = 1_048_576;
const CONFLICT = 409;

/** Speaks to one control socket. */
export class GatewayControl {
  readonly #socketPath: string;
  readonly #timeoutMs: number;

  constructor(socketPath: string, timeoutMs: number = ORDER_MS) {
    this.#socketPath = socketPath;
    this.#timeoutMs = timeoutMs;
  }

  /** What it says of itself. Anybody may ask. */
  async status(): Promise<GatewayStatus> {
    return parseStatus(await this.#order('GET', '/status'));
  }

  /** Makes a core the owner. Fails with other-owner while a core that came later is. */
  async own(owner: GatewayOwner): Promise<GatewayStatus> {
    return parseStatus(await this.#order('PUT', '/owner', owner.coreId, owner));
  }

  /** Makes or changes an agent's sockets and rules. */
  async putAgent(coreId: string, agent: GatewayAgent): Promise<void> {
    await this.#order('PUT', `/agents/${encodeURIComponent(agent.id)}`, coreId, agent);
  }

  /** Removes an agent's sockets and ends its connections. */
  async removeAgent(coreId: string, id: AgentId): Promise<void> {
    await this.#order('DELETE', `/agents/${encodeURIComponent(id)}`, coreId);
  }

  /** Replaces the model APIs and their keys. */
  async putModelApis(coreId: string, apis: readonly GatewayModelApi[]): Promise<void> {
    await this.#order('PUT', '/model-apis', coreId, apis);
  }

  /** Ends the gateway. */
  async shutdown(coreId: string): Promise<void> {
    await this.#order('POST', '/shutdown', coreId);
  }

  /**
   * The log after a number, from the file and then as it grows, some entries at a time; ends with the line. The next entries
   * are read when those before them were dealt with.
   */
  async *events(coreId: string, after: number, signal: AbortSignal): AsyncGenerator<readonly GatewayEvent[], void, void> {
    const response = await this.#send('GET', `/events?after=${after}`, coreId, undefined, signal);
    if (response.statusCode !== 200) {
      throw failureOf(response.statusCode ?? 0, await readText(response));
    }
    const decoder = new StringDecoder('utf8');
    let rest = '';
    try {
      for await (const chunk of response) {
        const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > MAX_TEXT) throw new GatewayError('refused', 'a line of the log of connections is too long');
        const events = lines.flatMap((line) => (line.trim() === '' ? [] : [parseEvent(line)]));
        if (events.length > 0) yield events;
      }
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      throw new GatewayError('gone', `the line to the gateway broke: ${messageOf(error)}`, { cause: error });
    }
  }

  async #order(method: string, path: string, coreId?: string, body?: unknown): Promise<string> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const response = await this.#send(method, path, coreId, body, timeout);
    const text = await readText(response);
    const status = response.statusCode ?? 0;
    if (status < 200 || status >= 300) throw failureOf(status, text);
    return text;
  }

  #send(method: string, path: string, coreId: string | undefined, body: unknown, signal: AbortSignal): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          socketPath: this.#socketPath,
          method,
          path,
          signal,
          // A connection of its own: one that was kept may belong to a gateway that is gone.
          agent: false,
          headers: {
            host: 'gateway',
            ...(coreId === undefined ? {} : { [CORE_HEADER]: coreId }),
            ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          },
        },
        resolve,
      );
      request.on('error', (error) =>
        reject(new GatewayError('gone', `the gateway does not answer: ${messageOf(error)}`, { cause: error })),
      );
      request.end(text);
    });
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > MAX_TEXT) throw new GatewayError('refused', 'the answer of the gateway is too long');
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError('gone', `the gateway stopped answering: ${messageOf(error)}`, { cause: error });
  }
  return Buffer.concat(chunks).toString('utf8');
}

function failureOf(status: number, text: string): GatewayError {
  const reason = messageIn(text);
  return status === CONFLICT
    ? new GatewayError('other-owner', reason ?? 'another core gives the orders')
    : new GatewayError('refused', reason ?? `it answered with ${status}`);
}

/** The `message` of an answer in JSON, else its first words. */
function messageIn(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed && typeof parsed.message === 'string')
      return parsed.message.slice(0, 500);
  } catch {
    // Not JSON: its words are the reason.
  }
  return text.trim() === '' ? undefined : text.trim().slice(0, 500);
}

function parseStatus(text: string): GatewayStatus {
  const parsed = GatewayStatus.safeParse(parseJson(text));
  if (!parsed.success) throw new GatewayError('refused', 'its status is not one that this version understands');
  return parsed.data;
}

function parseEvent(line: string): GatewayEvent {
  const parsed = GatewayEvent.safeParse(parseJson(line));
  if (!parsed.success) throw new GatewayError('refused', 'an entry of its log is not one that this version understands');
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
