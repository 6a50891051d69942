/** The procedures about topics, on the service. */
import type { topicsContract } from '#shared/topics/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { TopicsService } from './topics-service.ts';

/** The handlers of `topicsContract`. */
export function topicsHandlers(service: TopicsService): HandlersOf<typeof topicsContract> {
  return {
    subscribe: (input, { caller }) => service.subscribe(input, caller),
    unsubscribe: (input, { caller }) => service.unsubscribe(input, caller),
    list: (input, { caller }) => service.list(input, caller),
  };
}
