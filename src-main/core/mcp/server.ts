/** One MCP server per connection or request: the tools of one caller over the router. Holds no state of its own. */
import type { Transport } from '@modelcontextprotocol/server';
import { ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { AgentId, TokenId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { instructionsFor } from './instructions.ts';
import type { ToolChanges } from './tool-changes.ts';
import type { ToolTable, Toolset } from './tools.ts';
import { callTool } from './tools.ts';
import type { WakeUps } from './wake-ups.ts';
import { MAIL_NOTIFICATION } from './wake-ups.ts';

/** Who speaks MCP, and which tools it asked for. */
export interface McpSession {
  /** As it is at the moment: to be asked for at each call. */
  readonly caller: Caller;
  /** The token whose role may change while the connection stays open; undefined where none can. */
  readonly tokenId?: TokenId | undefined;
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
  /** Tells those that stay connected when their tools are others. */
  readonly toolChanges?: ToolChanges | undefined;
}

/** What makes the server of a session: the product's is `createMcpServer`; the conformance suite brings its own. */
export type McpServerFactory = (session: McpSession) => Server;

/** Makes a server for one session, or for one request where there are no sessions. */
export function createMcpServer({ tools, version, onAgentCall }: McpOptions, session: McpSession): Server {
  const server = new Server(
    { name: 'quarterdeck', title: 'Quarterdeck', version },
    { capabilities: { tools: { listChanged: true } }, instructions: instructionsFor(session.caller.role) },
  );
  server.setRequestHandler('tools/list', () => ({ tools: tools.list(session.caller.role, session.toolset) }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const { caller } = session;
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

/** Serves a connection that stays open: what it is to hear unasked it hears until it closes. */
export async function serveConnection(
  server: Server,
  transport: Transport,
  unasked: UnaskedOptions,
  session: McpSession,
): Promise<void> {
  await server.connect(transport);
  const registrations = registerUnasked(server, unasked, session);
  if (registrations.length === 0) return;
  const { onclose } = server;
  server.onclose = () => {
    for (const registration of registrations) registration.dispose();
    onclose?.();
  };
}

/** What is told to whoever stays connected. */
export type UnaskedOptions = Pick<McpOptions, 'wakeUps' | 'toolChanges'>;

/** New mail for an agent; other tools for a token. */
function registerUnasked(server: Server, { wakeUps, toolChanges }: UnaskedOptions, session: McpSession): Disposable[] {
  const { agentId } = session.caller;
  // What cannot be sent any more is told to nobody.
  const send = (notification: Parameters<Server['notification']>[0]): void =>
    void server.notification(notification).catch(() => undefined);
  return [
    agentId && wakeUps?.register(agentId, (hint) => send({ method: MAIL_NOTIFICATION, params: { ...hint } })),
    session.tokenId && toolChanges?.register(session.tokenId, () => send({ method: 'notifications/tools/list_changed' })),
  ].filter((registration) => registration !== undefined);
}
