/** The proof of a boundary: what was tried from inside, what was read back, and what it means. */
import * as z from 'zod';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { Boundary } from '#shared/runtimes/model.ts';

/** One thing that was tried or read, and must have gone as expected. */
export const ProofCheck = z.object({
  /** Stable name, for example `write-outside`. */
  id: z.string(),
  /** What people read: "Write outside the workspace". */
  title: z.string(),
  /** What exactly was tried: "open /etc/qd-proof for writing". */
  tried: z.string(),
  /** What happened: "EROFS: read-only file system". */
  found: z.string(),
  /** held: as it must be; broken: the boundary does not hold; unknown: it could not be tried here, and why is in `found`. */
  outcome: z.enum(['held', 'broken', 'unknown']),
  /** inside: tried by the probe; outside: read back by the core. */
  from: z.enum(['inside', 'outside']),
});
/** One thing that was tried or read. */
export type ProofCheck = z.infer<typeof ProofCheck>;

/** A proof. It holds when no check is broken and none that is required is unknown. */
export const BoundaryProof = z.object({
  id: z.string(),
  projectId: ProjectId,
  agentId: AgentId,
  runId: z.string(),
  boundary: Boundary,
  /** launch: before the agent's program started; exhaustion: in a throw-away twin, once per image, options and engine. */
  kind: z.enum(['launch', 'exhaustion']),
  at: z.number().int(),
  /** Milliseconds that the checks took inside. */
  tookMs: z.number(),
  holds: z.boolean(),
  /** Why it does not hold, in a sentence; null when it holds. */
  problem: z.string().nullable(),
  checks: z.array(ProofCheck),
});
/** A proof. */
export type BoundaryProof = z.infer<typeof BoundaryProof>;

/** How an agent's limits are held: container (its cgroup), cgroup or systemd on this machine, or ulimit and a watchdog. */
export const LimitMechanism = z.enum(['container', 'cgroup', 'systemd', 'watchdog', 'none']);
/** How an agent's limits are held. */
export type LimitMechanism = z.infer<typeof LimitMechanism>;
