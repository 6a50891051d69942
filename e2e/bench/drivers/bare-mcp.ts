/**
 * For P14: the least MCP server that the SDK makes, with one tool that answers at once with what BARE_ANSWER says. With `--stdio`
 * on standard input and output, else on HTTP (`/mcp`), HTTP+SSE (`/sse`, `/messages`) and WebSocket (`/ws`); prints its port then.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { SSEServerTransport } from '@modelcontextprotocol/server-legacy/sse';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { WebSocketServer } from 'ws';
import * as z from 'zod';
import { SocketTransport } from '#core/mcp/socket-transport.ts';

const ANSWER = z.record(z.string(), z.unknown()).parse(JSON.parse(process.env['BARE_ANSWER'] ?? '{}'));

/** Names of the tools of ours that it is compared with. */
const TOOLS = ['whoami', 'discover_agents'];

function make(): McpServer {
  const server = new McpServer({ name: 'bare', version: '1' }, { capabilities: { tools: {} } });
  for (const name of TOOLS) {
    server.registerTool(name, { description: 'Answers at once', inputSchema: z.object({}) }, async () => ({
      content: [{ type: 'text', text: JSON.stringify(ANSWER) }],
      structuredContent: ANSWER,
    }));
  }
  return server;
}

if (process.argv.includes('--stdio')) serveStdio(make);
else {
  const streamable = toNodeHandler(createMcpHandler(make));
  const streams = new Map<string, SSEServerTransport>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://bare');
    if (url.pathname === '/mcp') return streamable(request, response);
    if (url.pathname !== '/sse')
      return streams.get(url.searchParams.get('sessionId') ?? '')?.handlePostMessage(request, response);
    const transport = new SSEServerTransport('/messages', response);
    streams.set(transport.sessionId, transport);
    return make().connect(transport);
  };
  const fail = (error: unknown): void => {
    console.error(error);
    process.exit(1);
  };
  const server = createServer((request, response) => void answer(request, response).catch(fail));
  const sockets = new WebSocketServer({ server, path: '/ws', handleProtocols: () => 'mcp' });
  sockets.on('connection', (socket) => void make().connect(new SocketTransport(socket)).catch(fail));
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
}
