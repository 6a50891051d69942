/**
 * The agent interface as a worker uses it: MCP over Streamable HTTP with the SDK's 1.x client.
 * Invariant: a call either has its answer, or fails with a `CallError` that says whether it may be repeated. Every call that
 * changes something carries an idempotency key or is idempotent, so repeating one whose answer was lost is safe.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import { backoffMs, RECONNECT } from '#shared/kernel/backoff.ts';
import type { Json } from '#shared/kernel/json.ts';
import { InboxPage, SentMessage } from './inbox-message.ts';
import type { InboxMessage } from './inbox-message.ts';
import { pause } from './pause.ts';

/** Why a call failed. away: no answer, try again. refused: the answer is no. revoked: the token is not accepted any more. */
export type CallErrorKind = 'away' | 'refused' | 'revoked';

/** A call to the core that failed. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly kind: CallErrorKind;
  /** Tries after which "away" becomes "refused": for answers that may be a defect rather than an absence. */
  readonly maxTries: number;
  /** Whether the next try needs a connection of its own. */
  readonly isSessionLost: boolean;

  constructor(
    kind: CallErrorKind,
    message: string,
    options: { maxTries?: number; isSessionLost?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.maxTries = options.maxTries ?? Number.POSITIVE_INFINITY;
    this.isSessionLost = options.isSessionLost ?? false;
  }
}

/** What to send. */
export interface OutgoingMessage {
  readonly to: string;
  readonly kind: 'note' | 'request' | 'reply';
  readonly body: string;
  readonly idempotencyKey: string;
  readonly subject?: string;
  readonly data?: Json;
  readonly inReplyTo?: string;
  readonly priority?: string;
  /** Nobody needs to read it any more after so many milliseconds. */
  readonly ttlMs?: number;
}

/** Where the core is and who we are. */
export interface AgentInterfaceOptions {
  readonly url: string;
  readonly token: string;
  readonly agentId: string;
  /** Called when the core stops answering, with the reason, and when it answers again. */
  readonly onAway?: (reason: string) => void;
  readonly onBack?: () => void;
}

/** Time allowed for one call, in milliseconds; a long-poll gets its own wait on top. */
const CALL_TIMEOUT_MS = 20_000;
/** Tries for answers that may pass (an unknown session, an internal error) but may also be a defect. */
const DOUBTFUL_TRIES = 10;

/** The core's tools, called so that they succeed as soon as the core can answer. */
export class AgentInterface {
  readonly #options: AgentInterfaceOptions;
  #client: Promise<Client> | undefined;
  #isAway = false;
  #hasAnswered = false;

  constructor(options: AgentInterfaceOptions) {
    this.#options = options;
  }

  /** Whether the last call got through. */
  get isConnected(): boolean {
    return this.#hasAnswered && !this.#isAway;
  }

  /** Everything unread, handed out before or not. */
  async unreadMessages(signal: AbortSignal): Promise<InboxPage> {
    const messages: InboxMessage[] = [];
    let unread = 0;
    for await (const page of this.#pages(true, signal)) {
      messages.push(...page.messages);
      ({ unread } = page);
      if (messages.length >= unread) break;
    }
    return { messages, unread };
  }

  /** The reply to a request that was sent before, read or not; undefined when there is none yet. */
  async findReply(requestId: string, signal: AbortSignal): Promise<InboxMessage | undefined> {
    for await (const page of this.#pages(false, signal)) {
      const reply = page.messages.find((message) => message.kind === 'reply' && message.inReplyTo === requestId);
      if (reply !== undefined) return reply;
    }
    return undefined;
  }

  /** The inbox, page by page. A page may be short because its messages are large: only an empty one is the end. */
  async *#pages(unreadOnly: boolean, signal: AbortSignal): AsyncGenerator<InboxPage, void> {
    for (let after: string | undefined; ;) {
      const page = InboxPage.parse(
        await this.#untilAnswered('get_messages', { unreadOnly, limit: 200, ...(after === undefined ? {} : { after }) }, signal),
      );
      if (page.messages.length === 0 && after !== undefined) return;
      yield page;
      after = page.messages.at(-1)?.id;
      if (after === undefined) return;
    }
  }

  /** Messages that were not handed out before; waits for one. Tried once: after an error `unreadMessages` is what to call. */
  async waitForMessages(timeoutMs: number, signal: AbortSignal): Promise<InboxPage> {
    return InboxPage.parse(await this.#once('wait_for_messages', { timeoutMs, limit: 50 }, signal, timeoutMs + CALL_TIMEOUT_MS));
  }

  /** Sends a message, once, however often this is repeated with the same key. */
  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SentMessage> {
    return SentMessage.parse(await this.#untilAnswered('send_message', { ...message }, signal));
  }

  /** Acknowledges messages. */
  async markRead(messageIds: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#untilAnswered('mark_messages_read', { messageIds: [...messageIds] }, signal);
  }

  /** Keeps messages for longer. Tried once: it is said again soon. */
  async extendLease(messageIds: readonly string[], leaseMs: number, signal: AbortSignal): Promise<void> {
    await this.#once('extend_lease', { messageIds: [...messageIds], leaseMs }, signal, CALL_TIMEOUT_MS);
  }

  /** Says what the agent is at. Tried once: the next report replaces it anyway. */
  async reportStatus(status: { doing: string; progress?: number }, signal: AbortSignal): Promise<void> {
    await this.#once('report_status', { ...status }, signal, CALL_TIMEOUT_MS);
  }

  /** Ends the connection; calls under way fail. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.then((open) => open.close()).catch(() => undefined);
  }

  /** Repeats a call until the core answers. Rejects with a CallError that is not "away", or with the signal's reason. */
  async #untilAnswered(tool: string, args: Record<string, unknown>, signal: AbortSignal): Promise<unknown> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once(tool, args, signal, CALL_TIMEOUT_MS);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof CallError) || error.kind !== 'away') throw error;
        if (attempt + 1 >= error.maxTries) throw new CallError('refused', error.message, { cause: error });
        await pause(backoffMs(RECONNECT, attempt), signal);
      }
    }
  }

  async #once(tool: string, args: Record<string, unknown>, signal: AbortSignal, timeoutMs: number): Promise<unknown> {
    signal.throwIfAborted();
    try {
      this.#client ??= this.#connect();
      const client = await this.#client;
      const answer = ToolAnswer.parse(
        await client.callTool({ name: tool, arguments: args }, undefined, { timeout: timeoutMs, signal }),
      );
      this.#becameBack();
      if (answer.isError === true) throw toolError(tool, answer);
      return answer.structuredContent ?? parseText(answer);
    } catch (error) {
      signal.throwIfAborted();
      const failure = error instanceof CallError ? error : connectionError(tool, error);
      // A session that the core does not know any more is not used again.
      if (failure.isSessionLost) await this.close();
      if (failure.kind === 'away' && !(error instanceof CallError)) this.#wentAway(failure.message);
      throw failure;
    }
  }

  async #connect(): Promise<Client> {
    const client = new Client({ name: `quarterdeck-worker/${this.#options.agentId}`, version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL(this.#options.url), {
      requestInit: { headers: { authorization: `Bearer ${this.#options.token}` } },
      fetch: fetchWholeAnswer,
    });
    try {
      await client.connect(transport, { timeout: CALL_TIMEOUT_MS });
      return client;
    } catch (error) {
      this.#client = undefined;
      await client.close().catch(() => undefined);
      throw error;
    }
  }

  #wentAway(reason: string): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#options.onAway?.(reason);
  }

  #becameBack(): void {
    this.#hasAnswered = true;
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#options.onBack?.();
  }
}

