/** One MCP server per connection or request: the tools of one caller over the router. Holds no state of its own. */
import { ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { instructionsFor } from './instructions.ts';
import type { ToolTable, Toolset } from './tools.ts';
import { callTool } from './tools.ts';

/** Who speaks MCP, and which tools it asked for. */
export interface McpSession {
  readonly caller: Caller;
  readonly toolset: Toolset;
}

/** What every server is made from. */
export interface McpOptions {
  readonly tools: ToolTable;
  /** Version of the product. */
  readonly version: string;
  /** Is told of every call of an agent; what it returns is called when the call is over. */
  readonly onAgentCall?: ((id: AgentId) => () => void) | undefined;
}

/** Makes a server for one session. */
export function createMcpServer({ tools, version, onAgentCall }: McpOptions, session: McpSession): Server {
  const { caller, toolset } = session;
  const server = new Server(
    { name: 'quarterdeck', title: 'Quarterdeck', version },
    { capabilities: { tools: {} }, instructions: instructionsFor(caller.role) },
  );
  server.setRequestHandler('tools/list', () => ({ tools: tools.list(caller.role, toolset) }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const procedure = tools.find(caller.role, params.name);
    if (procedure === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, await tools.refuse(caller, params.name));
    const onOver = caller.agentId === undefined ? undefined : onAgentCall?.(caller.agentId);
    try {
      return await callTool(tools.rpc, procedure, params.arguments, caller, context.mcpReq.signal);
    } finally {
      onOver?.();
    }
  });
  return server;
}
