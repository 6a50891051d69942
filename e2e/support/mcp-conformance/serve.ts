/** For the MCP conformance suite only: the fixture on the product's HTTP stack, without the product's tokens. */
import type { AddressInfo } from 'node:net';
import { AgentId } from '#shared/kernel/ids.ts';
import { DEFAULT_LIMITS, WebServer } from '#core/http/web-server.ts';
import { McpHttpDoor } from '#core/mcp/http-door.ts';
import type { McpSession } from '#core/mcp/server.ts';
import { createFixtureServer } from './fixture.ts';

const SESSION: McpSession = {
  caller: { actor: { kind: 'agent', id: 'suite' }, role: 'agent', door: 'agent-mcp', agentId: AgentId.parse('suite') },
  toolset: 'core',
};

/** A fixture that listens. */
export interface Fixture {
  readonly url: string;
  /** What was logged as a bug. */
  readonly bugs: readonly unknown[];
  close(): Promise<void>;
}

/** Serves the fixture on a port of the system's choice. */
export async function serveFixture(): Promise<Fixture> {
  const bugs: unknown[] = [];
  const log = { error: (facts: object, message?: string) => void bugs.push({ ...facts, message }) };
  const door = new McpHttpDoor({ createServer: () => createFixtureServer(), asksClients: true, log });
  const web = new WebServer({
    routes: {
      request: (request, response) => door.streamable(request, response, SESSION),
      upgrade: (_request, socket) => void socket.destroy(),
    },
    log,
    limits: DEFAULT_LIMITS,
    allowedHosts: [],
  });
  await new Promise<void>((resolve) => web.server.listen(0, '127.0.0.1', resolve));
  // Bound to a port, not to a pipe.
  const { port } = web.server.address() as AddressInfo;
  web.openAt(port);
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    bugs,
    close: async () => {
      await door.close();
      await web.close();
    },
  };
}
