/**
 * The mirror: every message, and how its copies ended, as lines in files beside the store.
 * It follows the store by a cursor and is never waited for: what is to be written is read from the store a step at a time,
 * written and made to last by threads of the runtime, and only then is the cursor moved on. A crash, a full disk or a slow
 * one leaves it behind, and it catches up.
 */
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import type { MirrorState } from '#shared/sessions/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import { appendLines, ROTATE_BYTES } from './mirror-files.ts';
import type { FileMark, MirrorPart, MirrorPlaceRow } from './mirror-repository.ts';
import { DATA_FOLDER_PLACE, findMark, isFolderTaken, listPlaces, placeProject, saveMark, saveStep } from './mirror-repository.ts';

/** What changed in so many milliseconds is written together: one fsync for all of it. */
const GATHER_MS = 200;
/** A mirror that stands still is tried again after this long, in milliseconds; twice as long each time, up to the longest. */
const RETRY_MS = 1_000;
/** See RETRY_MS. */
const LONGEST_RETRY_MS = 60_000;
/** The end of the core waits at most this long for the mirror, in milliseconds: what is missing is refilled at the next start. */
const END_MS = 2_000;

/** What a mirror works with. */
export interface MirrorOptions {
  readonly store: AppStore;
  /** `sessions/` in the data folder. */
  readonly sessionsDir: string;
  /** Folder of a project; undefined when it is not known. */
  readonly projectFolder: (id: ProjectId) => string | undefined;
  readonly warn: (message: string) => void;
  /** Bytes after which a file is put aside. */
  readonly rotateBytes?: number;
  readonly gatherMs?: number;
  readonly retryMs?: number;
  /** Writes to a file; tests let it fail. */
  readonly write?: (file: FileHandle, bytes: Buffer) => Promise<void>;
}

/** What goes wrong in one place. */
interface Trouble {
  problem: string;
  retryMs: number;
  retryAt: number;
}

/** Name of the folder of a session that began then: sorts by time, and every file system takes it. */
export function timestampOf(startedAt: number): string {
  return new Date(startedAt).toISOString().replaceAll(/[:.]/g, '-');
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  await file.writeFile(bytes);
}

/** Follows the store, and writes. */
export class Mirror implements Disposable {
  readonly #o: MirrorOptions;
  readonly #troubles = new Map<number, Trouble>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isOver = false;

  constructor(options: MirrorOptions) {
    this.#o = options;
  }

  /** Refills what a crash left out. Once, after the store is open; nothing waits for it. */
  open(): void {
    this.nudge();
  }

  /** Something may have changed: it is written soon. Costs nothing when that is known already. */
  nudge(): void {
    this.#wake(this.#o.gatherMs ?? GATHER_MS);
  }

  /** Writes everything that is stored now, as far as it can be written. */
  async flush(): Promise<void> {
    await this.#running;
    await this.#run(true);
  }

