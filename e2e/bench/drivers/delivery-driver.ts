/**
 * The load of P3: agents that send to each other at a fixed rate (an open loop: a slow core is not spared) and wait for mail.
 * Reads `{url, agents, ratePerS, seconds}` on stdin, prints the times from send to receipt in milliseconds.
 */
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { McpSocket } from './mcp-socket.ts';

const Input = z.object({
  url: z.string(),
  agents: z.array(z.object({ id: z.string(), token: z.string() })),
  ratePerS: z.number(),
  seconds: z.number(),
});
const Mail = z.object({ messages: z.array(z.object({ id: z.string(), body: z.string() })) });
/** Bodies of about 500 bytes. */
const PADDING = 'x'.repeat(450);
/** Marks this run's messages: those of a run before it may still be in an inbox. */
const MARK = `run ${process.pid} `;
/** What is received is acknowledged this often, in milliseconds. */
const ACK_EVERY_MS = 250;

const input = Input.parse(JSON.parse(await text(process.stdin)));
const sockets = await Promise.all(input.agents.map((agent) => McpSocket.open(input.url, agent.token)));
const latencies: number[] = [];
let isOver = false;
let warmUntil = Number.POSITIVE_INFINITY;
let sent = 0;
let failures = 0;

async function receive(socket: McpSocket): Promise<void> {
  let unacknowledged: string[] = [];
  const acknowledge = async (): Promise<void> => {
    if (unacknowledged.length === 0) return;
    const messageIds = unacknowledged;
    unacknowledged = [];
    await socket.call('mark_messages_read', { messageIds });
  };
  const timer = setInterval(() => {
    acknowledge().catch(() => (failures += 1));
  }, ACK_EVERY_MS);
  while (!isOver) {
    const { messages } = Mail.parse(await socket.call('wait_for_messages', { timeoutMs: 1_000, limit: 200 }));
    const now = performance.now();
    for (const message of messages) {
      const sentAt = message.body.startsWith(MARK) ? Number(message.body.slice(MARK.length, MARK.length + 20)) : Number.NaN;
      if (sentAt >= warmUntil) latencies.push(now - sentAt);
      unacknowledged.push(message.id);
    }
  }
  clearInterval(timer);
  await acknowledge();
}

const receivers = sockets.map(receive);
// A warm-up of two seconds is not counted: compiled code and warm caches are what lasts.
const startedAt = performance.now();
warmUntil = startedAt + 2_000;
const endAt = warmUntil + input.seconds * 1_000;
while (performance.now() < endAt) {
  const due = Math.floor(((performance.now() - startedAt) * input.ratePerS) / 1_000);
  for (; sent < due; sent += 1) {
    const from = sockets[sent % sockets.length];
    const to = input.agents[(sent * 7 + 1) % input.agents.length];
    if (!from || !to) continue;
    from
      .call('send_message', { to: to.id, body: `${MARK}${performance.now().toFixed(6).padStart(20)}${PADDING}` })
      .catch(() => (failures += 1));
  }
  // A millisecond, not a spin: the driver must not take the processor from the core that it measures.
  await new Promise((resolve) => setTimeout(resolve, 1));
}
await new Promise((resolve) => setTimeout(resolve, 500));
isOver = true;
await Promise.allSettled(receivers);
for (const socket of sockets) socket.close();
process.stdout.write(JSON.stringify({ sent, failures, latencies }));
