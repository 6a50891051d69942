/** Handlers of the procedures about connections. */
import type { egressContract } from '#shared/egress/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { EgressService } from './egress-service.ts';

/** Handlers of the procedures about connections. */
export function egressHandlers(egress: EgressService): HandlersOf<typeof egressContract> {
  return {
    get: async (input) => egress.get(input.id),
    set: (input, { caller }) => egress.set(input.id, { mode: input.mode, rules: input.rules }, caller),
    connections: (input) => egress.connections(input),
    proposals: async (input) => ({ proposals: await egress.proposals(input.agentId) }),
    modelApis: async () => ({ modelApis: egress.modelApis() }),
    setModelApis: async (input, { caller }) => ({ modelApis: await egress.setModelApis(input.modelApis, caller) }),
  };
}