  /** Ends it; what is not written yet is written by the next core. */
  async close(): Promise<void> {
    const last = this.flush();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, END_MS);
    await Promise.race([last.catch(() => undefined), promise]);
    clearTimeout(timer);
    this.dispose();
  }

  /** Ends it at once. */
  dispose(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** How every place is doing. Closed ones are told only while something is wrong with them. */
  async states(): Promise<MirrorState[]> {
    const behind = new Map(await this.#o.store.read('mirror.behind', {}));
    return this.#o.store.peek(listPlaces).flatMap((place) => {
      const problem = this.#troubles.get(place.id)?.problem ?? null;
      if (place.untilSeq !== null && problem === null) return [];
      return [{ ...stateOf(place), behind: behind.get(place.id) ?? 0, problem }];
    });
  }

  /** Keeps the mirror of a project in a folder of it from now on; null: in the data folder again. NOT_FOUND, BAD_REQUEST. */
  async place(projectId: ProjectId, template: string | null, caller: Caller): Promise<MirrorState> {
    if (this.#o.projectFolder(projectId) === undefined)
      throw new AppError('NOT_FOUND', `There is no project ${projectId} with a folder. See list_projects.`, {
        data: { field: 'projectId' },
      });
    if (template !== null && partsOf(template, 0).length === 0)
      throw new AppError('BAD_REQUEST', `"${template}" names no folder inside the project.`, { data: { field: 'place' } });
    const place = await this.#o.store.write((tx) => {
      const before = openPlaceOf(listPlaces(tx), projectId);
      if ((before?.template ?? null) !== template) {
        placeProject(tx, projectId, template);
        tx.record(
          event({ projectId, actor: caller.actor, door: caller.door, subject: projectId }, 'session.mirror-placed', {
            place: template,
          }),
        );
      }
      return openPlaceOf(listPlaces(tx), projectId);
    });
    if (place) this.#troubles.delete(place.id);
    this.nudge();
    return { projectId, place: place?.template ?? null, behind: 0, problem: null };
  }

  /** Absolute path of a session's folder in a place. */
  folderOf(placeId: number, projectId: ProjectId, folder: string): string {
    if (placeId === DATA_FOLDER_PLACE) return join(this.#o.sessionsDir, folder);
    return join(this.#o.projectFolder(projectId) ?? '', folder);
  }

  #wake(ms: number): void {
    if (this.#isOver || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // What changes meanwhile is seen by the round that is under way, or wakes the next.
      const round = this.#running ?? this.#run(false);
      round.catch((error: unknown) => this.#o.warn(`The mirror of messages failed: ${messageOf(error)}`));
    }, ms);
    this.#timer.unref();
  }

  #run(isForced: boolean): Promise<void> {
    const round = this.#round(isForced).finally(() => {
      if (this.#running === round) this.#running = undefined;
    });
    this.#running = round;
    return round;
  }

  async #round(isForced: boolean): Promise<void> {
    for (const place of this.#o.store.peek(listPlaces)) {
      const trouble = this.#troubles.get(place.id);
      if (trouble && !isForced && trouble.retryAt > performance.now()) {
        this.#wake(trouble.retryAt - performance.now());
        continue;
      }
      try {
        await this.#catchUp(place);
        if (this.#troubles.delete(place.id)) this.#o.warn(`The mirror of messages ${nameOf(place)} goes on.`);
      } catch (error) {
        this.#fail(place, error);
      }
    }
  }

  async #catchUp(place: MirrorPlaceRow): Promise<void> {
    for (;;) {
      if (this.#isOver) return;
      const step = await this.#o.store.read('mirror.next', { placeId: place.id });
      const isNothing = step.parts.length === 0 && step.endIds.length === 0;
      if (isNothing && step.cursor <= place.cursor && !step.hasMore) return;
      const marks: (readonly [MirrorPart, FileMark])[] = [];
      for (const part of step.parts) marks.push([part, await this.#append(place, part)]);
      await this.#o.store.write((tx) => {
        for (const [part, mark] of marks) saveMark(tx, place.id, part.sessionId, mark);
        saveStep(tx, place.id, step);
      });
      if (!step.hasMore) return;
    }
  }

  #append(place: MirrorPlaceRow, part: MirrorPart): Promise<FileMark> {
    const { store } = this.#o;
    const isHostile = place.id !== DATA_FOLDER_PLACE;
    const base = isHostile ? this.#o.projectFolder(place.projectId) : this.#o.sessionsDir;
    if (base === undefined) throw new Error(`the folder of project ${place.projectId} is not known`);
    const mark = store.peek((db) => findMark(db, place.id, part.sessionId));
    return appendLines({
      base,
      folder: mark?.folder ?? this.#newFolder(place, part.startedAt),
      isHostile,
      mark,
      session: { id: part.sessionId, startedAt: part.startedAt },
      lines: part.lines,
      rotateBytes: this.#o.rotateBytes ?? ROTATE_BYTES,
      record: (made) => store.write((tx) => saveMark(tx, place.id, part.sessionId, made)),
      note: this.#o.warn,
      write: this.#o.write ?? writeAll,
    });
  }

  /** A folder that no other session has. */
  #newFolder(place: MirrorPlaceRow, startedAt: number): string {
    for (let number = 1; ; number += 1) {
      const name = partsOf(place.template ?? '{timestamp}', startedAt, number === 1 ? '' : `-${number}`).join('/');
      if (!this.#o.store.peek((db) => isFolderTaken(db, place.id, name))) return name;
    }
  }

  #fail(place: MirrorPlaceRow, error: unknown): void {
    if (this.#isOver) return;
    const before = this.#troubles.get(place.id);
    const retryMs = Math.min(before ? before.retryMs * 2 : (this.#o.retryMs ?? RETRY_MS), LONGEST_RETRY_MS);
    const problem = `The mirror of messages ${nameOf(place)} stands still: ${messageOf(error)}. Messages are stored and delivered all the same; the mirror is refilled when it can go on.`;
    if (before?.problem !== problem) this.#o.warn(problem);
    this.#troubles.set(place.id, { problem, retryMs, retryAt: performance.now() + retryMs });
    this.#wake(retryMs);
  }
}

function openPlaceOf(places: readonly MirrorPlaceRow[], projectId: ProjectId): MirrorPlaceRow | undefined {
  return places.find(({ id, projectId: of, untilSeq }) => id !== DATA_FOLDER_PLACE && of === projectId && untilSeq === null);
}

function stateOf(place: MirrorPlaceRow): Pick<MirrorState, 'projectId' | 'place'> {
  return { projectId: place.id === DATA_FOLDER_PLACE ? null : place.projectId, place: place.template };
}

function nameOf(place: MirrorPlaceRow): string {
  return place.template === null ? 'in the data folder' : `in ${place.template} of project ${place.projectId}`;
}

/** The folders of a template, from the outermost on. */
function partsOf(template: string, startedAt: number, suffix = ''): string[] {
  return template
    .replaceAll('{timestamp}', `${timestampOf(startedAt)}${suffix}`)
    .split('/')
    .filter((part) => part !== '' && part !== '.');
}
