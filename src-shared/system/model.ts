/** Facts about a running core that other programs rely on. */
import * as z from 'zod';

/** `run.json` and the ready line: where a running core is reached. */
export const RunInfo = z.object({
  pid: z.number().int(),
  startedAt: z.number().int(),
  version: z.string(),
  /** The app, for a browser. */
  url: z.string(),
  /** Ends in `/api`. */
  apiUrl: z.string(),
  /** Management MCP, Streamable HTTP. */
  mcpUrl: z.string(),
  /** Agent MCP: Streamable HTTP, legacy SSE, WebSocket. */
  agentMcpUrl: z.string(),
  agentSseUrl: z.string(),
  agentWsUrl: z.string(),
});
/** `run.json` and the ready line. */
export type RunInfo = z.infer<typeof RunInfo>;

/** One thing that was looked at on this machine. */
export const SystemCheck = z.object({
  id: z.string(),
  title: z.string(),
  /** agents: the CLIs that think; runtimes: where agents run; work: what they work with. */
  group: z.enum(['agents', 'runtimes', 'work']),
  /**
   * ok: there and works; needs: there, but the operator must do something first, such as log in; missing: not there though
   * wanted; failed: there and broken; optional: not there and not needed.
   */
  state: z.enum(['ok', 'needs', 'missing', 'failed', 'optional']),
  /** Of a program with a login: what its own status command said. unknown: it has none, or gave no clear answer; null: it has no login. */
  loginState: z.enum(['in', 'out', 'unknown']).nullable(),
  /** One line for people, whole by itself: version and path are in it where there are any. */
  detail: z.string(),
  path: z.string().nullable(),
  version: z.string().nullable(),
  /** The one command that mends it, for a terminal; null where nothing has to be done. */
  remedy: z.string().nullable(),
});
/** One thing that was looked at on this machine. */
export type SystemCheck = z.infer<typeof SystemCheck>;
