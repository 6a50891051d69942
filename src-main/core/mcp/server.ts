/** One MCP server per connection or request: the tools of one caller over the router. Holds no state of its own. */
import type { Transport } from '@modelcontextprotocol/server';
import { ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { instructionsFor } from './instructions.ts';
import type { ToolTable, Toolset } from './tools.ts';
import { callTool } from './tools.ts';
import type { WakeUps } from './wake-ups.ts';
import { MAIL_NOTIFICATION } from './wake-ups.ts';

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
  /** Gives hints of new mail to agents that stay connected. */
  readonly wakeUps?: WakeUps | undefined;
}

/** What makes the server of a session: the product's is `createMcpServer`; the conformance suite brings its own. */
export type McpServerFactory = (session: McpSession) => Server;

/** Makes a server for one session, or for one request where there are no sessions. */
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

/** Serves a connection that stays open: whoever it belongs to is told of new mail until it closes. */
export async function serveConnection(server: Server, transport: Transport, wake?: WakeUp): Promise<void> {
  await server.connect(transport);
  if (wake === undefined) return;
  const registration = wake.wakeUps.register(wake.agentId, (hint) => {
    // A hint that cannot be sent any more is none.
    server.notification({ method: MAIL_NOTIFICATION, params: { ...hint } }).catch(() => undefined);
  });
  const { onclose } = server;
  server.onclose = () => {
    registration.dispose();
    onclose?.();
  };
}

/** Whom to tell of new mail. */
export interface WakeUp {
  readonly wakeUps: WakeUps;
  readonly agentId: AgentId;
}

/** Who is to be told of new mail on a session's connection: its agent, if it is one's. */
export function wakeUpOf({ wakeUps }: Pick<McpOptions, 'wakeUps'>, { caller }: McpSession): WakeUp | undefined {
  return wakeUps === undefined || caller.agentId === undefined ? undefined : { wakeUps, agentId: caller.agentId };
}
