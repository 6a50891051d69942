/** What the journal says about sessions and the core's own starts and ends, and how a window folds it. */
import * as z from 'zod';
import { Session } from './model.ts';

/** Data of each journal event about sessions, by kind. The subject is the session's id. */
export const sessionEvents = {
  'session.started': z.object({ session: Session }),
  'session.ended': z.object({ endedAt: z.number().int() }),
  /** The core was started inside a session; `afterCrash` when the one before did not end cleanly. */
  'core.started': z.object({ version: z.string(), afterCrash: z.boolean() }),
  'core.stopped': z.object({}),
  /** Messages were read from files; the subject is the session that they belong to now. */
  'session.imported': z.object({
    folder: z.string(),
    from: z.string(),
    added: z.number().int(),
    present: z.number().int(),
    ends: z.number().int(),
  }),
  /** A project keeps the mirror of its messages elsewhere from now on; null: in the data folder. The subject is the project. */
  'session.mirror-placed': z.object({ place: z.string().nullable() }),
};

type SessionEvent = {
  [K in keyof typeof sessionEvents]: { kind: K; subject: string; data: z.infer<(typeof sessionEvents)[K]> };
}[keyof typeof sessionEvents];

/** Folds one event: the session that is running, or the last one. */
export function reduceSession(session: Session | null, event: SessionEvent): Session | null {
  if (event.kind === 'session.started') return event.data.session;
  if (event.kind === 'session.ended' && session?.id === event.subject) return { ...session, endedAt: event.data.endedAt };
  return session;
}
