/** RPC glue of secrets: input in, service call, output out. */
import type { secretsContract } from '#shared/secrets/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { SecretsService } from './secrets-service.ts';

/** The handlers of the procedures about secrets. */
export function secretsHandlers(service: SecretsService): HandlersOf<typeof secretsContract> {
  return {
    set: (input, { caller }) => service.set(input, caller),
    list: async () => ({ secrets: await service.list() }),
    remove: async (input, { caller }) => ({ name: input.name, isRemoved: await service.remove(input, caller) }),
  };
}
