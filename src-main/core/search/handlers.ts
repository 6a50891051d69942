/** The procedure that searches, on the service. */
import type { searchContract } from '#shared/search/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { SearchService } from './search-service.ts';

/** The handlers of `searchContract`. */
export function searchHandlers(service: SearchService): HandlersOf<typeof searchContract> {
  return { messages: (input, { caller, signal }) => service.search(input, caller, signal) };
}
