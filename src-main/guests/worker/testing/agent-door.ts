/**
 * A test double of the core's door for agents: the agent interface as MCP over Streamable HTTP with an inbox in memory, and
 * faults on demand. It stands for the core where a test needs the door to misbehave; the real one has its own tests.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { toNodeHandler } from '@modelcontextprotocol/node';
import * as z from 'zod';
import { uuidv7 } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';
import { PRIORITIES } from '#shared/messages/model.ts';
import type { Priority } from '#shared/messages/model.ts';

/** A message as the double keeps it. */
export interface DoorMessage {
  readonly id: string;
  readonly from: { readonly kind: string; readonly id: string };
  readonly to: string[];
  readonly kind: string;
  readonly priority: Priority;
  readonly subject: string | null;
  readonly body: string;
  readonly data: Json;
  readonly inReplyTo: string | null;
}

/** One copy in an inbox. */
interface Delivery {
  readonly message: DoorMessage;
  state: 'queued' | 'delivered' | 'read';
}

/** A call of a tool that got through to the door. */
export interface DoorCall {
  readonly agentId: string;
  readonly tool: string;
  readonly args: unknown;
}

/** How an answer is lost: the connection breaks before its headers, or in its middle. */
export type Loss = 'before-headers' | 'mid-body';

const SendInput = z.strictObject({
  to: z.union([z.string(), z.array(z.string()).min(1)]),
  body: z.string().min(1).max(65_536),
  kind: z.enum(['note', 'task', 'request', 'reply', 'event']).default('note'),
  priority: z.enum(PRIORITIES).default('normal'),
  subject: z.string().max(200).optional(),
  data: Json.optional(),
  inReplyTo: z.string().optional(),
  idempotencyKey: z.string().min(1).max(200).optional(),
});

/** The double. Tokens are "token-<agent id>". */
export class AgentDoor {
  /** Everything that was sent, once each. */
  readonly messages: DoorMessage[] = [];
  readonly calls: DoorCall[] = [];
  /** Pages are cut here, as the core cuts them when messages are large. */
  maxPageMessages = 200;
  readonly #inboxes = new Map<string, Delivery[]>();
  readonly #sentByKey = new Map<string, DoorMessage>();
  readonly #waiting = new Set<() => void>();
  readonly #refusals: { tool: string; code: string }[] = [];
  readonly #losses: { tool: string; how: Loss }[] = [];
  readonly #handlers = new Map<string, ReturnType<typeof toNodeHandler>>();
  readonly #revoked = new Set<string>();
  #server: Server | undefined;
  #port = 0;

