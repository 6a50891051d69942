/**
 * A fleet at work, as the journal sees it: agents say what they do and write to each other through the agent interface, and the
 * operator pauses and resumes some. Reads `{url, apiUrl, operatorToken, agents, changesPerS, seconds}` on stdin, prints how many
 * changes it made and how many calls failed.
 */
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import { McpSocket } from './mcp-socket.ts';

const Input = z.object({
  url: z.string(),
  apiUrl: z.string(),
  operatorToken: z.string(),
  agents: z.array(z.object({ id: z.string(), token: z.string() })),
  changesPerS: z.number(),
  seconds: z.number(),
});
const Mail = z.object({ messages: z.array(z.object({ id: z.string() })) });
/** Of ten changes two are messages, the last a pause or its end, the others reports. */
const OUT_OF = 10;
const MESSAGES = 2;

const input = Input.parse(JSON.parse(await text(process.stdin)));
const sockets: McpSocket[] = [];
// Some at a time: a fleet does not connect in one instant.
for (let from = 0; from < input.agents.length; from += 50)
  sockets.push(
    ...(await Promise.all(input.agents.slice(from, from + 50).map((agent) => McpSocket.open(input.url, agent.token)))),
  );

let changes = 0;
let failures = 0;
const paused: string[] = [];

async function report(turn: number): Promise<void> {
  const socket = sockets[(turn * 37) % sockets.length];
  await socket?.call('report_status', { doing: `step ${turn} of ${turn + 40}: compiling`, progress: (turn % 100) / 100 });
}

async function message(turn: number): Promise<void> {
  const from = sockets[(turn * 37) % sockets.length];
  const index = (turn * 53 + 1) % sockets.length;
  const reader = sockets[index];
  const to = input.agents[index];
  if (!from || !reader || !to) return;
  await from.call('send_message', { to: to.id, body: `Please look at step ${turn}.` });
  const { messages } = Mail.parse(await reader.call('get_messages', {}));
  if (messages.length > 0) await reader.call('mark_messages_read', { messageIds: messages.map(({ id }) => id) });
}

async function setPaused(id: string, isPaused: boolean): Promise<void> {
  const response = await fetch(`${input.apiUrl}/v1/agents/${id}/${isPaused ? 'pause' : 'resume'}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${input.operatorToken}`, 'content-type': 'application/json' },
    body: '{}',
  });
  if (!response.ok) throw new Error(await response.text());
}

/** At most four are paused at a time. */
async function pauseOrResume(turn: number): Promise<void> {
  const resumed = paused.length > 3 ? paused.shift() : undefined;
  if (resumed !== undefined) return setPaused(resumed, false);
  const id = input.agents[(turn * 53) % input.agents.length]?.id ?? '';
  await setPaused(id, true);
  paused.push(id);
}

function change(turn: number): Promise<void> {
  const place = turn % OUT_OF;
  return place < MESSAGES ? message(turn) : place === OUT_OF - 1 ? pauseOrResume(turn) : report(turn);
}

const startedAt = performance.now();
const endAt = startedAt + input.seconds * 1_000;
const work: Promise<void>[] = [];
while (performance.now() < endAt) {
  const due = Math.floor(((performance.now() - startedAt) * input.changesPerS) / 1_000);
  for (; changes < due; changes += 1) {
    const turn = changes;
    work.push(
      change(turn).catch((error: unknown) => {
        failures += 1;
        process.stderr.write(`${String(error)}\n`);
      }),
    );
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await Promise.all(work);
const seconds = (performance.now() - startedAt) / 1_000;
for (const id of paused) await setPaused(id, false);
for (const socket of sockets) socket.close();
process.stdout.write(JSON.stringify({ changes, failures, seconds }));
