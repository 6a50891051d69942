/**
 * MCP on standard input and output for clients that start their servers: passes every message to the core and back, so
 * that tools, protocol eras and errors are the core's own.
 *
 * Invariants: every request is answered once; a message is sent again only when the core cannot have acted on it, or when
 * acting twice is harmless; a core that is away is an error of the call, never the end of the proxy.
 */
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { backoffMs, RECONNECT } from '#shared/kernel/backoff.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import { CliError } from '../cli-error.ts';
import type { McpTarget } from './http-exchange.ts';
import { exchange, ExchangeError } from './http-exchange.ts';

/** How long a call waits for a core that is away, in milliseconds: a restart takes some seconds, and clients give up after 60. */
const AWAY_LIMIT_MS = 20_000;
/** How long calls under way may take after the client has closed its end, in milliseconds. */
const DRAIN_LIMIT_MS = 10_000;
/** JSON-RPC 2.0, section 5.1, and its range for servers. */
const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
const SERVER_ERROR = -32_000;

/** Claims the revision of 2026-07-28 for one request. */
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
/** The field that the header Mcp-Name repeats (2026-07-28, Streamable HTTP, standard headers). */
const NAME_FIELDS: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};
/** A stream without an end of its own: it is not waited for. */
const STREAM_METHOD = 'subscriptions/listen';

const Id = z.union([z.string(), z.number()]);
type Id = z.infer<typeof Id>;
const Incoming = z.looseObject({
  jsonrpc: z.literal('2.0'),
  id: Id.optional(),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
});
type Incoming = z.infer<typeof Incoming>;
const Cancelled = z.object({ requestId: Id });
const Outgoing = z.looseObject({
  jsonrpc: z.literal('2.0'),
  id: Id.nullish(),
  method: z.string().optional(),
  result: z
    .looseObject({
      protocolVersion: z.string().optional(),
      tools: z
        .array(
          z.looseObject({ name: z.string(), annotations: z.looseObject({ readOnlyHint: z.boolean().optional() }).optional() }),
        )
        .optional(),
    })
    .optional(),
});
const ErrorBody = z.object({ message: z.string() });

/** What the proxy stands between. */
export interface ProxyOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Where the core is now; asked for every try, because a restarted core may be elsewhere. Rejects with a CliError. */
  readonly target: () => Promise<McpTarget>;
}

interface Pending {
  readonly abort: AbortController;
  readonly isStream: boolean;
  readonly done: Promise<void>;
}

/** Passes messages until standard input ends. */
export async function runStdioProxy(options: ProxyOptions): Promise<void> {
  await new StdioProxy(options).run();
}

