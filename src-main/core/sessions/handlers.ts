/** Handlers of the sessions' procedures. */
import { AppError } from '#shared/kernel/errors.ts';
import type { sessionsContract } from '#shared/sessions/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { AppStore } from '#core/reads.ts';
import type { ImportService } from './import-service.ts';
import type { Mirror } from './mirror.ts';
import type { SessionsService } from './sessions-service.ts';

/** What they are made from. */
export interface SessionsParts {
  readonly store: AppStore;
  readonly sessions: SessionsService;
  readonly mirror: Mirror;
  readonly imports: ImportService;
}

/** Handlers of the sessions' procedures. */
export function sessionsHandlers({ store, sessions, mirror, imports }: SessionsParts): HandlersOf<typeof sessionsContract> {
  return {
    list: async (input) => ({ sessions: await sessions.list(input.limit) }),
    get: (input) => sessions.get(input.id),
    mirrors: async () => ({ mirrors: await mirror.states() }),
    placeMirror: (input, { caller }) => mirror.place(input.projectId, input.place, caller),
    import: async (input, { caller }) => {
      const report = await imports.import(input, caller);
      mirror.nudge();
      return report;
    },
    exportPage: async ({ after, ...input }) => {
      const piece = await store.read('messages.export', { ...input, after: placeOf(after) });
      return { ...piece, next: piece.next === null ? null : String(piece.next) };
    },
  };
}

function placeOf(after: string | undefined): number {
  if (after === undefined) return 0;
  if (/^\d{1,16}$/.test(after)) return Number(after);
  throw new AppError('BAD_REQUEST', '"after" is not what the piece before said in "next". Leave it out to begin.', {
    data: { field: 'after' },
  });
}
