/**
 * Imports: messages that were written to files, by a mirror, an export or crowd-mcp, become an earlier session.
 * Everything is read twice: first to find what is wrong with it, storing nothing; then to store it, some messages at a time,
 * so that neither memory nor the event loop feels how large it is. What is here already is passed over by its id, so that an
 * import that was broken off is finished by another.
 */
import { basename, dirname, join } from 'node:path';
import { AppError } from '#shared/kernel/errors.ts';
import type { ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { mintId, SessionId as SessionIdSchema } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { ImportReport } from '#shared/sessions/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import { findMessage } from '#core/messages/messages-repository.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import type { CrowdMessage } from './crowd-mcp-session.ts';
import { crowdMessage, CrowdSession, crowdSessionId, groupOf, parseCrowdLine } from './crowd-mcp-session.ts';
import type { SourceFormat, SourceMessage, SourceRecord } from './import-format.ts';
import { formatOf, parseMirrorLine } from './import-format.ts';
import type { CountChange } from './import-repository.ts';
import { digestOf, importEnd, insertImportedMessage } from './import-repository.ts';
import { parseLine, readLines, readSmallFile, sourceFiles } from './read-lines.ts';
import { findImported, insertImported, originOf, stretchImported } from './sessions-repository.ts';

/** One write stores at most so many records, and ends after so many characters: about 3 ms. */
const WRITE_RECORDS = 20;
/** See WRITE_RECORDS. */
const WRITE_CHARS = 128 * 1024;
/** So many messages are compared with what is here by one read. */
const COMPARED_AT_ONCE = 100;
/** At most so many conflicts are named. */
const MAX_NAMED = 20;

/** What an import works with. */
export interface ImportOptions {
  readonly store: AppStore;
  readonly isProject: (id: ProjectId) => boolean;
  /** Told after the commit, of what is counted in memory. */
  readonly onCounts: (projectId: ProjectId, change: CountChange) => void;
  readonly now?: () => number;
}

interface Source {
  readonly path: string;
  readonly files: readonly string[];
  readonly format: SourceFormat;
  readonly torn: Set<string>;
  readonly projectId: ProjectId | undefined;
  readonly crowd: { readonly session: string; readonly sessionId: SessionId } | undefined;
}

interface Totals {
  added: number;
  present: number;
  ends: number;
}

/** Imports messages. */
export class ImportService {
  readonly #o: ImportOptions;
  readonly #now: () => number;

  constructor(options: ImportOptions) {
    this.#o = options;
    this.#now = options.now ?? Date.now;
  }

  /** Imports a folder or a file. NOT_FOUND, BAD_REQUEST (what cannot be read), CONFLICT (other content under an id that is here). */
  async import(input: { path: string; projectId?: ProjectId | undefined }, caller: Caller): Promise<ImportReport> {
    if (input.projectId !== undefined && !this.#o.isProject(input.projectId))
      throw new AppError('NOT_FOUND', `There is no project ${input.projectId}. See list_projects.`, {
        data: { field: 'projectId' },
      });
    const source = await this.#open(input.path, input.projectId);
    const starts = await this.#check(source);
    const totals = new Map<SessionId, Totals>();
    const known = new Map<SessionId, SessionId>();
    await this.#store(source, starts, known, totals);
    const sessionIds = [...totals.keys()];
    await this.#o.store.write((tx) => {
      for (const [sessionId, { added, present, ends }] of totals) {
        if (added === 0 && ends === 0) continue;
        tx.record(
          event(
            { projectId: SYSTEM_PROJECT_ID, actor: caller.actor, door: caller.door, subject: sessionId },
            'session.imported',
            {
              folder: source.path,
              from: source.format,
              added,
              present,
              ends,
            },
          ),
        );
      }
    });
    const sum = (pick: (t: Totals) => number): number => [...totals.values()].reduce((total, t) => total + pick(t), 0);
    return {
      format: source.format,
      sessionIds,
      added: sum((t) => t.added),
      present: sum((t) => t.present),
      ends: sum((t) => t.ends),
      torn: [...source.torn],
    };
  }

  async #open(path: string, projectId: ProjectId | undefined): Promise<Source> {
    const files = await sourceFiles(path);
    const torn = new Set<string>();
    for (const file of files) {
      for await (const { text, where, isOpenEnded } of readLines(file)) {
        const value = parseLine(text);
        if (value === undefined && isOpenEnded) break;
        const format = formatOf(value);
        if (format === undefined)
          throw new AppError(
            'BAD_REQUEST',
            `${where} is neither a line of Quarterdeck's mirror nor a message of crowd-mcp. Nothing was imported.`,
            { data: { field: 'path', line: where } },
          );
        if (format === 'quarterdeck') return { path, files, format, torn, projectId, crowd: undefined };
        if (projectId === undefined)
          throw new AppError(
            'BAD_REQUEST',
            'A session of crowd-mcp names no project: state in projectId where its messages go.',
            {
              data: { field: 'projectId' },
            },
          );
        return { path, files, format, torn, projectId, crowd: await crowdSession(file, value) };
      }
    }
    throw new AppError('BAD_REQUEST', `${path} holds no messages.`, { data: { field: 'path' } });
  }

  /** Everything that the source says, in its order. */
  async *#records(source: Source): AsyncGenerator<{ record: SourceRecord; chars: number }> {
    const { crowd, projectId } = source;
    let group: { name: string; copies: [CrowdMessage, ...CrowdMessage[]]; chars: number } | undefined;
    const grouped = function* (): Generator<{ record: SourceRecord; chars: number }> {
      if (!group || !crowd || projectId === undefined) return;
      yield { record: crowdMessage(group.name, group.copies, { ...crowd, projectId }), chars: group.chars };
    };
    for (const file of source.files) {
      for await (const { text, where, isOpenEnded } of readLines(file)) {
        const value = parseLine(text);
        if (value === undefined && isOpenEnded) {
          source.torn.add(where);
          continue;
        }
        if (!crowd) {
          const record = parseMirrorLine(value, where);
          if (record) yield { record, chars: text.length };
          continue;
        }
        const line = parseCrowdLine(value, where);
        const name = groupOf(line);
        if (group?.name === name) {
          group.copies.push(line);
          group.chars += text.length;
          continue;
        }
        yield* grouped();
        group = { name, copies: [line], chars: text.length };
      }
    }
    yield* grouped();
  }

  /** Finds what is wrong before anything is stored; returns when the sessions began. */
  async #check(source: Source): Promise<Map<SessionId, number>> {
    const starts = new Map<SessionId, number>();
    const conflicts: string[] = [];
    let page: SourceMessage[] = [];
    const compare = async (): Promise<void> => {
      const here = new Map(await this.#o.store.read('imports.digests', { ids: page.map(({ message }) => message.id) }));
      for (const { message } of page) {
        const digest = here.get(message.id);
        if (digest !== undefined && digest !== digestOf(message)) conflicts.push(message.id);
      }
      page = [];
    };
    for await (const { record } of this.#records(source)) {
      if (record.kind === 'session') starts.set(record.id, record.startedAt);
      if (record.kind !== 'message') continue;
      const { message } = record;
      this.#projectFor(source, message.projectId);
      if (!starts.has(message.sessionId)) starts.set(message.sessionId, message.sentAt);
      page.push(record);
      if (page.length >= COMPARED_AT_ONCE) await compare();
    }
    await compare();
    if (conflicts.length === 0) return starts;
    const named = conflicts.slice(0, MAX_NAMED);
    throw new AppError(
      'CONFLICT',
      `${conflicts.length === 1 ? 'A message is' : `${conflicts.length} messages are`} here already with other content: ${named.join(', ')}${conflicts.length > named.length ? ' and more' : ''}. Nothing was imported. One of the two was changed after it was written; verify_audit says whether it was the one that is here.`,
      { data: { field: 'path', messageIds: named } },
    );
  }

  #projectFor(source: Source, stated: ProjectId): ProjectId {
    if (this.#o.isProject(stated)) return stated;
    if (source.projectId !== undefined) return source.projectId;
    throw new AppError(
      'BAD_REQUEST',
      `Messages there belong to project ${stated}, which is not known here. Nothing was imported. Open its folder, and state in projectId where they go.`,
      { data: { field: 'projectId' } },
    );
  }

  async #store(
    source: Source,
    starts: ReadonlyMap<SessionId, number>,
    known: Map<SessionId, SessionId>,
    totals: Map<SessionId, Totals>,
  ): Promise<void> {
    let page: SourceRecord[] = [];
    let chars = 0;
    /** The session of the last message: where ends are counted. */
    let last: SessionId | undefined;
    const write = async (): Promise<void> => {
      const records = page;
      page = [];
      chars = 0;
      if (records.length === 0) return;
      last = await this.#o.store.write((tx) => this.#storeSome(tx, records, { source, starts, known, totals, last }));
    };
    for await (const { record, chars: length } of this.#records(source)) {
      page.push(record);
      chars += length;
      if (page.length >= WRITE_RECORDS || chars >= WRITE_CHARS) await write();
    }
    await write();
  }

  /** Stores some records in one transaction. The totals are brought up to date after it. */
  #storeSome(
    tx: Tx,
    records: readonly SourceRecord[],
    to: {
      source: Source;
      starts: ReadonlyMap<SessionId, number>;
      known: Map<SessionId, SessionId>;
      totals: Map<SessionId, Totals>;
      last: SessionId | undefined;
    },
  ): SessionId | undefined {
    const importedAt = this.#now();
    let { last } = to;
    const effects: (() => void)[] = [];
    const count = (sessionId: SessionId, change: Partial<Totals>): void => {
      effects.push(() => {
        const before = to.totals.get(sessionId) ?? { added: 0, present: 0, ends: 0 };
        to.totals.set(sessionId, {
          added: before.added + (change.added ?? 0),
          present: before.present + (change.present ?? 0),
          ends: before.ends + (change.ends ?? 0),
        });
      });
    };
    const counted = (projectId: ProjectId, change: CountChange): void => {
      effects.push(() => this.#o.onCounts(projectId, change));
    };
    const end = (sessionId: SessionId, messageId: string, stated: Parameters<typeof importEnd>[2]): void => {
      const changed = importEnd(tx, messageId, stated, importedAt);
      if (!changed) return;
      count(sessionId, { ends: 1 });
      counted(changed.projectId, { total: 0, requests: 0, dead: changed.dead });
    };
    for (const record of records) {
      if (record.kind === 'session') continue;
      if (record.kind === 'end') {
        if (last !== undefined) end(last, record.messageId, record.end);
        continue;
      }
      const projectId = this.#projectFor(to.source, record.message.projectId);
      const sessionId = this.#sessionFor(tx, to.source, record, to.starts, to.known);
      last = sessionId;
      const here = findMessage(tx, record.message.id);
      if (here) {
        if (digestOf(here.message) !== digestOf(record.message))
          throw new AppError(
            'CONFLICT',
            `Message ${record.message.id} stands there twice with different content, or was sent meanwhile. The import stopped there; what came before it is stored.`,
            { data: { field: 'path', messageIds: [record.message.id] } },
          );
        count(sessionId, { present: 1 });
        for (const stated of record.ends) end(sessionId, record.message.id, stated);
        continue;
      }
      const message = { ...record.message, projectId, sessionId };
      const stored = insertImportedMessage(tx, message, record.ttlMs, record.ends, importedAt);
      stretchImported(tx, sessionId, message.sentAt);
      count(sessionId, { added: 1, ends: stored.ends });
      counted(projectId, stored.counts);
    }
    tx.afterCommit(() => {
      for (const effect of effects) effect();
    });
    return last;
  }

  /** The session that a message belongs to here: the one that it names, unless that ran here and so takes nothing from files. */
  #sessionFor(
    tx: Tx,
    source: Source,
    { message }: SourceMessage,
    starts: ReadonlyMap<SessionId, number>,
    known: Map<SessionId, SessionId>,
  ): SessionId {
    const before = known.get(message.sessionId);
    if (before !== undefined) return before;
    const origin = originOf(tx, message.sessionId);
    const name = source.crowd ? `crowd-mcp ${source.crowd.session}` : `quarterdeck ${message.sessionId}`;
    let id: string | undefined = origin?.origin === 'import' ? message.sessionId : findImported(tx, name);
    // Its own messages are all here, unless retention removed some.
    if (id === undefined && origin && findMessage(tx, message.id)) return message.sessionId;
    if (id === undefined) {
      id = origin ? mintId('ses') : message.sessionId;
      const startedAt = starts.get(message.sessionId) ?? message.sentAt;
      insertImported(tx, {
        id: SessionIdSchema.parse(id),
        projectId: SYSTEM_PROJECT_ID,
        startedAt,
        endedAt: Math.max(startedAt, message.sentAt),
        importedAt: this.#now(),
        importedFrom: name,
      });
    }
    const found = SessionIdSchema.parse(id);
    tx.afterCommit(() => known.set(message.sessionId, found));
    return found;
  }
}

/** Name and beginning of a session of crowd-mcp: from `session.json` where it can be read, else from the folder's name. */
async function crowdSession(file: string, first: unknown): Promise<{ session: string; sessionId: SessionId }> {
  const text = await readSmallFile(join(dirname(file), 'session.json')).catch(() => undefined);
  const stated = CrowdSession.safeParse(text === undefined ? undefined : parseLine(text)).data;
  const session = stated?.sessionId ?? basename(dirname(file));
  // Not the stated start: crowd-mcp writes it anew whenever it starts into the folder again.
  return { session, sessionId: crowdSessionId(session, parseCrowdLine(first, basename(file)).timestamp) };
}
