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
