/** The procedures about provenance, on the service. */
import type { provenanceContract } from '#shared/provenance/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { ProvenanceService } from './provenance-service.ts';

/** The handlers of `provenanceContract`. */
export function provenanceHandlers(service: ProvenanceService): HandlersOf<typeof provenanceContract> {
  return {
    verify: (input, { caller }) => service.verify(input, caller),
    proof: ({ id }, { caller }) => service.proof(id, caller),
    keys: async () => ({ keys: service.keys() }),
    rotate: async (_input, { caller }) => ({ key: await service.rotate(caller) }),
    verifyAll: () => service.verifyAll(),
  };
}
