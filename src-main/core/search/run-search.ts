/**
 * Answers one search, on the search thread: asks the index for places, newest first and window by window, and reads the
 * messages that stand there.
 */
import * as z from 'zod';
import type { MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { Message, PRIORITIES } from '#shared/messages/model.ts';
import type { SearchOrder, SearchPage, SearchResult } from '#shared/search/model.ts';
import { RANKED_AT_MOST } from '#shared/search/model.ts';
import type { SearchQuery } from '#shared/search/query.ts';
import type { Part } from '#core/messages/history-filter.ts';
import { conditionsOf } from '#core/messages/history-filter.ts';
import type { Connection } from '#core/store/database.ts';
import type { SearchScope } from './index-entry.ts';
import { INDEXED_COLUMNS, IndexedRow, matchOf, textsOf } from './index-entry.ts';
import type { IndexState, SearchIndex } from './search-index.ts';
import type { Fit } from './snippets.ts';
import { fitOf } from './snippets.ts';

/** How many places of the index one window has. Two words that are everywhere and never together took 30 ms in one. */
const WINDOW = 200_000;
/** A page ends after the window in which this is over, in milliseconds. */
export const BUDGET_MS = 150;

/** What is asked for. */
export interface SearchArgs {
  readonly query: SearchQuery;
  readonly scope: SearchScope;
  readonly rank: SearchOrder;
  readonly cursor: Cursor | undefined;
  readonly limit: number;
  /** Milliseconds since 1970: what is delayed until later is not shown to its recipient. */
  readonly now: number;
}

/** Where a page goes on: below a place; with relevance, behind so many of the best below that place. */
export interface Cursor {
  readonly below: number;
  readonly skip: number;
}

const CURSOR = /^(\d{1,15})(?:\.(\d{1,6}))?$/;

/** Reads what a page said in `next`; undefined when it is something else. */
export function cursorOf(text: string): Cursor | undefined {
  const match = CURSOR.exec(text);
  return match ? { below: Number(match[1]), skip: Number(match[2] ?? 0) } : undefined;
}

const SentRow = z.object({ sent_at: z.number() });
const FoundRow = IndexedRow.extend({ thread_id: z.string(), sent_at: z.number(), not_before: z.number().nullable() });
type FoundRow = z.infer<typeof FoundRow>;
const Names = z.array(z.string());
const SenderKind = Message.shape.from.shape.kind;

/** A message that was found. */
interface Hit {
  readonly row: FoundRow;
  readonly fit: Fit;
}

/** What a walk came to. */
interface Walked {
  readonly hits: Hit[];
  /** From where the next page goes on; null when there is nothing more. */
  readonly below: number | null;
  /** Whether time was over. */
  readonly isCut: boolean;
}

/** A page of results. Fails with what SQLite throws where the index is damaged. */
export function runSearch(index: SearchIndex, messages: Connection, args: SearchArgs, budgetMs = BUDGET_MS): SearchPage {
  const state = index.state();
  const walk = new Walk(index.connection, messages, args, budgetMs);
  return args.rank === 'newest' ? newestPage(walk, args, state) : relevantPage(walk, args, state);
}

function newestPage(walk: Walk, args: SearchArgs, state: IndexState): SearchPage {
  const { hits, below, isCut } = walk.take(args.cursor?.below ?? Number.MAX_SAFE_INTEGER, args.limit);
  return {
    results: hits.map(resultOf),
    next: below === null ? null : String(below),
    isBounded: isCut,
    searchedTo: isCut && below !== null ? walk.sentAt(below) : null,
    ...state,
  };
}

function relevantPage(walk: Walk, args: SearchArgs, state: IndexState): SearchPage {
  // The pages after the first compare the same messages: what came since would move them.
  const below = args.cursor?.below ?? state.total + 1;
  const { hits, below: rest, isCut } = walk.take(below, RANKED_AT_MOST);
  const skip = args.cursor?.skip ?? 0;
  const ranked = rank(hits).slice(skip, skip + args.limit);
  const isMore = skip + args.limit < hits.length;
  return {
    results: ranked.map(resultOf),
    next: isMore ? `${below}.${skip + args.limit}` : null,
    isBounded: isCut || rest !== null,
    searchedTo: rest === null ? null : walk.sentAt(rest),
    ...state,
  };
}

/** Best first (Okapi BM25 with the frequencies among these), the newer one where two fit alike. */
function rank(hits: readonly Hit[]): Hit[] {
  const terms = hits[0]?.fit.counts.length ?? 0;
  const average = hits.reduce((sum, { fit }) => sum + fit.length, 0) / Math.max(1, hits.length) || 1;
  // Everything found has every word, so that what is rare among them tells nothing: how often it stands there does.
  const score = ({ fit }: Hit): number => {
    const norm = 1.2 * (0.25 + (0.75 * fit.length) / average);
    let sum = 0;
    for (let term = 0; term < terms; term += 1) {
      const count = fit.counts[term] ?? 0;
      sum += (count * 2.2) / (count + norm);
    }
    return sum;
  };
  return hits
    .map((hit) => ({ hit, score: score(hit) }))
    .toSorted((a, b) => b.score - a.score || b.hit.row.seq - a.hit.row.seq)
    .map(({ hit }) => hit);
}

class Walk {
  readonly #index: Connection;
  readonly #messages: Connection;
  readonly #args: SearchArgs;
  readonly #match: string;
  /** A message at a place, if it is what the filters say. */
  readonly #where: Part;
  readonly #endsAt: number;

  constructor(index: Connection, messages: Connection, args: SearchArgs, budgetMs: number) {
    this.#index = index;
    this.#messages = messages;
    this.#args = args;
    this.#match = matchOf(args.query, args.scope);
    const { filter, mailbox } = args.scope;
    // Whose copies stand where is nobody else's business: an agent asks for its own.
    const conditions = conditionsOf(filter.state === undefined ? filter : { ...filter, to: mailbox });
    this.#where = {
      sql: `WHERE ${['m.seq = ?', ...conditions.map(({ sql }) => sql)].join(' AND ')}`,
      params: conditions.flatMap(({ params }) => [...params]),
    };
    this.#endsAt = performance.now() + budgetMs;
  }

  /** When the message at a place, or the next one that is there, was sent. */
  sentAt(place: number): number | null {
    const row = this.#messages.prepare('SELECT sent_at FROM messages WHERE seq >= ? ORDER BY seq LIMIT 1').get(place);
    return row === undefined ? null : SentRow.parse(row).sent_at;
  }

  /** So many matches below a place, newest first. */
  take(below: number, limit: number): Walked {
    const { after, before } = this.#args.query;
    const lowest = after === undefined ? 1 : this.#placeAt(after);
    let top = Math.min(below, this.#newest() + 1, before === undefined ? Number.MAX_SAFE_INTEGER : this.#lastBefore(before) + 1);
    const hits: Hit[] = [];
    const places = this.#index.prepare(
      'SELECT rowid AS seq FROM entries WHERE entries MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?',
    );
    const Seq = z.object({ seq: z.number() });
    while (top > lowest) {
      const bottom = Math.max(lowest, top - WINDOW);
      const wanted = limit - hits.length + 1;
      const found = places.all(this.#match, bottom, top, wanted).map((row) => Seq.parse(row).seq);
      for (const seq of found) {
        // One more than asked for: that there is more is known, and it is left for the next page.
        if (hits.length >= limit) return { hits, below: seq + 1, isCut: false };
        const hit = this.#read(seq);
        if (hit) hits.push(hit);
        if (performance.now() > this.#endsAt && seq > lowest) return { hits, below: seq, isCut: true };
      }
      // Some of what was found is not shown: what is left of this window comes next.
      top = found.length < wanted ? bottom : (found.at(-1) ?? bottom);
      if (performance.now() > this.#endsAt && top > lowest) return { hits, below: top, isCut: true };
    }
    return { hits, below: null, isCut: false };
  }

  #read(seq: number): Hit | undefined {
    const { query, scope } = this.#args;
    const found = this.#messages
      .prepare(`SELECT ${INDEXED_COLUMNS}, m.thread_id, m.sent_at, m.not_before FROM messages m ${this.#where.sql}`)
      .get(seq, ...this.#where.params);
    if (found === undefined) return undefined;
    const row = FoundRow.parse(found);
    if (query.after !== undefined && row.sent_at < query.after) return undefined;
    if (query.before !== undefined && row.sent_at >= query.before) return undefined;
    if (scope.mailbox !== undefined && !this.#isOwn(row, scope.mailbox)) return undefined;
    const fit = fitOf(query, textsOf(row));
    return fit.isFound ? { row, fit } : undefined;
  }

  /** Whether an agent sent a message, or has it in its inbox: not what expired for it, and nothing before its time. */
  #isOwn(row: FoundRow, agent: string): boolean {
    if (row.from_kind === 'agent' && row.from_id === agent) return true;
    if (row.not_before !== null && row.not_before > this.#args.now) return false;
    const copy = this.#messages.prepare('SELECT 1 FROM deliveries WHERE message_seq = ? AND recipient = ? AND dead_at IS NULL');
    return copy.get(row.seq, agent) !== undefined;
  }

  #newest(): number {
    const row = this.#messages.prepare('SELECT coalesce(max(seq), 0) AS seq FROM messages').get();
    return z.object({ seq: z.number() }).parse(row).seq;
  }

  /**
   * About where a time begins. Places follow the clock but where it was set back; so that those are found too, some hours
   * of places more is looked at, and each message's own time decides.
   */
  #placeAt(time: number): number {
    return this.#search(time - CLOCK_SLACK_MS);
  }

  #lastBefore(time: number): number {
    return this.#search(time + CLOCK_SLACK_MS);
  }

  /** The first place that was not sent before a time. */
  #search(time: number): number {
    const sentAt = this.#messages.prepare('SELECT sent_at FROM messages WHERE seq <= ? ORDER BY seq DESC LIMIT 1');
    let low = 1;
    let high = this.#newest() + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = sentAt.get(middle);
      if (row === undefined || SentRow.parse(row).sent_at < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A clock that was set back by no more than this hides nothing from after: and before:. */
const CLOCK_SLACK_MS = 2 * 3_600_000;

function resultOf({ row, fit }: Hit): SearchResult {
  return {
    // The ids were minted and checked when the row was written.
    messageId: row.id as MessageId,
    threadId: row.thread_id as MessageId,
    projectId: row.project_id as ProjectId,
    sessionId: row.session_id as SessionId,
    from: { kind: SenderKind.parse(row.from_kind), id: row.from_id },
    to: Names.parse(JSON.parse(row.addressed_to)),
    kind: Message.shape.kind.parse(row.kind),
    priority: PRIORITIES[row.priority] ?? 'normal',
    topic: row.topic,
    subject: row.subject,
    subjectMatches: [...fit.subjectMatches],
    sentAt: row.sent_at,
    snippet: fit.snippet,
  };
}
