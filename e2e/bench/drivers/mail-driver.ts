/**
 * The load of P1, P2 and P4: agents that send to each other as fast as the core answers, wait for mail and acknowledge it.
 * A closed loop: an agent has at most `window` messages under way that are not acknowledged.
 * Reads `{url, transport, agents, seconds, window}` on stdin; prints how many were acknowledged a second.
 */
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { McpHttp } from './mcp-http.ts';
import { McpSocket } from './mcp-socket.ts';

const Input = z.object({
  url: z.string(),
  transport: z.enum(['ws', 'http']),
  agents: z.array(z.object({ id: z.string(), token: z.string() })),
  seconds: z.number(),
  window: z.number(),
});
const Mail = z.object({ messages: z.array(z.object({ id: z.string(), body: z.string() })) });
/** Bodies of about 500 bytes. */
const PADDING = 'x'.repeat(480);
/** Marks this run's messages, and who sent them. */
const MARK = `run ${process.pid} `;
/** Acknowledged with one call. */
const ACKNOWLEDGED_AT_ONCE = 500;
/** What was received waits at most this long for more to be acknowledged with it, in milliseconds. */
const ACK_AFTER_MS = 20;
const WARM_UP_MS = 2_000;

/** What both transports can do. */
interface ToolClient {
  call(name: string, input: Record<string, unknown>): Promise<unknown>;
  close(): void;
}

const input = Input.parse(JSON.parse(await text(process.stdin)));
const clients: ToolClient[] = await Promise.all(
  input.agents.map(({ token }) =>
    input.transport === 'ws' ? McpSocket.open(input.url, token) : Promise.resolve(new McpHttp(input.url, token)),
  ),
);
let isOver = false;
let acknowledged = 0;
/** Messages of each agent that are under way, and who of its senders waits until there are fewer. */
const underWay = input.agents.map(() => 0);
const waiting: (() => void)[][] = input.agents.map(() => []);

function wake(from: number): void {
  for (const resume of waiting[from]?.splice(0) ?? []) resume();
}

async function send(client: ToolClient, from: number): Promise<void> {
  for (let n = 0; !isOver; n += 1) {
    if ((underWay[from] ?? 0) >= input.window) {
      await new Promise<void>((resolve) => waiting[from]?.push(resolve));
      continue;
    }
    const to = input.agents[(from * 7 + n + 1) % input.agents.length];
    if (to === undefined) return;
    underWay[from] = (underWay[from] ?? 0) + 1;
    await client.call('send_message', { to: to.id, body: `${MARK}${String(from).padStart(6)}${PADDING}` });
  }
}

async function acknowledge(client: ToolClient, messages: readonly { id: string; body: string }[]): Promise<void> {
  await client.call('mark_messages_read', { messageIds: messages.map(({ id }) => id) });
  for (const { body } of messages) {
    if (!body.startsWith(MARK)) continue;
    acknowledged += 1;
    const from = Number(body.slice(MARK.length, MARK.length + 6));
    underWay[from] = (underWay[from] ?? 0) - 1;
    wake(from);
  }
}

async function receive(client: ToolClient): Promise<void> {
  let received: { id: string; body: string }[] = [];
  let acknowledging: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const batch = received.splice(0, ACKNOWLEDGED_AT_ONCE);
    if (batch.length > 0) acknowledging = acknowledging.then(() => acknowledge(client, batch));
  };
  while (!isOver) {
    const { messages } = Mail.parse(await client.call('wait_for_messages', { timeoutMs: 1_000, limit: 200 }));
    received = [...received, ...messages];
    if (received.length >= ACKNOWLEDGED_AT_ONCE) flush();
    else timer ??= setTimeout(flush, ACK_AFTER_MS);
  }
  flush();
  await acknowledging;
}

const working = clients.flatMap((client, index) => [receive(client), send(client, index), send(client, index)]);
const failure = Promise.all(working).then(() => undefined);
failure.catch(() => undefined);
const pause = (ms: number): Promise<unknown> => Promise.race([new Promise((resolve) => setTimeout(resolve, ms)), failure]);
await pause(WARM_UP_MS);
const before = acknowledged;
const startedAt = performance.now();
await pause(input.seconds * 1_000);
const perSecond = ((acknowledged - before) / (performance.now() - startedAt)) * 1_000;
isOver = true;
for (const from of waiting.keys()) wake(from);
await failure;
for (const client of clients) client.close();
process.stdout.write(JSON.stringify({ perSecond }));
