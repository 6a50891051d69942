/** Handlers of the boundaries' procedures. */
import type { boundaryContract } from '#shared/boundary/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { BoundaryService } from './boundary-service.ts';

/** Handlers of the boundaries' procedures. */
export function boundaryHandlers(boundary: BoundaryService): HandlersOf<typeof boundaryContract> {
  return {
    get: (input) => boundary.get(input.id),
    prove: (input, { caller }) => boundary.prove(input.id, caller),
    proofs: async (input) => ({ proofs: await boundary.proofs(input.id, input.limit) }),
  };
}
