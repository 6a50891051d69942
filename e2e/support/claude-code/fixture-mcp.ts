/** A tiny MCP server for proving the harness: agents that exist only in memory and answer in capitals. */

import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

/** State behind the tools; it outlives the server objects, which are made anew for each request. */
export interface FixtureCrew {
  readonly agents: { id: string; type: string }[];
  readonly replies: { to: string; body: string; seen: number }[];
}

/** Makes the state. */
export function createFixtureCrew(): FixtureCrew {
  return { agents: [], replies: [] };
}

/** Makes a server with the tools `list_agents`, `spawn_agent`, `send_message` and `wait_for_messages`. */
export function createFixtureServer(crew: FixtureCrew): McpServer {
  const server = new McpServer({ name: 'quarterdeck', version: '0.0.0' });
  server.registerTool('list_agents', { description: 'Lists the agents.', inputSchema: z.object({}) }, () =>
    answer({ agents: crew.agents }),
  );
  server.registerTool(
    'spawn_agent',
    { description: 'Starts an agent.', inputSchema: z.object({ type: z.string() }) },
    ({ type }) => {
      const agent = { id: `agt_${crew.agents.length + 1}`, type };
      crew.agents.push(agent);
      return answer({ agent });
    },
  );
  server.registerTool(
    'send_message',
    { description: 'Sends a message to an agent.', inputSchema: z.object({ to: z.string(), body: z.string() }) },
    ({ to, body }) => {
      if (!crew.agents.some((agent) => agent.id === to)) {
        return { isError: true, content: [{ type: 'text', text: `no agent ${to}` }] };
      }
      crew.replies.push({ to, body: body.toUpperCase(), seen: 0 });
      return answer({ sent: true });
    },
  );
  server.registerTool('wait_for_messages', { description: 'Waits for messages.', inputSchema: z.object({}) }, () => {
    // The first look finds nothing, as with an agent that is still at work.
    for (const reply of crew.replies) reply.seen += 1;
    const ready = crew.replies.filter((reply) => reply.seen > 1);
    return answer({ messages: ready.map(({ to, body }) => ({ from: to, body })) });
  });
  return server;
}

function answer(value: Record<string, unknown>): {
  content: { type: 'text'; text: string }[];
  structuredContent: Record<string, unknown>;
} {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}
