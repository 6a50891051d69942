/** The contract over a WebSocket: who gets one, streams and how they are paced, and how it ends. */
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Contract } from '#shared/contract.ts';
import type { DeliveryChange } from '#core/messages/delivery-changes.ts';
import type { TestDoors } from './testing/open-doors.ts';
import { SESSION, TOKENS, bearer, openDoors, tokenId } from './testing/open-doors.ts';

const open: TestDoors[] = [];
afterEach(async () => {
  for (const doors of open.splice(0)) {
    expect(doors.bugs).toEqual([]);
    await doors.dispose();
  }
});

async function opened(...args: Parameters<typeof openDoors>): Promise<TestDoors> {
  const doors = await openDoors(...args);
  open.push(doors);
  return doors;
}

const whoami: Parameters<typeof openDoors>[0] = {
  auth: { whoami: async (_input, { caller }) => ({ actor: caller.actor, role: caller.role, door: caller.door }) },
};

async function socketTo(doors: TestDoors, path: string, headers: Record<string, string>): Promise<WebSocket> {
  const socket = new WebSocket(`${doors.info.url.replace('http', 'ws')}${path}`, { headers });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  return socket;
}

/** The status that an upgrade was refused with. */
async function refusal(doors: TestDoors, path: string, headers: Record<string, string>): Promise<number | undefined> {
  const socket = new WebSocket(`${doors.info.url.replace('http', 'ws')}${path}`, { headers });
  return await new Promise((resolve) => {
    socket.once('unexpected-response', (_request, response) => {
      socket.on('error', () => undefined);
      socket.terminate();
      resolve(response.statusCode);
    });
    socket.once('open', () => {
      socket.terminate();
      resolve(101);
    });
  });
}

function clientOf(socket: WebSocket): ContractRouterClient<Contract> {
  // What oRPC uses of a browser's WebSocket, ws has as well.
  return createORPCClient(new RPCLink({ websocket: socket as never }));
}

async function closing(socket: WebSocket): Promise<number> {
  return await new Promise((resolve) => socket.once('close', resolve));
}

describe('/rpc', () => {
  it('lets in a bearer token, the CLI by its name, and a browser from its own page', async () => {
    const doors = await opened(whoami);
    const { origin, port } = new URL(doors.info.url);
    const cookie = `qd_session_${port}=${SESSION}`;
    for (const [headers, door] of [
      [bearer(TOKENS.operator), 'rest'],
      [{ ...bearer(TOKENS.operator), 'x-quarterdeck-client': 'cli' }, 'cli'],
      [{ cookie, origin }, 'web'],
    ] as const) {
      const socket = await socketTo(doors, 'rpc', headers);
      expect(await clientOf(socket).auth.whoami({})).toMatchObject({ role: 'operator', door });
      socket.close();
    }
    expect(await refusal(doors, 'rpc', {})).toBe(401);
    expect(await refusal(doors, 'rpc', bearer('wrong'))).toBe(401);
    expect(await refusal(doors, 'rpc', bearer(TOKENS.agent))).toBe(403);
    expect(await refusal(doors, 'rpc', { cookie })).toBe(403);
    expect(await refusal(doors, 'rpc?token=x', bearer(TOKENS.operator))).toBe(400);
    expect(await refusal(doors, 'nowhere', bearer(TOKENS.operator))).toBe(404);
    expect((await doors.fetch('/rpc')).status).toBe(426);
  });

  it('hands the folder of the caller on', async () => {
    const folders: (string | undefined)[] = [];
    const doors = await opened({
      agents: {
        list: async (_input, { caller }) => {
          folders.push(caller.folder);
          return { agents: [], total: 0 };
        },
      },
    });
    const socket = await socketTo(doors, 'rpc', {
      ...bearer(TOKENS.operator),
      'x-quarterdeck-folder': encodeURIComponent('/home/me/größe'),
    });
    await clientOf(socket).agents.list({});
    expect(folders).toEqual(['/home/me/größe']);
    socket.close();
    expect(await refusal(doors, 'rpc', { ...bearer(TOKENS.operator), 'x-quarterdeck-folder': 'relative' })).toBe(400);
  });

  it('is closed when its token is revoked, when its frames are none, and when they are too large', async () => {
    const doors = await opened(whoami);
    const revoked = await socketTo(doors, 'rpc', bearer(TOKENS.observer));
    const revokedCode = closing(revoked);
    doors.gatekeeper.revoke(tokenId(1));
    expect(await revokedCode).toBe(1008);
    expect(await refusal(doors, 'rpc', bearer(TOKENS.observer))).toBe(401);

    for (const [frame, code] of [
      ['{"i":', 1007],
      ['{}', 1007],
      [Buffer.from([1, 2, 3]), 1007],
      ['x'.repeat(1_100_000), 1009],
    ] as const) {
      const socket = await socketTo(doors, 'rpc', bearer(TOKENS.operator));
      const code_ = closing(socket);
      socket.send(frame);
      expect(await code_).toBe(code);
    }
  });

  it('says goodbye to sockets, and ends their calls with a retryable error, when the core ends', async () => {
    const doors = await openDoors({
      messages: {
        wait: async (_input, { signal }) =>
          await new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('aborted')));
          }),
      },
    });
    const socket = await socketTo(doors, 'rpc', bearer(TOKENS.operator));
    const outcome = clientOf(socket)
      .messages.wait({})
      .catch((error: unknown) => error);
    await expect.poll(() => doors.doors.counts().calls).toBe(1);
    const code = closing(socket);
    const startedAt = performance.now();
    await doors.dispose();
    expect(await outcome).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await code).toBe(1012);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('a stream', () => {
  it('is followed in order, and its source is released when the follower goes', async () => {
    let isReleased = false;
    const doors = await opened({
      journal: {
        follow: async ({ after }, { signal }) =>
          heartbeats(
            after,
            signal,
            () => undefined,
            () => (isReleased = true),
          ),
      },
    });
    const socket = await socketTo(doors, 'rpc', bearer(TOKENS.operator));
    const seqs: number[] = [];
    for await (const item of await clientOf(socket).journal.follow({ after: 10 })) {
      if (item.type === 'heartbeat') seqs.push(item.seq);
      if (seqs.length === 100) break;
    }
    expect(seqs).toEqual(Array.from({ length: 100 }, (_, index) => 11 + index));
    await expect.poll(() => [isReleased, doors.doors.counts().calls]).toEqual([true, 0]);
    socket.close();
  });

  it('waits for a reader that does not read, instead of growing', async () => {
    let made = 0;
    const doors = await opened({ journal: { follow: async (_input, { signal }) => fatEvents(signal, () => (made += 1)) } });
    const socket = await socketTo(doors, 'rpc', bearer(TOKENS.operator));
    const items = await clientOf(socket).journal.follow({ after: 0 });
    await items.next();
    socket.pause();
    // Until nothing more is made for a while: the socket's and the system's buffers are full then.
    let last = -1;
    await expect.poll(() => made === last || ((last = made), false), { timeout: 10_000, interval: 400 }).toBe(true);
    const stalledAt = made;
    // 64 KB each: the system's buffers and ours, and far from endless.
    expect(stalledAt * FAT_BYTES).toBeLessThan(32 * 1024 * 1024);
    socket.resume();
    for (let i = 0; i < stalledAt + 10; i += 1) await items.next();
    expect(made).toBeGreaterThan(stalledAt);
    socket.terminate();
    await expect.poll(() => doors.doors.counts()).toEqual({ calls: 0, sockets: 0 });
  });
});

