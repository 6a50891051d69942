/**
 * All doors of the core: composes the router with REST, WebSocket, MCP and MessagePort, on two ports.
 * Invariant: no door holds behaviour of its own; `close` takes at most two seconds whatever its clients do.
 */
import { setImmediate } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { WebSocket } from 'ws';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { RunInfo } from '#shared/system/model.ts';
import type { Caller } from '#core/caller.ts';
import { McpHttpDoor } from '#core/mcp/http-door.ts';
import { createMcpServer } from '#core/mcp/server.ts';
import { ToolChanges } from '#core/mcp/tool-changes.ts';
import type { WakeUps } from '#core/mcp/wake-ups.ts';
import { ToolTable } from '#core/mcp/tools.ts';
import type { CommandStore } from '#core/rpc/command-results.ts';
import type { BugLog } from '#core/rpc/errors.ts';
import type { RpcPort } from '#core/rpc/message-port.ts';
import { serveMessagePort } from '#core/rpc/message-port.ts';
import type { Handlers } from '#core/rpc/router.ts';
import type { OnRefused } from '#core/rpc/refusals.ts';
import { Refusals } from '#core/rpc/refusals.ts';
import { createRouter } from '#core/rpc/router.ts';
import type { Gatekeeper, GatewayGate } from './access.ts';
import { AgentRoutes } from './agent-routes.ts';
import type { AttachmentFiles } from './attachment-door.ts';
import { MainRoutes } from './main-routes.ts';
import { listenFrom, listenOn, requireLoopback } from './ports.ts';
import { Visits } from './visits.ts';
import type { WebLimits } from './web-server.ts';
import { DEFAULT_LIMITS, WebServer } from './web-server.ts';

