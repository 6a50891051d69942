/** Handlers of the sessions' procedures. */
import type { sessionsContract } from '#shared/sessions/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { SessionsService } from './sessions-service.ts';

/** Handlers of the sessions' procedures. */
export function sessionsHandlers(sessions: SessionsService): HandlersOf<typeof sessionsContract> {
  return { list: async (input) => ({ sessions: await sessions.list(input.limit) }) };
}
