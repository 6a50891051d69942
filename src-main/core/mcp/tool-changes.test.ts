/** A token that is given another role: what stays connected hears that its tools are others, and has them. */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { TestDoors } from '#core/http/testing/open-doors.ts';
import { bearer, openDoors, TOKENS, tokenId } from '#core/http/testing/open-doors.ts';

/** A notification may take so long on a busy machine, in milliseconds. */
const SOON = { timeout: 30_000, interval: 50 };
/** The token of `TOKENS.observer`. */
const OBSERVER = tokenId(1);

let doors: TestDoors;
beforeEach(async () => {
  doors = await openDoors({ agents: { list: async () => ({ agents: [], total: 0 }) } });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  expect(doors.bugs).toEqual([]);
  await doors.dispose();
});

/** The SDK's WebSocket transport sends no headers; this gives its socket one. */
class ObserversSocket extends WebSocket {
  constructor(url: string | URL, protocol: string) {
    super(url, protocol, { headers: bearer(TOKENS.observer) });
  }
}

const names = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name);

it.each(['Streamable HTTP', 'WebSocket'])('is told over %s, and calls by its new role', async (kind) => {
  vi.stubGlobal('WebSocket', ObserversSocket);
  const requestInit = { headers: bearer(TOKENS.observer) };
  const transport =
    kind === 'WebSocket'
      ? new WebSocketClientTransport(new URL(`${doors.info.mcpUrl.replace('http', 'ws')}/ws`))
      : new StreamableHTTPClientTransport(new URL(doors.info.mcpUrl), { requestInit });
  const client = new Client({ name: 'test', version: '1' });
  let heard = 0;
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void (heard += 1));
  await client.connect(transport as Transport);
  expect(client.getServerCapabilities()).toMatchObject({ tools: { listChanged: true } });
  expect(await names(client)).not.toContain('spawn_agent');
  await expect(client.callTool({ name: 'spawn_agent', arguments: {} })).rejects.toMatchObject({ code: -32602 });

  // Again until the client's stream beside stands: what is said before that is said to nobody.
  const given = (): number => {
    doors.gatekeeper.changeRole(OBSERVER, 'automation');
    return heard;
  };
  await expect.poll(given, SOON).toBeGreaterThan(0);
  expect(await names(client)).toContain('spawn_agent');

  doors.gatekeeper.changeRole(OBSERVER, 'observer');
  // The very next call is refused, whether or not the client has looked again.
  await expect(client.callTool({ name: 'spawn_agent', arguments: {} })).rejects.toMatchObject({ code: -32602 });
  await client.close();
});

it('is told to subscribers of the protocol without sessions', async () => {
  let heard = 0;
  const client = new ModernClient(
    { name: 'test', version: '1' },
    {
      versionNegotiation: { mode: { pin: '2026-07-28' } },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => void (heard += 1) } },
    },
  );
  await client.connect(new ModernHttp(new URL(doors.info.mcpUrl), { requestInit: { headers: bearer(TOKENS.observer) } }));
  const given = (): number => {
    doors.gatekeeper.changeRole(OBSERVER, 'automation');
    return heard;
  };
  await expect.poll(given, SOON).toBeGreaterThan(0);
  await client.close();
});

it('closes what else it had open, which connects again by its new role', async () => {
  const socket = new WebSocket(`${doors.info.url.replace('http', 'ws')}rpc`, { headers: bearer(TOKENS.observer) });
  await new Promise((resolve) => socket.once('open', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  doors.gatekeeper.changeRole(OBSERVER, 'automation');
  expect(await closed).toBe(1008);
});
