/**
 * A scripted core for tests of the window's connection: a few procedures of the contract, a journal that the test writes,
 * and lines that the test cuts. Everything else about the window is tested against the real core.
 */
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { implement, ORPCError } from '@orpc/server';
import { RPCHandler } from '@orpc/server/ws';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { contract } from '#shared/contract.ts';
import type { FollowItem, JournalEvent } from '#shared/journal/model.ts';
import { ClientFrame, decodeFrame, encodeFrame, OpenPayload, ServerFrame } from '#shared/terminals/frames.ts';
import { applyEvent, EMPTY_STATE } from '#shared/state.ts';

/** A scripted core. */
export class FakeCore {
  /** Everything that ever happened, in order. */
  readonly journal: JournalEvent[] = [];
  /** Sequence numbers below this one are no longer kept: following them is a CONFLICT. */
  keptFrom = 0;
  /** false refuses every connection with 401, as for a browser that is not logged in. */
  isLoggedIn = true;
  /** How many snapshots were taken. */
  snapshots = 0;
  readonly #items = new EventEmitter<{ item: [FollowItem] }>().setMaxListeners(0);
  readonly #server = createServer((request, response) => {
    response.writeHead(request.url === '/api/v1/auth/whoami' ? (this.isLoggedIn ? 200 : 401) : 404).end();
  });
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

  constructor() {
    const rpc = new RPCHandler(this.#router());
    this.#server.on('upgrade', (request, socket, head) => {
      if (!this.isLoggedIn) {
        socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        if (request.url === '/terminals') serveTerminals(ws);
        else rpc.upgrade(ws, { context: {} }).catch(() => ws.terminate());
      });
    });
  }

  /** Listens on `port` (0 = any) and returns the address of the page. */
  async listen(port = 0): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}/`;
  }

  /** Commits events and pushes them to all followers as one item. */
  push(...events: JournalEvent[]): void {
    this.journal.push(...events);
    this.#items.emit('item', { type: 'events', events });
  }

  /** Pushes something that is not in the journal. */
  pushItem(item: FollowItem): void {
    this.#items.emit('item', item);
  }

  /** Cuts every connection, as a crash does. */
  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #router() {
    const os = implement(contract);
    return {
      journal: {
        snapshot: os.journal.snapshot.handler(() => {
          this.snapshots += 1;
          return this.journal.reduce(applyEvent, EMPTY_STATE);
        }),
        follow: os.journal.follow.handler(({ input, signal }) => {
          if (input.after < this.keptFrom || input.after > this.journal.length)
            throw new ORPCError('CONFLICT', { message: 'no longer kept' });
          return this.#follow(input.after, signal);
        }),
      },
    };
  }

  async *#follow(after: number, signal: AbortSignal | undefined): AsyncGenerator<FollowItem, void> {
    const waiting: FollowItem[] = [];
    const wake = new EventEmitter();
    const take = (item: FollowItem): void => {
      waiting.push(item);
      wake.emit('item');
    };
    this.#items.on('item', take);
    try {
      yield { type: 'events', events: this.journal.slice(after) };
      for (;;) {
        if (waiting.length === 0) await once(wake, 'item', { signal });
        yield* waiting.splice(0);
      }
    } finally {
      this.#items.off('item', take);
    }
  }
}

/** Answers every view with a greeting, gives control to whoever asks, and echoes what is typed by who has it. */
function serveTerminals(ws: WebSocket): void {
  const held = new Set<number>();
  ws.on('message', (data: Buffer) => {
    const frame = decodeFrame(data);
    if (!frame) return;
    const { channel } = frame;
    const reply = (type: number, payload: string): void => ws.send(encodeFrame(type, channel, Buffer.from(payload)));
    const control = (isYou: boolean): void => {
      if (isYou) held.add(channel);
      else held.delete(channel);
      const holder = isYou ? { name: 'operator', door: 'web', isYou, since: 1 } : null;
      reply(ServerFrame.control, JSON.stringify({ holder, viewers: 1 }));
    };
    if (frame.type === ClientFrame.open) {
      const open = OpenPayload.parse(JSON.parse(Buffer.from(frame.payload).toString()));
      reply(ServerFrame.opened, JSON.stringify({ cols: open.cols, rows: open.rows, window: open.window }));
      if (open.tier === 'tile') {
        reply(ServerFrame.tile, JSON.stringify({ rows: [[[`hello from ${open.agentId}`]]], cols: 80, cursor: null }));
        return;
      }
      control(open.control !== 'watch');
      reply(ServerFrame.screen, `hello from ${open.agentId}`);
    } else if (frame.type === ClientFrame.take || frame.type === ClientFrame.release) {
      control(frame.type === ClientFrame.take);
    } else if (frame.type === ClientFrame.input) {
      if (held.has(channel)) reply(ServerFrame.data, Buffer.from(frame.payload).toString());
      else reply(ServerFrame.failed, JSON.stringify({ code: 'CONFLICT', message: 'You only watch this terminal.' }));
    }
  });
}