/** Where bugs and what the operator should know are written down. */
export interface DoorsLog extends BugLog {
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** What the doors are made from. */
export interface DoorsOptions {
  readonly handlers: Handlers;
  readonly auth: Gatekeeper;
  /** Keeps the results of commands with an idempotency key, and journals refusals. */
  readonly store: CommandStore;
  readonly log: DoorsLog;
  /** Version of the product. */
  readonly version: string;
  /** Takes over a terminal viewer's socket; `url` is its address with the query. */
  readonly onTerminalSocket: (socket: WebSocket, caller: Caller, url: URL) => void;
  /** What keeps the files that go with messages; without it there is nothing to upload to. */
  readonly attachments?: AttachmentFiles;
  /** The built window; without it a page says how to build it. */
  readonly rendererDir?: string | undefined;
  /** The address to listen on: a loopback one. */
  readonly bind?: string;
  /** Further names by which the servers may be called (--allow-host). */
  readonly allowHosts?: readonly string[];
  readonly limits?: Partial<WebLimits>;
  /** What the agent port knows of the gateway; without it nobody is believed to be it. */
  readonly gate?: GatewayGate;
  /** Is told of every call of an agent; what it returns is called when the call is over. */
  readonly onAgentCall?: (id: AgentId) => () => void;
  /** Gives hints of new mail to agents that stay connected. */
  readonly wakeUps?: WakeUps;
  /** Is told of every command that was refused. */
  readonly onRefused?: OnRefused;
}

/** Where to listen. */
export interface ListenOptions {
  /** The main port, or the next free one when it is taken; 0: any; undefined: 3000. */
  readonly port: number | undefined;
  /** The agent port; 0: any. */
  readonly agentPort: number;
  /** Whether the next free port will do when it is taken. Else it is a failure: agents that run hold its address. */
  readonly isAgentPortNegotiable: boolean;
}

/** The doors. */
export interface Doors {
  /** Binds both ports. Fails with CONFLICT, naming the holder, when one that must be had is taken. Resolves with the addresses. */
  listen(options: ListenOptions): Promise<RunInfo>;
  /** The addresses. UNAVAILABLE until `listen` is done. */
  info(): RunInfo;
  /** The link that logs a browser in with a one-time code. */
  loginUrl(code: string): string;
  /** Serves the desktop window over a MessagePort. */
  serveRpcPort(port: RpcPort, caller: Caller): void;
  /** Calls (streams included) and sockets open now. */
  counts(): { readonly calls: number; readonly sockets: number };
  /** Refuses what is new, ends long polls and streams with a retryable error, closes sockets and ports. At most two seconds. */
  close(): Promise<void>;
}

/** How long calls that were told to end may take to answer, and sockets to say goodbye, in milliseconds. */
const GOODBYE_MS = 200;
const DEFAULT_HOST = '127.0.0.1';
/** The main port when nobody named one. */
const DEFAULT_PORT = 3000;

/** Where there is no gateway: nobody is it, and no agent needs it. */
const NO_GATE: GatewayGate = { word: undefined, isContained: () => false };

/** Makes the doors; they are closed until `listen`. */
export function createDoors(options: DoorsOptions): Doors {
  const { log, version, auth: gatekeeper } = options;
  const metrics = new Registry();
  const { onRefused, onAgentCall } = options;
  const refusals = new Refusals(options.store, { onRefused });
  const rpc = createRouter({ handlers: options.handlers, store: options.store, log, metrics, onRefused });
  const visits = new Visits(gatekeeper);
  const tools = new ToolTable(rpc, (caller, procedure, reason) => refusals.record(caller, procedure, reason));
  const toolChanges = new ToolChanges(gatekeeper);
  const unasked = { wakeUps: options.wakeUps, toolChanges };
  const servers = { tools, version, onAgentCall, ...unasked };
  const mcp = new McpHttpDoor({ createServer: (session) => createMcpServer(servers, session), ...unasked, log });
  const mainRoutes = new MainRoutes({
    ...servers,
    rpc,
    gatekeeper,
    visits,
    mcp,
    metrics,
    log,
    rendererDir: options.rendererDir,
    refusals,
    attachments: options.attachments,
    onTerminalSocket: options.onTerminalSocket,
  });
  const agentRoutes = new AgentRoutes({
    ...servers,
    gatekeeper,
    visits,
    mcp,
    log,
    gate: options.gate ?? NO_GATE,
    refusals,
  });
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const allowedHosts = options.allowHosts ?? [];
  const host = options.bind ?? DEFAULT_HOST;
  const main = new WebServer({ routes: mainRoutes, log, limits, allowedHosts });
  const agents = new WebServer({ routes: agentRoutes, log, limits, allowedHosts });
  const sockets = [mainRoutes.sockets.plain, mainRoutes.sockets.mcp, agentRoutes.sockets];
  const openSockets = (): number => sockets.reduce((sum, { size }) => sum + size, 0);
  let bound: RunInfo | undefined;
  const info = (): RunInfo => {
    if (bound === undefined)
      throw new AppError('UNAVAILABLE', 'Quarterdeck is starting: its addresses are not known yet. Try again in a moment.');
    return bound;
  };

  return {
    info,
    loginUrl: (code) => `${info().url}#login=${code}`,
    counts: () => ({ calls: rpc.underWay, sockets: openSockets() }),
    serveRpcPort: (port, caller) => serveMessagePort(rpc.router, port, caller),
    async listen({ port, agentPort, isAgentPortNegotiable }) {
      requireLoopback(host);
      // First the port that must not move, so that the main port's search cannot take it.
      const agentBound = await (isAgentPortNegotiable ? listenFrom : listenOn)(agents.server, host, agentPort, 'the agent port');
      agents.openAt(agentBound);
      try {
        const wanted = port ?? DEFAULT_PORT;
        const mainBound = await (wanted === 0 ? listenOn : listenFrom)(main.server, host, wanted, 'the main port');
        main.openAt(mainBound);
        if (wanted !== 0 && mainBound !== wanted)
          log.warn({ port: mainBound }, `Port ${wanted} is taken; Quarterdeck is at port ${mainBound}`);
        if (agentPort !== 0 && agentBound !== agentPort)
          log.warn({ port: agentBound }, `Port ${agentPort} is taken; agents are served at port ${agentBound}`);
        bound = { pid: process.pid, startedAt: Date.now(), version, ...addressesOf(host, mainBound, agentBound) };
        return bound;
      } catch (error) {
        await agents.close();
        throw error;
      }
    },
    async close() {
      main.stopAccepting();
      agents.stopAccepting();
      rpc.end();
      await until(() => rpc.underWay === 0, GOODBYE_MS);
      // A call that is over has its answer, but no socket has it yet: that takes the rest of this turn. The call that asked
      // for this very end would else be cut off.
      await setImmediate();
      for (const kind of sockets) kind.closeAll();
      await mcp.close();
      await until(() => openSockets() === 0, GOODBYE_MS);
      for (const kind of sockets) kind.dropAll();
      await Promise.all([main.close(), agents.close()]);
      visits.dispose();
      toolChanges.dispose();
    },
  };
}

function addressesOf(host: string, port: number, agentPort: number): Omit<RunInfo, 'pid' | 'startedAt' | 'version'> {
  const name = host.includes(':') ? `[${host}]` : host;
  const url = `http://${name}:${port}`;
  const agent = `${name}:${agentPort}`;
  return {
    url: `${url}/`,
    apiUrl: `${url}/api`,
    mcpUrl: `${url}/mcp`,
    agentMcpUrl: `http://${agent}/mcp`,
    agentSseUrl: `http://${agent}/sse`,
    agentWsUrl: `ws://${agent}/ws`,
  };
}

/** Waits until something holds, at most `ms`. */
async function until(holds: () => boolean, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (!holds() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
}