/** What a tool answers, as far as it is used. */
const ToolAnswer = z.object({
  isError: z.boolean().optional(),
  structuredContent: z.unknown().optional(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).default([]),
});
type ToolAnswer = z.infer<typeof ToolAnswer>;

/** A tool's error, where it says more than a text. */
const ToolErrorBody = z.object({
  code: z.string().optional(),
  message: z.string().optional(),
  retryable: z.boolean().optional(),
});

function textOf(answer: ToolAnswer): string {
  return answer.content.flatMap((part) => part.text ?? []).join('\n');
}

function parseText(answer: ToolAnswer): unknown {
  try {
    return JSON.parse(textOf(answer));
  } catch {
    return undefined;
  }
}

function toolError(tool: string, answer: ToolAnswer): CallError {
  const body = answer.structuredContent ?? parseText(answer);
  const inner = typeof body === 'object' && body !== null && 'error' in body ? body.error : body;
  const details = ToolErrorBody.safeParse(inner).data ?? {};
  const message = details.message ?? (textOf(answer) || `${tool} was refused`);
  if (details.code === 'UNAUTHORIZED') return new CallError('revoked', message);
  if (
    details.retryable === true ||
    details.code === 'UNAVAILABLE' ||
    details.code === 'TIMEOUT' ||
    details.code === 'TOO_MANY_REQUESTS'
  )
    return new CallError('away', message);
  if (details.code === 'INTERNAL') return new CallError('away', message, { maxTries: DOUBTFUL_TRIES });
  return new CallError('refused', message);
}

function connectionError(tool: string, error: unknown): CallError {
  if (error instanceof StreamableHTTPError) {
    const status = error.code ?? 0;
    if (status === 401 || status === 403)
      return new CallError('revoked', `the core answered ${status} to ${tool}`, { cause: error });
    if (status === 413) return new CallError('refused', `${tool}: the message is too large for the core`, { cause: error });
    if (status === 400 || status === 404)
      return new CallError('away', `the core does not know this connection (${status})`, {
        maxTries: DOUBTFUL_TRIES,
        isSessionLost: true,
        cause: error,
      });
    return new CallError('away', `the core answered ${status}`, { cause: error });
  }
  if (error instanceof McpError) {
    if (error.code === ErrorCode.RequestTimeout) return new CallError('away', `no answer to ${tool} in time`, { cause: error });
    if (error.code === ErrorCode.ConnectionClosed) return new CallError('away', 'the connection was closed', { cause: error });
    if (error.code === ErrorCode.InternalError)
      return new CallError('away', error.message, { maxTries: DOUBTFUL_TRIES, cause: error });
    return new CallError('refused', error.message, { cause: error });
  }
  // An answer that is not what the interface promises: a defect on one side, not an absence.
  if (error instanceof z.ZodError)
    return new CallError('refused', `${tool} answered something unexpected: ${z.prettifyError(error)}`, { cause: error });
  return new CallError('away', networkReason(error), { cause: error });
}

function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  if (code === 'ECONNREFUSED') return 'nobody answers at its address';
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return 'the connection broke';
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Fetches an answer as a whole. The SDK's transport hands a stream on as soon as its headers are there, and a stream that
 * breaks afterwards leaves its call waiting until the call's timeout; read here, the break fails the call at once.
 * The stream that a client may open for the server's own messages is declined: everything a worker needs it asks for.
 */
async function fetchWholeAnswer(url: string | URL, init?: RequestInit): Promise<Response> {
  if (init?.method === 'GET') return new Response(null, { status: 405 });
  const response = await fetch(url, init);
  if (response.body === null) return response;
  const body = await response.arrayBuffer();
  const isStream = response.headers.get('content-type')?.includes('text/event-stream') ?? false;
  if (isStream && response.ok && !Buffer.from(body).includes('data:')) throw new Error('the connection ended before the answer');
  return new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers });
}
