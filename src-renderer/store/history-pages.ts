/** Pages of the history that pass a filter, asked of the core. What it returns is whole: a run without gaps. */
import type { CoreClient } from '#renderer/connection/line.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { MessageFeed } from './message-feed.ts';
import { addNewer, addOlder, EMPTY_FEED } from './message-feed.ts';
import type { ListInput, MessageFilter } from './message-filter.ts';

/** Messages asked for at a time: some screens full, so that fast scrolling meets loaded rows. */
export const PAGE = 200;
/** On each side of a message that is gone to. */
const HALF_PAGE = 100;
/** Where matches are rare a page may be nearly empty: it is gone on until so many are there, or so many pages were read. */
const ENOUGH = 40;
const MOST_PAGES = 25;

/** A page as the core gives it. */
export type HistoryPage = Awaited<ReturnType<CoreClient['messages']['list']>>;

/** The two procedures that are used; the core's whole client is one. */
export interface HistoryClient {
  readonly messages: Pick<CoreClient['messages'], 'list' | 'get'>;
}

/** The history of one filter. Every call rejects as the core's do, and when there is no line. */
export class HistoryPages {
  readonly #filter: MessageFilter;
  readonly #client: () => HistoryClient;

  /** `client` gives the line of the moment, or throws. */
  constructor(filter: MessageFilter, client: () => HistoryClient) {
    this.#filter = filter;
    this.#client = client;
  }

  /** One page. */
  list(input: Pick<ListInput, 'before' | 'after' | 'around' | 'limit'>): Promise<HistoryPage> {
    return Promise.resolve(this.#client().messages.list({ ...this.#filter, ...input }));
  }

  /** Back from the newest until there is a screen full. */
  async newest(): Promise<MessageFeed> {
    let page = await this.list({ limit: PAGE });
    let feed = addOlder(EMPTY_FEED, page);
    for (let pages = 1; feed.messages.length < ENOUGH && page.older !== null && pages < MOST_PAGES; pages += 1) {
      page = await this.list({ before: page.older, limit: PAGE });
      feed = addOlder(feed, page);
    }
    return feed;
  }

  /** What was said around a time, in milliseconds since the epoch, and on from there until there is a screen full. */
  async aroundTime(at: number): Promise<MessageFeed> {
    let page = await this.list({ around: at, limit: PAGE });
    let feed: MessageFeed = { ...addOlder(EMPTY_FEED, page), newer: page.newer };
    for (let pages = 1; feed.messages.length < ENOUGH && feed.newer !== null && pages < MOST_PAGES; pages += 1) {
      page = await this.list({ after: feed.newer, limit: PAGE });
      feed = addNewer(feed, { ...page, newer: page.hasMore ? page.newer : null });
    }
    return feed;
  }

  /** A message, and what was said around it. Rejects when there is none. */
  async aroundMessage(id: MessageId): Promise<MessageFeed> {
    const [one, before, after] = await Promise.all([
      this.#client().messages.get({ id }),
      this.list({ before: id, limit: HALF_PAGE }),
      this.list({ after: id, limit: HALF_PAGE }),
    ]);
    const middle = { ...EMPTY_FEED, older: before.older, newer: after.hasMore ? after.newer : null };
    const feed = addOlder(addNewer(middle, { ...one, messages: [one.message], newer: middle.newer }), before);
    return addNewer(feed, { ...after, newer: middle.newer });
  }
}
