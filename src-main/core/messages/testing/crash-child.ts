/**
 * For the crash test: agents that send and acknowledge on a real store until this process is killed. It opens nothing before
 * it is told to on standard input, by a line of JSON (crash-children.ts), so that the next one is started while one works.
 * Each line on standard output is written only when what it says is true, and before anything else is done, so that what
 * arrives at the other end is exactly what was true at the kill:
 *   warm | ready | sent <id> | taken <id> <agent> | acknowledging <id> <agent> | acknowledged <id> <agent>
 */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { AgentId, MessageId } from '#shared/kernel/ids.ts';
import type { InboxMessage } from '#shared/messages/model.ts';
import { PRIORITIES } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import { CRASH_AGENTS, CrashOrder } from './crash-agents.ts';
import { openMessages } from './open-messages.ts';

const FOREVER = new AbortController().signal;

function say(line: string): void {
  // Not process.stdout: it would queue in this process what a full pipe does not take, and go on.
  writeSync(1, `${line}\n`);
}

async function order(): Promise<CrashOrder> {
  for await (const chunk of process.stdin) return CrashOrder.parse(JSON.parse(String(chunk)));
  // The test ended: there is nothing left to be told.
  return process.exit(0);
}

// A process that is killed writes nothing at its end.
flushCompileCache();
say('warm');
const told = await order();
const t = await openMessages({ dir: told.dir });
const callers = CRASH_AGENTS.map((id) => t.addAgent(id));
let number = told.after;

function pick<T>(items: readonly [T, ...T[]]): T {
  return items[Math.floor(Math.random() * items.length)] ?? items[0];
}

async function sendOne(caller: Caller): Promise<void> {
  number += 1;
  const isBroadcast = Math.random() < 0.01;
  const { messageId } = await t.service.send(
    {
      to: isBroadcast ? '*' : AgentId.parse(CRASH_AGENTS[Math.floor(Math.random() * CRASH_AGENTS.length)]),
      body: 'x'.repeat(300),
      kind: 'task',
      priority: pick(PRIORITIES),
      data: { number },
    },
    caller,
  );
  say(`sent ${messageId}`);
}

async function send(caller: Caller): Promise<never> {
  // Alone and several in one transaction.
  for (;;) await Promise.all(Array.from({ length: pick([1, 1, 4]) }, () => sendOne(caller)));
}

async function deal(caller: Caller, messages: readonly InboxMessage[]): Promise<void> {
  for (const message of messages) say(`taken ${message.id} ${caller.actor.id}`);
  // Some are left for the next run.
  const messageIds = messages.filter(() => Math.random() < 0.8).map((message) => MessageId.parse(message.id));
  if (messageIds.length === 0) return;
  for (const id of messageIds) say(`acknowledging ${id} ${caller.actor.id}`);
  await t.service.markRead({ messageIds }, caller);
  for (const id of messageIds) say(`acknowledged ${id} ${caller.actor.id}`);
}

async function receive(caller: Caller): Promise<never> {
  const { messages } = await t.service.inbox({ unreadOnly: true, limit: 200 }, caller);
  await deal(caller, messages);
  for (;;) {
    // Some leases end before the next runs, some do not.
    const leaseMs = pick([1_000, 60_000]);
    await deal(caller, (await t.service.wait({ timeoutMs: 1_000, limit: 10, leaseMs }, caller, FOREVER)).messages);
  }
}

say('ready');
await Promise.all(callers.flatMap((caller) => [send(caller), receive(caller)]));
