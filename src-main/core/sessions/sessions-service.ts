/** Sessions: one run of the crew. It ends at a clean end of the core; after a crash the next core continues it. */
import type { SessionId } from '#shared/kernel/ids.ts';
import { mintId, SessionId as SessionIdSchema } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Session } from '#shared/sessions/model.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import { endSession, insertSession, openSession } from './sessions-repository.ts';

/** Owns the present session. */
export class SessionsService {
  readonly #store: AppStore;
  readonly #now: () => number;
  readonly #version: string;
  #current: Session | undefined;
  #isContinued = false;

  constructor(options: { store: AppStore; version: string; now?: () => number }) {
    this.#store = options.store;
    this.#version = options.version;
    this.#now = options.now ?? Date.now;
  }

  /** Continues the session that a crash left open, or starts one. Returns whether there was a crash. */
  async open(): Promise<{ isAfterCrash: boolean }> {
    const left = this.#store.peek(openSession);
    const session: Session = left ?? {
      id: SessionIdSchema.parse(mintId('ses')),
      projectId: SYSTEM_PROJECT_ID,
      startedAt: this.#now(),
      endedAt: null,
    };
    const envelope = { projectId: SYSTEM_PROJECT_ID, actor: CORE.actor, door: CORE.door, subject: session.id };
    await this.#store.write((tx) => {
      if (!left) {
        insertSession(tx, session);
        tx.record(event(envelope, 'session.started', { session }));
      }
      tx.record(event(envelope, 'core.started', { version: this.#version, afterCrash: left !== undefined }));
    });
    this.#current = session;
    this.#isContinued = left !== undefined;
    return { isAfterCrash: left !== undefined };
  }

  /** The session that messages belong to. */
  currentId(): SessionId {
    if (!this.#current) throw new Error('sessions are not open');
    return this.#current.id;
  }

  /** The newest sessions first. */
  list(limit: number): Promise<Session[]> {
    return this.#store.read('sessions.page', { limit });
  }

  /** The start failed after all: a session that it began ends with it; one that a crash left stays open for the next start. */
  async giveUp(): Promise<void> {
    if (this.#isContinued) this.#current = undefined;
    await this.end();
  }

  /** Ends the session: the core ends cleanly. */
  async end(): Promise<void> {
    const session = this.#current;
    if (!session) return;
    const endedAt = this.#now();
    const envelope = { projectId: SYSTEM_PROJECT_ID, actor: CORE.actor, door: CORE.door, subject: session.id };
    await this.#store.write((tx) => {
      endSession(tx, session.id, endedAt);
      tx.record(event(envelope, 'session.ended', { endedAt }));
      tx.record(event(envelope, 'core.stopped', {}));
    });
    this.#current = undefined;
  }
}
