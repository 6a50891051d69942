/** Where agents run, and how strong the box around them is. */
import * as z from 'zod';

/** The runtimes there are. `pty` is the last resort: it does not outlive the core. */
export const RuntimeKind = z
  .enum(['tmux', 'pty'])
  .describe('Where the agent runs: tmux (survives the app) or pty (ends with it)');
/** The runtimes there are. */
export type RuntimeKind = z.infer<typeof RuntimeKind>;

/** Boundaries, strongest first. */
export const BOUNDARIES = ['container', 'bubblewrap', 'host'] as const;
/** How strong the box around an agent is. */
export const Boundary = z
  .enum(BOUNDARIES)
  .describe('What the agent is confined by: container, bubblewrap, or host (not contained)');
/** How strong the box around an agent is. */
export type Boundary = z.infer<typeof Boundary>;

/** Whether `inner` confines at least as strongly as `outer`. */
export function isAtLeastAsStrong(inner: Boundary, outer: Boundary): boolean {
  return BOUNDARIES.indexOf(inner) <= BOUNDARIES.indexOf(outer);
}

/** What a probe found about a runtime on this machine. */
export const RuntimeAvailability = z.object({
  kind: RuntimeKind,
  isAvailable: z.boolean(),
  version: z.string().optional(),
  path: z.string().optional(),
  /** When it is not available: why, and the one command that mends it. */
  problem: z.string().optional(),
  remedy: z.string().optional(),
});
/** What a probe found about a runtime on this machine. */
export type RuntimeAvailability = z.infer<typeof RuntimeAvailability>;