  /** Opens the door; on the same port again after `close`. */
  async open(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Closes it: connections break, new ones are refused. What is in the inboxes stays. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/mcp`;
  }

  /** The next calls of a tool are carried out, and their answers are lost. */
  loseAnswers(tool: string, how: Loss, times = 1): void {
    for (let count = 0; count < times; count += 1) this.#losses.push({ tool, how });
  }

  /** The next call of a tool is refused with an error of this code, as by a core that is ending. */
  refuse(tool: string, code: string): void {
    this.#refusals.push({ tool, code });
  }

  /** Hands out everything unread again, as after an expired lease. */
  redeliver(agentId: string): void {
    for (const delivery of this.#inbox(agentId)) if (delivery.state === 'delivered') delivery.state = 'queued';
    this.#wake();
  }

  /** Hands everything that is queued to a connection that is already dead: nobody gets it. */
  handOutToNobody(agentId: string): void {
    for (const delivery of this.#inbox(agentId)) if (delivery.state === 'queued') delivery.state = 'delivered';
  }

  /** From now on the agent's token is not accepted. */
  revoke(agentId: string): void {
    this.#revoked.add(agentId);
    this.#wake();
  }

  /** Sends as the operator. */
  sendAsOperator(
    to: string,
    message: { kind?: string; body?: string; subject?: string; data?: Json; priority?: Priority },
  ): DoorMessage {
    return this.#store(
      { kind: 'operator', id: 'operator' },
      {
        to: [to],
        kind: message.kind ?? 'task',
        body: message.body ?? 'Please do this',
        subject: message.subject ?? null,
        data: message.data ?? null,
        priority: message.priority ?? 'normal',
        inReplyTo: null,
      },
    );
  }

  /** Sends as an agent that is not there. */
  sendAsAgent(from: string, to: string, message: { kind: string; body?: string; data?: Json; inReplyTo?: string }): DoorMessage {
    return this.#store(
      { kind: 'agent', id: from },
      {
        to: [to],
        kind: message.kind,
        body: message.body ?? 'A message',
        subject: null,
        data: message.data ?? null,
        priority: 'normal',
        inReplyTo: message.inReplyTo ?? null,
      },
    );
  }

  /** What an agent or the operator has not acknowledged. */
  unread(recipient: string): DoorMessage[] {
    return this.#inbox(recipient).flatMap((delivery) => (delivery.state === 'read' ? [] : [delivery.message]));
  }

  /** Replies to a message. */
  repliesTo(id: string): DoorMessage[] {
    return this.messages.filter((message) => message.kind === 'reply' && message.inReplyTo === id);
  }

  #inbox(recipient: string): Delivery[] {
    const inbox = this.#inboxes.get(recipient) ?? [];
    this.#inboxes.set(recipient, inbox);
    return inbox;
  }

  #store(from: DoorMessage['from'], content: Omit<DoorMessage, 'id' | 'from'>): DoorMessage {
    const message: DoorMessage = { id: `msg_${uuidv7()}`, from, ...content };
    this.messages.push(message);
    for (const recipient of message.to) this.#inbox(recipient).push({ message, state: 'queued' });
    this.#wake();
    return message;
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const agentId = /^Bearer token-(.+)$/.exec(request.headers.authorization ?? '')?.[1];
      if (agentId === undefined || this.#revoked.has(agentId)) {
        response.writeHead(401).end();
        return;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body: unknown = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
      const tool = toolIn(body);
      const loss = this.#losses.findIndex((planned) => planned.tool === tool);
      if (loss !== -1) breakAnswer(response, this.#losses.splice(loss, 1)[0]?.how ?? 'before-headers');
      const handler = this.#handlers.get(agentId) ?? toNodeHandler(createMcpHandler(() => this.#mcpServer(agentId)));
      this.#handlers.set(agentId, handler);
      await handler(request, response, body);
    } catch {
      response.destroy();
    }
  }

  #mcpServer(agentId: string): McpServer {
    const server = new McpServer({ name: 'agent-door', version: '1' });
    const tool = <S extends z.ZodObject>(
      name: string,
      inputSchema: S,
      answer: (args: z.infer<S>, signal: AbortSignal) => Promise<object> | object,
    ): void => {
      server.registerTool(name, { description: name, inputSchema: z.looseObject({}) }, async (args: unknown, context) => {
        this.calls.push({ agentId, tool: name, args });
        // Parsed here, strictly, so that a call that the real door would refuse fails in the test as well.
        try {
          const refusal = this.#refusals.findIndex((planned) => planned.tool === name);
          if (refusal !== -1) throw new Refusal(this.#refusals.splice(refusal, 1)[0]?.code ?? 'INTERNAL');
          const result = await answer(inputSchema.parse(args), context.mcpReq.signal);
          return { content: [{ type: 'text', text: JSON.stringify(result) }], structuredContent: { ...result } };
        } catch (error) {
          const failure = {
            code: error instanceof Refusal ? error.code : 'NOT_FOUND',
            message: error instanceof Error ? error.message : String(error),
          };
          return { isError: true, content: [{ type: 'text', text: failure.message }], structuredContent: { error: failure } };
        }
      });
    };
    tool('send_message', SendInput, (args) => this.#send(agentId, args));
    tool(
      'get_messages',
      z.strictObject({
        unreadOnly: z.boolean().default(true),
        limit: z.number().max(200).default(50),
        after: z.string().optional(),
      }),
      (args) => this.#page(agentId, args.limit, (delivery) => !args.unreadOnly || delivery.state !== 'read', args.after),
    );
    tool(
      'wait_for_messages',
      z.strictObject({ timeoutMs: z.number().max(55_000).default(25_000), limit: z.number().max(200).default(50) }),
      (args, signal) => this.#wait(agentId, args.timeoutMs, args.limit, signal),
    );
    tool('mark_messages_read', z.strictObject({ messageIds: z.array(z.string()).min(1) }), (args) =>
      this.#markRead(agentId, args.messageIds),
    );
    tool(
      'report_status',
      z.strictObject({ doing: z.string().max(200).optional(), progress: z.number().min(0).max(1).optional() }),
      () => ({ state: 'working' }),
    );
    return server;
  }

  #send(agentId: string, args: z.infer<typeof SendInput>): object {
    const key = args.idempotencyKey === undefined ? undefined : `${agentId} ${args.idempotencyKey}`;
    const earlier = key === undefined ? undefined : this.#sentByKey.get(key);
    const recipients = typeof args.to === 'string' ? [args.to] : args.to;
    if (recipients.some((recipient) => recipient.startsWith('unknown')))
      throw new Error(`There is no agent "${recipients.join(', ')}"`);
    const message =
      earlier ??
      this.#store(
        { kind: 'agent', id: agentId },
        {
          to: recipients,
          kind: args.kind,
          body: args.body,
          subject: args.subject ?? null,
          data: args.data ?? null,
          priority: args.priority,
          inReplyTo: args.inReplyTo ?? null,
        },
      );
    if (key !== undefined) this.#sentByKey.set(key, message);
    return { messageId: message.id, threadId: message.id, recipients, isDuplicate: earlier !== undefined };
  }

  #page(
    agentId: string,
    limit: number,
    isWanted: (delivery: Delivery) => boolean,
    after?: string,
  ): { messages: object[]; unread: number } {
    const inbox = this.#inbox(agentId);
    const ordered = inbox.toSorted((a, b) => PRIORITIES.indexOf(a.message.priority) - PRIORITIES.indexOf(b.message.priority));
    const start = after === undefined ? 0 : ordered.findIndex((delivery) => delivery.message.id === after) + 1;
    const page = ordered.slice(start).filter(isWanted).slice(0, Math.min(limit, this.maxPageMessages));
    for (const delivery of page) if (delivery.state === 'queued') delivery.state = 'delivered';
    return {
      messages: page.map((delivery) => ({ ...delivery.message, state: delivery.state })),
      unread: inbox.filter((delivery) => delivery.state !== 'read').length,
    };
  }

  async #wait(agentId: string, timeoutMs: number, limit: number, signal: AbortSignal): Promise<object> {
    const deadline = Date.now() + timeoutMs;
    while (
      Date.now() < deadline &&
      !signal.aborted &&
      !this.#revoked.has(agentId) &&
      !this.#inbox(agentId).some((delivery) => delivery.state === 'queued')
    ) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, deadline - Date.now());
        const waiting = this.#waiting;
        function done(): void {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
        signal.addEventListener('abort', done, { once: true });
      });
    }
    // Nothing is handed out to a connection that is gone.
    if (signal.aborted) return { messages: [], unread: 0 };
    return this.#page(agentId, limit, (delivery) => delivery.state === 'queued');
  }

  #markRead(agentId: string, ids: readonly string[]): object {
    const inbox = this.#inbox(agentId);
    const found = ids.map((id) => inbox.find((delivery) => delivery.message.id === id));
    if (found.includes(undefined)) throw new Error('A message is not in your inbox');
    let marked = 0;
    for (const delivery of found) {
      if (delivery === undefined || delivery.state === 'read') continue;
      delivery.state = 'read';
      marked += 1;
    }
    return { marked };
  }
}

/** A planned refusal. */
class Refusal extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`Refused with ${code}`);
    this.code = code;
  }
}

const ToolCall = z.object({ method: z.literal('tools/call'), params: z.object({ name: z.string() }) });

function toolIn(body: unknown): string | undefined {
  return ToolCall.safeParse(body).data?.params.name;
}

/** Makes a response break: nothing of it arrives, or only its beginning. */
function breakAnswer(response: ServerResponse, how: Loss): void {
  const { socket } = response;
  const broken = (): boolean => {
    if (how === 'mid-body') {
      response.flushHeaders();
      // The headers must be out before the connection breaks.
      setImmediate(() => socket?.destroy());
    } else socket?.destroy();
    return true;
  };
  response.write = broken;
  response.end = () => {
    broken();
    return response;
  };
}
