/** The procedures about attachments, on the service. */
import type { attachmentsContract } from '#shared/attachments/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { AttachmentsService } from './attachments-service.ts';

/** The handlers of `attachmentsContract`. */
export function attachmentsHandlers(service: AttachmentsService): HandlersOf<typeof attachmentsContract> {
  return {
    put: async (input, { caller }) => service.put(input, caller),
    get: (input, { caller }) => service.get(input, caller),
  };
}