class StdioProxy {
  readonly #options: ProxyOptions;
  readonly #pending = new Map<Id, Pending>();
  readonly #notes = new Set<Promise<void>>();
  /** What `initialize` agreed on; later requests of the older era name it. */
  #legacyVersion: string | undefined;
  readonly #readOnlyTools = new Set<string>();

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    let rest = '';
    this.#options.input.setEncoding('utf8');
    for await (const chunk of this.#options.input) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#receive(line);
    }
    this.#receive(rest);
    for (const { abort, isStream } of this.#pending.values()) if (isStream) abort.abort();
    const drained = Promise.all([...this.#pending.values()].map(({ done }) => done).concat([...this.#notes]));
    const limit = new AbortController();
    await Promise.race([drained, sleep(DRAIN_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => undefined)]);
    limit.abort();
    for (const { abort } of this.#pending.values()) abort.abort();
  }

  #write(message: unknown): void {
    // A line break inside JSON text is never part of a value; here it would end the message.
    const text = typeof message === 'string' ? message.replaceAll(/[\r\n]+/g, ' ') : JSON.stringify(message);
    this.#options.output.write(`${text}\n`);
  }

  #receive(line: string): void {
    if (line.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      this.#write({ jsonrpc: '2.0', id: null, error: { code: PARSE_ERROR, message: `Parse error: ${messageOf(error)}` } });
      return;
    }
    const parsed = Incoming.safeParse(value);
    if (!parsed.success) {
      this.#write({
        jsonrpc: '2.0',
        id: null,
        error: { code: INVALID_REQUEST, message: 'Invalid request: this is no JSON-RPC 2.0 message.' },
      });
      return;
    }
    const message = parsed.data;
    if (message.method === 'notifications/cancelled') {
      const cancelled = Cancelled.safeParse(message.params);
      // The end of the connection tells the core, in both eras.
      if (cancelled.success) this.#pending.get(cancelled.data.requestId)?.abort.abort();
      return;
    }
    if (message.id === undefined || message.method === undefined) this.#pass(message, line);
    else this.#startRequest(message, message.id, line);
  }

  /** A notification or a response: nothing comes back, and nobody waits. */
  #pass(message: Incoming, text: string): void {
    const note = this.#options
      .target()
      .then((target) =>
        exchange(this.#withHeaders(target, message), text, (answer) => this.#write(answer), AbortSignal.timeout(AWAY_LIMIT_MS)),
      )
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#notes.delete(note));
    this.#notes.add(note);
  }

  #startRequest(message: Incoming, id: Id, text: string): void {
    const abort = new AbortController();
    const done = this.#request(message, id, text, abort.signal)
      .catch((error: unknown) => {
        // Nobody waits for the answer of a cancelled request.
        if (!abort.signal.aborted) this.#write(failure(message, id, messageOf(error)));
      })
      .finally(() => this.#pending.delete(id));
    this.#pending.set(id, { abort, isStream: message.method === STREAM_METHOD, done });
  }

  async #request(message: Incoming, id: Id, text: string, signal: AbortSignal): Promise<void> {
    let isAnswered = false;
    const onMessage = (answer: string): void => {
      isAnswered = this.#observe(message, answer) || isAnswered;
      this.#write(answer);
    };
    for (let attempt = 0, awaySince: number | undefined; ; attempt += 1) {
      try {
        const target = await this.#options.target();
        const { status, body } = await exchange(this.#withHeaders(target, message), text, onMessage, signal);
        if (!isAnswered && body !== '') this.#write(this.#answerOf(message, id, status, body));
        else if (!isAnswered) throw new ExchangeError('the answer did not come', true);
        return;
      } catch (error) {
        if (signal.aborted || isAnswered) return;
        if (!this.#isWorthAnotherTry(message, error)) throw explained(error);
        awaySince ??= Date.now();
        if (Date.now() - awaySince > AWAY_LIMIT_MS) throw explained(error);
      }
      await sleep(backoffMs(RECONNECT, attempt), undefined, { signal });
    }
  }

  /** Whether the core is away, and repeating the message does no harm. */
  #isWorthAnotherTry(message: Incoming, error: unknown): boolean {
    if (error instanceof CliError) return error.code === 'NOT_RUNNING';
    if (!(error instanceof ExchangeError)) return false;
    if (!error.mayHaveArrived || message.method !== 'tools/call') return true;
    const { name, arguments: args } = message.params ?? {};
    return (
      (typeof name === 'string' && this.#readOnlyTools.has(name)) ||
      (typeof args === 'object' && args !== null && 'idempotencyKey' in args)
    );
  }

  /** Learns from an answer what later messages need. Returns whether it is the answer to the request itself. */
  #observe(message: Incoming, text: string): boolean {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return false;
    }
    const answer = Outgoing.safeParse(value);
    if (!answer.success || answer.data.method !== undefined || answer.data.id !== message.id) return false;
    const { result } = answer.data;
    if (message.method === 'initialize' && result?.protocolVersion !== undefined) this.#legacyVersion = result.protocolVersion;
    if (message.method === 'tools/list')
      for (const tool of result?.tools ?? []) if (tool.annotations?.readOnlyHint === true) this.#readOnlyTools.add(tool.name);
    return true;
  }

  /** The answer in a plain body: JSON-RPC as it is, anything else as an error. */
  #answerOf(message: Incoming, id: Id, status: number, body: string): unknown {
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch {
      value = undefined;
    }
    const answer = Outgoing.safeParse(value);
    if (answer.success && answer.data.method === undefined) {
      this.#observe(message, body);
      // What was refused before it was read carries no id; here it is known whose answer it is.
      return { ...answer.data, id };
    }
    return failure(message, id, ErrorBody.safeParse(value).data?.message ?? `Quarterdeck answered with HTTP ${status}.`);
  }

  #withHeaders(target: McpTarget, message: Incoming): McpTarget {
    const version = versionOf(message);
    if (version === undefined) {
      return this.#legacyVersion === undefined || message.method === 'initialize'
        ? target
        : { ...target, headers: { ...target.headers, 'mcp-protocol-version': this.#legacyVersion } };
    }
    const field = NAME_FIELDS[message.method ?? ''];
    const name = field === undefined ? undefined : message.params?.[field];
    return {
      ...target,
      headers: {
        ...target.headers,
        'mcp-protocol-version': version,
        ...(message.method === undefined || message.id === undefined ? {} : { 'mcp-method': headerValue(message.method) }),
        ...(typeof name === 'string' && message.id !== undefined ? { 'mcp-name': headerValue(name) } : {}),
      },
    };
  }
}

function versionOf(message: Incoming): string | undefined {
  const meta = message.params?.['_meta'];
  if (typeof meta !== 'object' || meta === null || !(VERSION_KEY in meta)) return undefined;
  const version: unknown = meta[VERSION_KEY];
  return typeof version === 'string' ? version : undefined;
}

/** A header's value; what a header cannot carry goes as base64 (2026-07-28, "=?base64?…?="). */
function headerValue(text: string): string {
  const isPlain = /^[\t\u0020-\u007e]+$/.test(text) && text === text.trim() && !text.startsWith('=?base64?');
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

function explained(error: unknown): Error {
  if (error instanceof ExchangeError && error.mayHaveArrived) {
    return new Error(
      `The connection to Quarterdeck was lost during this call (${error.message}): it may or may not have been done. Look before you repeat it.`,
    );
  }
  if (error instanceof ExchangeError)
    return new Error(`Quarterdeck does not answer (${error.message}). Start it with \`quarterdeck serve\` and try again.`);
  return error instanceof Error ? error : new Error(String(error));
}

/** A failure in the form that suits the request: a tool's error for the model to read, or JSON-RPC's own. */
function failure(message: Incoming, id: Id, text: string): unknown {
  if (message.method !== 'tools/call') return { jsonrpc: '2.0', id, error: { code: SERVER_ERROR, message: text } };
  const era = versionOf(message) === undefined ? {} : { resultType: 'complete' };
  // As the core's own tool errors: some clients show the structured content only.
  const error = { code: 'UNAVAILABLE', message: text };
  return {
    jsonrpc: '2.0',
    id,
    result: { ...era, content: [{ type: 'text', text: `${error.code}: ${text}` }], structuredContent: { error }, isError: true },
  };
}
