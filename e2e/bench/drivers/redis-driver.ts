/**
 * The load of P1 on Redis streams: `clients` pairs of a producer and a consumer. A producer adds an entry and waits until
 * its consumer has read and acknowledged it before it adds the next one: one message under way for each pair.
 * Reads `{socketPath, clients, seconds}` on stdin; prints how many were acknowledged within the time.
 */
import { text } from 'node:stream/consumers';
import { createClient } from '@redis/client';
import * as z from 'zod';

const Input = z.object({ socketPath: z.string(), clients: z.number(), seconds: z.number() });
const GROUP = 'consumers';
const BODY = 'x'.repeat(500);
/** Not counted: compiled code and warm caches are what lasts. In milliseconds. */
const WARM_UP_MS = 1_000;

const input = Input.parse(JSON.parse(await text(process.stdin)));
const connect = async () => {
  const client = createClient({ socket: { path: input.socketPath, tls: false } });
  client.on('error', (error) => {
    throw error;
  });
  await client.connect();
  return client;
};
/** Producers and acknowledgements share a connection, which the client pipelines; a consumer that blocks needs its own. */
const shared = await connect();
let isOver = false;
let acknowledged = 0;

async function pair(index: number): Promise<void> {
  const key = `stream-${process.pid}-${index}`;
  await shared.xGroupCreate(key, GROUP, '$', { MKSTREAM: true });
  const consumer = await connect();
  while (!isOver) {
    const [, read] = await Promise.all([
      shared.xAdd(key, '*', { body: BODY }),
      consumer.xReadGroup(GROUP, 'one', { key, id: '>' }, { COUNT: 1, BLOCK: 5_000 }),
    ]);
    const id = Read.parse(read)[0].messages[0].id;
    await shared.xAck(key, GROUP, id);
    acknowledged += 1;
  }
  consumer.destroy();
}

const Read = z.tuple([z.object({ messages: z.tuple([z.object({ id: z.string() })]) })]);
const pairs = Array.from({ length: input.clients }, (_, index) => pair(index));
await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
const before = acknowledged;
const startedAt = performance.now();
await new Promise((resolve) => setTimeout(resolve, input.seconds * 1_000));
const perSecond = ((acknowledged - before) / (performance.now() - startedAt)) * 1_000;
isOver = true;
await Promise.all(pairs);
shared.destroy();
process.stdout.write(JSON.stringify({ perSecond }));