it("hands terminals' sockets over with their caller and address", async () => {
  const doors = await opened();
  const socket = await socketTo(doors, 'terminals?agent=a1', { ...bearer(TOKENS.observer), 'x-quarterdeck-client': 'cli' });
  await expect.poll(() => doors.terminals.length).toBe(1);
  expect(doors.terminals[0]?.caller).toMatchObject({ role: 'observer', door: 'cli' });
  expect(doors.terminals[0]?.url.searchParams.get('agent')).toBe('a1');
  socket.close();
});

type Item = { type: 'heartbeat'; seq: number };

async function* heartbeats(
  after: number,
  signal: AbortSignal,
  onItem: () => void,
  onEnd: () => void,
): AsyncGenerator<Item, void, void> {
  try {
    for (let seq = after + 1; !signal.aborted; seq += 1) {
      onItem();
      yield { type: 'heartbeat', seq };
    }
  } finally {
    onEnd();
  }
}

const FAT_BYTES = 64 * 1024;

async function* fatEvents(
  signal: AbortSignal,
  onItem: () => void,
): AsyncGenerator<{ type: 'deliveries'; changes: DeliveryChange[] }, void, void> {
  while (!signal.aborted) {
    onItem();
    yield {
      type: 'deliveries',
      changes: [{ messageId: 'm'.repeat(FAT_BYTES), recipient: 'r', state: 'queued', attempts: 0, leasedUntil: null }],
    };
  }
}

it('answers the call that ends the core, whenever the end begins', async () => {
  // A host ends the core some steps of the event loop's queue later, while the answer is still on its way.
  for (let steps = 0; steps <= 40; steps += 4) {
    let ended: Promise<void> = Promise.resolve();
    const doors: TestDoors = await opened({
      system: {
        shutdown: async () => {
          ended = endAfter(steps, doors);
          return { isEnding: true as const };
        },
      },
    });
    const socket = await socketTo(doors, 'rpc', bearer(TOKENS.operator));
    const closed = closing(socket);
    expect(await clientOf(socket).system.shutdown({}), `after ${steps} steps`).toEqual({ isEnding: true });
    expect(await closed).toBe(1012);
    await ended;
  }
});

async function endAfter(steps: number, { doors }: TestDoors): Promise<void> {
  for (let step = 0; step < steps; step += 1) await Promise.resolve();
  await doors.close();
}
