/** Handlers of the procedures about retention. */
import type { retentionContract } from '#shared/retention/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { RetentionService } from './retention-service.ts';

/** Handlers of the procedures about retention. */
export function retentionHandlers(retention: RetentionService): HandlersOf<typeof retentionContract> {
  return {
    get: async (input) => retention.get(input.projectId),
    set: async (input, { caller }) => ({ policy: await retention.set(input.projectId, input.policy, caller) }),
    preview: (input) => retention.preview(input.projectId, input.policy),
    apply: (input, { caller }) => retention.apply(input.projectId, caller),
  };
}
