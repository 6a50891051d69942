/** Sessions: one run of the crew. It ends at a clean end of the core; after a crash the next core continues it. */
import { AppError } from '#shared/kernel/errors.ts';
import type { ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { mintId, SessionId as SessionIdSchema } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { MirrorFolder, Session, SessionSummary } from '#shared/sessions/model.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import { DATA_FOLDER_PLACE } from './mirror-repository.ts';
import type { StoredSummary } from './sessions-repository.ts';
import { endSession, insertSession, openSession } from './sessions-repository.ts';

/** Absolute path of a session's folder in a place of the mirror. */
export type MirrorFolderOf = (placeId: number, projectId: ProjectId, folder: string) => string;

/** Owns the present session. */
export class SessionsService {
  readonly #store: AppStore;
  readonly #now: () => number;
  readonly #version: string;
  #folderOf: MirrorFolderOf = (_place, _project, folder) => folder;
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

  /** Sets how the folders of mirrors are told; the mirror is made later than the session that it is of. */
  folderBy(folderOf: MirrorFolderOf): void {
    this.#folderOf = folderOf;
  }

  /** The newest sessions first. */
  async list(limit: number): Promise<SessionSummary[]> {
    return (await this.#store.read('sessions.page', { limit })).map((stored) => this.#shown(stored));
  }

  /** One session. NOT_FOUND. */
  async get(id: SessionId): Promise<SessionSummary> {
    const stored = await this.#store.read('sessions.one', { id });
    if (stored) return this.#shown(stored);
    throw new AppError('NOT_FOUND', `There is no session ${id}. See list_sessions.`, { data: { field: 'id' } });
  }

  #shown(stored: StoredSummary): SessionSummary {
    return {
      ...stored,
      isCurrent: stored.id === this.#current?.id,
      mirrors: stored.mirrors.map(({ placeId, projectId, ...mirror }): MirrorFolder => ({
        ...mirror,
        projectId: placeId === DATA_FOLDER_PLACE ? null : projectId,
        folder: this.#folderOf(placeId, projectId, mirror.folder),
      })),
    };
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
