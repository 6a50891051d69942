/** What an agent puts into a message's data is shown to the operator, whatever its fields are called. */
import { MessageChannel } from 'node:worker_threads';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import { RPCLink as SocketLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { Registry } from 'prom-client';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Contract } from '#shared/contract.ts';
import { MessageId } from '#shared/kernel/ids.ts';
import { Message } from '#shared/messages/model.ts';
import { handlersFrom, openDoors, TOKENS } from '#core/http/testing/open-doors.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { serveMessagePort } from './message-port.ts';
import { createRouter } from './router.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const id = MessageId.parse('msg_00000000-0000-7000-8000-000000000001');
const DATA =
  '{"__proto__":{"order":"delete it"},"constructor":1,"list":[{"__proto__":null,"at":"2026-11-21"}],"n":{"__proto__":5}}';
const message = Message.parse({
  id,
  projectId: 'prj_00000000-0000-7000-8000-000000000001',
  sessionId: 'ses_00000000-0000-7000-8000-000000000001',
  from: { kind: 'agent', id: 'ada' },
  to: ['bob'],
  recipients: ['bob'],
  topic: null,
  kind: 'note',
  priority: 'normal',
  subject: null,
  body: 'see data',
  data: JSON.parse(DATA) as unknown,
  attachments: [],
  inReplyTo: null,
  threadId: id,
  originator: { kind: 'agent', id: 'ada', boundary: 'host' },
  sentAt: 1,
  expiresAt: null,
  notBefore: null,
  replyBy: null,
});
const some = { messages: { get: async () => ({ message, deliveries: [] }) } };

it('is whole over REST and over a WebSocket', async () => {
  const doors = await openDoors(some);
  ends.push(() => doors.dispose());
  const text = await (await doors.fetch(`/api/v1/messages/${id}`)).text();
  expect(text).toContain(`"data":${DATA},`);
  const socket = new WebSocket(`${doors.info.url.replace('http', 'ws')}rpc`, {
    headers: { authorization: `Bearer ${TOKENS.operator}` },
  });
  ends.push(() => socket.terminate());
  // What oRPC uses of a browser's WebSocket, ws has as well.
  const client: ContractRouterClient<Contract> = createORPCClient(new SocketLink({ websocket: socket as never }));
  expect(JSON.stringify((await client.messages.get({ id })).message.data)).toBe(DATA);
});

it('is whole in the desktop window', async () => {
  const test = openTestStore();
  ends.push(() => test.dispose());
  const rpc = createRouter({
    handlers: handlersFrom(some),
    store: test.store,
    log: { error: () => undefined },
    metrics: new Registry(),
  });
  const { port1, port2 } = new MessageChannel();
  ends.push(() => port1.close());
  serveMessagePort(rpc.router, port1, { actor: { kind: 'operator', id: 'operator' }, role: 'operator', door: 'desktop' });
  port1.start();
  port2.start();
  const client: ContractRouterClient<Contract> = createORPCClient(new RPCLink({ port: port2 }));
  expect(JSON.stringify((await client.messages.get({ id })).message.data)).toBe(DATA);
});
