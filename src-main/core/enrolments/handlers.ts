/** Handlers of the procedures about agents from outside. */
import type { enrolmentsContract } from '#shared/enrolments/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { EnrolmentsService } from './enrolments-service.ts';

/** What the handlers need besides the service. */
export interface EnrolmentsHandlerOptions {
  /** Where agents call. */
  readonly agentMcpUrl: () => string;
}

/** Handlers of the procedures about agents from outside. */
export function enrolmentsHandlers(
  service: EnrolmentsService,
  options: EnrolmentsHandlerOptions,
): HandlersOf<typeof enrolmentsContract> {
  return {
    register: (input, { caller, signal }) => service.register(input, caller, signal),
    createCode: async ({ idempotencyKey: _key, ...input }, { caller }) => ({
      ...(await service.createCode(input, caller)),
      agentMcpUrl: options.agentMcpUrl(),
    }),
    list: () => service.list(),
    revokeCode: ({ id }, { caller }) => service.revokeCode(id, caller),
    decide: (input, { caller }) => service.decide(input, caller),
  };
}
