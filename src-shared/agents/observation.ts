/** What is seen of agents from the outside: what they use, and which ones run that were not started here. */
import * as z from 'zod';

/** The samples of one agent, oldest first; the three lists are equally long. */
export const MetricSeries = z.object({
  /** Milliseconds since 1970. */
  at: z.array(z.number().int()),
  /** CPU time used since the sample before, in percent of one core; may exceed 100. */
  cpu: z.array(z.number()),
  /** Resident memory in bytes. */
  memoryBytes: z.array(z.number()),
});
/** The samples of one agent. */
export type MetricSeries = z.infer<typeof MetricSeries>;

/** What was measured of agents. Not journaled, and forgotten when the core ends. */
export const AgentMetrics = z.object({
  /** When the newest sample was taken; give it as "after" the next time. */
  at: z.number().int(),
  /** How often samples are taken at present, in milliseconds. */
  everyMs: z.number().int(),
  /** By the agent's id; an agent without samples in the time asked for is left out. */
  agents: z.record(z.string(), MetricSeries),
});
/** What was measured of agents. */
export type AgentMetrics = z.infer<typeof AgentMetrics>;

/** The agent CLIs that are known when they are seen running. */
export const KNOWN_PROGRAMS = ['claude', 'codex', 'gemini', 'aider', 'opencode', 'goose', 'amp', 'cursor-agent'] as const;

/** An agent CLI in a tmux session of the operator's own. */
export const AdoptableSession = z.object({
  /** Path of the tmux server's socket. */
  socket: z.string(),
  session: z.string(),
  /** Index of the window in the session. */
  window: z.number().int(),
  /** Id of the pane, such as %3. */
  pane: z.string(),
  program: z.enum(KNOWN_PROGRAMS),
  pid: z.number().int(),
  /** Where it works; null when that cannot be read. */
  cwd: z.string().nullable(),
  /** When the program was started, in milliseconds since 1970; null when that cannot be read. */
  startedAt: z.number().int().nullable(),
  /** Whether an agent is attached to the session already. */
  isAdopted: z.boolean(),
});
/** An agent CLI in a tmux session of the operator's own. */
export type AdoptableSession = z.infer<typeof AdoptableSession>;
