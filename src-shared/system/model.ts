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
  /** ok: there and works; missing: not there, something else takes its place; failed: broken; optional: not there and not needed. */
  status: z.enum(['ok', 'missing', 'failed', 'optional']),
  detail: z.string(),
  path: z.string().nullable(),
  version: z.string().nullable(),
  /** The one command that mends it. */
  remedy: z.string().nullable(),
});
/** One thing that was looked at on this machine. */
export type SystemCheck = z.infer<typeof SystemCheck>;
