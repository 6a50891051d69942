/** Procedures about boundaries and their proofs. */
import * as z from 'zod';
import { AgentId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { Boundary } from '#shared/runtimes/model.ts';
import { BoundaryProof, LimitMechanism } from './model.ts';

/** The boundary of an agent with its evidence. */
export const AgentBoundary = z.object({
  id: AgentId,
  boundary: Boundary,
  note: z.string(),
  /** How CPU, memory and process limits are held, and what that leaves open. */
  limits: z.object({ mechanism: LimitMechanism, note: z.string() }),
  /** The last proof of each kind that is about its present boundary; null when there is none. */
  launch: BoundaryProof.nullable(),
  exhaustion: BoundaryProof.nullable(),
  /** What is mounted where, as the engine tells it; empty without a box. */
  mounts: z.array(z.object({ source: z.string(), target: z.string(), isWritable: z.boolean() })),
  /** Whose files it runs as, for example "uid 1000"; null when as the operator. */
  user: z.string().nullable(),
});

/** The boundary of an agent with its evidence. */
export type AgentBoundary = z.infer<typeof AgentBoundary>;

/** Procedures about boundaries. */
export const boundaryContract = {
  get: procedure(query('get_boundary'), {
    method: 'GET',
    path: '/agents/{id}/boundary',
    summary: 'Get the boundary of an agent',
    description: 'What confines an agent: what was tried from inside and what happened, mounts, limits and how they are held.',
  })
    .input(z.strictObject({ id: AgentId }))
    .output(AgentBoundary),

  prove: procedure(command('prove_boundary', 'LOW'), {
    method: 'POST',
    path: '/agents/{id}/boundary/prove',
    summary: 'Prove the boundary of an agent',
    description:
      'Starts a throw-away twin with the same image, options and mounts (an empty workspace) and tries from inside to use up memory, processes, CPU and disk, and to break out. Takes some seconds. The agent itself is not touched.',
  })
    .input(z.strictObject({ id: AgentId, idempotencyKey: IdempotencyKey.optional() }))
    .output(BoundaryProof),

  proofs: procedure(query('list_proofs'), {
    method: 'GET',
    path: '/agents/{id}/boundary/proofs',
    summary: 'List proofs of a boundary',
    description: 'The proofs of an agent, newest first.',
  })
    .input(z.strictObject({ id: AgentId, limit: z.number().int().min(1).max(100).default(20) }))
    .output(z.object({ proofs: z.array(BoundaryProof) })),
};
