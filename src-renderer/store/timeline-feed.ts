/**
 * One timeline: pages of the history in both directions, and what comes live at its end. Bounded: what is far from the
 * reader is let go and loaded again. Invariants: the run it holds has no gaps; a message is in it once; an answer that
 * comes after the timeline was taken elsewhere changes nothing.
 */
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { Message } from '#shared/messages/model.ts';
import { DetailQueue } from './detail-queue.ts';
import type { HistoryClient } from './history-pages.ts';
import { HistoryPages, PAGE } from './history-pages.ts';
import type { CopyChange, MessageFeed } from './message-feed.ts';
import { addDeliveries, addNewer, addOlder, unsettled } from './message-feed.ts';
import type { MessageFilter } from './message-filter.ts';
import { newsFor, withCame, withDetails, withNewest } from './timeline-growth.ts';
import type { Jump, TimelineState } from './timeline-state.ts';
import { START } from './timeline-state.ts';
import { problemOf } from './use-command.ts';

/** After a line was down it is asked where so many of the newest unsettled messages stand. */
const ASKED_AFTER_GAP = 100;
/** Messages that came while the end was being loaded are kept for it, at most so many; and so many steps of copies. */
const BUFFERED = 500;

/** One timeline. */
export class TimelineFeed implements Disposable {
  readonly store: StoreApi<TimelineState> = createStore(() => START);
  readonly filter: MessageFilter;
  readonly #pages: HistoryPages;
  readonly #details: DetailQueue;
  /** Grows with every move to another place: answers of earlier moves are dropped. */
  #move = 0;
  #isLoadingOlder = false;
  #isLoadingNewer = false;
  #isMoving = false;
  #isFollowing = true;
  #watchers = 0;
  /** Changes came while nobody looked, of which not everything was asked for. */
  #isStale = false;
  #arrived: Message[] = [];
  /** Steps of copies that were told of while a page was being loaded: it may have been read before them. */
  #stepped: CopyChange[] = [];

  /** `client` gives the line of the moment, or throws. Nothing is loaded before `showEnd` or another move. */
  constructor(filter: MessageFilter, client: () => HistoryClient) {
    this.filter = filter;
    this.#pages = new HistoryPages(filter, client);
    this.#details = new DetailQueue({
      client,
      taker: () => {
        const move = this.#move;
        return (answers) => {
          if (move === this.#move) this.store.setState((state) => withDetails(state, answers, this.filter));
        };
      },
    });
  }

  /** Goes to the newest. */
  showEnd(): Promise<void> {
    const { phase, newer } = this.store.getState();
    if (phase === 'ready' && newer === null) {
      this.#jump(null, 'end');
      return Promise.resolve();
    }
    return this.#moveToEnd();
  }

  /** Goes to the very first. */
  showStart(): Promise<void> {
    const { phase, older } = this.store.getState();
    if (phase === 'ready' && older === null) {
      this.#jump(null, 'start');
      return Promise.resolve();
    }
    return this.#moveTo(async () => ({ feed: await this.#pages.aroundTime(0), messageId: null, align: 'start' }));
  }

  /** Goes to the first message at or after a time, in milliseconds since the epoch. */
  showTime(at: number): Promise<void> {
    return this.#moveTo(async () => {
      const feed = await this.#pages.aroundTime(at);
      const first = feed.messages.find(({ sentAt }) => sentAt >= at) ?? feed.messages.at(-1);
      return { feed, messageId: first?.id ?? null, align: 'start' };
    });
  }

  /** Goes to a message, and loads what is said around it. Shows why when there is none. */
  showMessage(id: MessageId): Promise<void> {
    const { phase, messages } = this.store.getState();
    if (phase === 'ready' && messages.some((message) => message.id === id)) {
      this.#jump(id, 'center');
      return Promise.resolve();
    }
    return this.#moveTo(async () => ({ feed: await this.#pages.aroundMessage(id), messageId: id, align: 'center' }));
  }

  /** The reader nears the first of what is loaded. */
  loadOlder(): void {
    const { phase, older } = this.store.getState();
    if (phase !== 'ready' || older === null || this.#isLoadingOlder) return;
    const move = this.#move;
    this.#isLoadingOlder = true;
    this.#pages
      .list({ before: older, limit: PAGE })
      .then((page) => {
        this.#isLoadingOlder = false;
        if (move !== this.#move) return;
        this.store.setState((state) => ({ ...addOlder(state, page), pageProblem: undefined }));
        if (page.messages.length === 0) this.loadOlder();
      })
      .catch((error: unknown) => {
        this.#isLoadingOlder = false;
        this.#failPage(move, error);
      });
  }

  /** The reader nears the last of what is loaded. */
  loadNewer(): void {
    const { phase, newer } = this.store.getState();
    if (phase !== 'ready' || newer === null || this.#isLoadingNewer) return;
    const move = this.#move;
    this.#isLoadingNewer = true;
    this.#arrived = [];
    this.#stepped = [];
    this.#pages
      .list({ after: newer, limit: PAGE })
      .then((page) => {
        this.#isLoadingNewer = false;
        if (move !== this.#move) return;
        this.store.setState((state) => {
          const grown = addNewer(state, { ...page, newer: page.hasMore ? (page.newer ?? newer) : null });
          return { ...(page.hasMore ? grown : this.#withArrived(grown)), pageProblem: undefined };
        });
        this.#takeStepped();
        if (page.messages.length === 0 && page.hasMore) this.loadNewer();
      })
      .catch((error: unknown) => {
        this.#isLoadingNewer = false;
        this.#failPage(move, error);
      });
  }

  /** Somebody looks, until the returned disposable is released: only then the details of what changes are asked for. */
  watch(): Disposable {
    this.#watchers += 1;
    if (this.#isStale) {
      this.#isStale = false;
      // Without a line this fails, and is done when there is one.
      this.refresh().catch(() => undefined);
    }
    return toDisposable(() => {
      this.#watchers -= 1;
    });
  }

  /** Says whether the reader is at the end: then what comes is seen, and old rows may be let go for it. */
  setFollowing(isFollowing: boolean): void {
    this.#isFollowing = isFollowing;
    if (isFollowing && this.store.getState().behind !== 0) this.store.setState({ behind: 0 });
  }

  /** Takes events of the journal. */
  takeEvents(events: readonly JournalEvent[]): void {
    // What was removed is not named one by one: the place that is shown is loaded anew.
    if (events.some(({ kind }) => kind === 'retention.applied')) this.#leaveRemoved().catch(() => undefined);
    const { came, copies } = newsFor(this.filter, events);
    if (came.length > 0) this.#takeMessages(came);
    if (copies.length > 0) this.takeDeliveries(copies);
  }

  /** Takes where copies stand now. */
  takeDeliveries(changes: readonly CopyChange[]): void {
    const state = this.store.getState();
    if (this.#isMoving || this.#isLoadingNewer) this.#stepped = [...this.#stepped, ...changes].slice(-BUFFERED);
    if (state.phase !== 'ready') return;
    const known = new Set<string>(state.messages.map(({ id }) => id));
    const ours = changes.filter(({ messageId }) => known.has(messageId));
    const next = addDeliveries(state, ours);
    if (next !== state) this.store.setState({ deliveries: next.deliveries });
    if (this.#watchers === 0) {
      this.#isStale = true;
      return;
    }
    const isByState = this.filter.state !== undefined && this.filter.state !== 'queued';
    // A push says no times. And a message may begin to pass a filter by the state of its copies.
    const wanted = changes.filter(({ messageId, queuedAt }) => (known.has(messageId) ? queuedAt === undefined : isByState));
    this.#details.want(wanted.map(({ messageId }) => messageId as MessageId));
  }

  /** A line stands again: fetches what was pushed to nobody, or begins anew. */
  async refresh(): Promise<void> {
    const { phase, newer, messages } = this.store.getState();
    if (phase === 'failed') return this.retry();
    if (phase !== 'ready') return;
    const move = this.#move;
    if (newer === null) {
      const page = await this.#pages.list({ limit: PAGE });
      if (move !== this.#move) return;
      const known = new Set<string>(this.store.getState().messages.map(({ id }) => id));
      const isJoined = messages.length === 0 || page.messages.some(({ id }) => known.has(id)) || page.older === null;
      if (!isJoined && this.#isFollowing) return this.#moveToEnd();
      this.store.setState((state) =>
        // Too much was missed to be joined, and somebody reads: the end is left, and loaded when it is gone to.
        isJoined ? withNewest(state, page, this.filter, this.#isFollowing) : { newer: state.messages.at(-1)?.id ?? null },
      );
    }
    this.#details.want(unsettled(this.store.getState(), ASKED_AFTER_GAP).map(({ id }) => id));
  }

  /** Tries again what failed. */
  retry(): Promise<void> {
    return this.#again();
  }

  dispose(): void {
    this.#move += 1;
    this.#details.dispose();
  }

  #lastMove: () => Promise<{ feed: MessageFeed; messageId: string | null; align: Jump['align'] }> = () =>
    Promise.reject(new Error('Nothing was asked for.'));

  #again(): Promise<void> {
    return this.#moveTo(this.#lastMove);
  }

  /** Shows the same place without what was removed; the newest where that place is gone. */
  async #leaveRemoved(): Promise<void> {
    if (this.store.getState().phase !== 'ready') return;
    await this.#again();
    if (this.store.getState().phase === 'failed') await this.#moveToEnd();
  }

  #moveToEnd(): Promise<void> {
    return this.#moveTo(async () => ({ feed: await this.#pages.newest(), messageId: null, align: 'end' }));
  }

  async #moveTo(load: () => Promise<{ feed: MessageFeed; messageId: string | null; align: Jump['align'] }>): Promise<void> {
    this.#move += 1;
    const move = this.#move;
    this.#lastMove = load;
    this.#isMoving = true;
    this.#arrived = [];
    this.#stepped = [];
    // What is shown stays until the other place is there: skeletons only where there is nothing.
    if (this.store.getState().phase !== 'ready') this.store.setState({ phase: 'loading', problem: undefined });
    try {
      const { feed, messageId, align } = await load();
      if (move !== this.#move) return;
      this.#isLoadingOlder = false;
      this.#isLoadingNewer = false;
      this.#isMoving = false;
      const run = feed.newer === null ? this.#withArrived(feed) : feed;
      this.store.setState(({ jump }) => ({
        ...run,
        phase: 'ready',
        problem: undefined,
        pageProblem: undefined,
        behind: 0,
        jump: { number: jump.number + 1, messageId, align },
      }));
      this.#takeStepped();
    } catch (error) {
      if (move !== this.#move) return;
      this.#isMoving = false;
      this.store.setState({ phase: 'failed', problem: problemOf(error) });
    }
  }

  #jump(messageId: string | null, align: Jump['align']): void {
    this.store.setState(({ jump }) => ({ jump: { number: jump.number + 1, messageId, align } }));
  }

  #withArrived(feed: MessageFeed): MessageFeed {
    const arrived = this.#arrived;
    this.#arrived = [];
    return arrived.length === 0 ? feed : addNewer(feed, { messages: arrived, deliveries: [], newer: null });
  }

  #takeStepped(): void {
    const stepped = this.#stepped;
    this.#stepped = [];
    if (stepped.length > 0) this.takeDeliveries(stepped);
  }

  #takeMessages(came: readonly Message[]): void {
    const state = this.store.getState();
    // While the end is being loaded nobody knows yet whether the page holds them: they are added to it, once.
    if (state.phase !== 'ready' || state.newer !== null || this.#isLoadingNewer) {
      this.#arrived = [...this.#arrived, ...came].slice(-BUFFERED);
      if (state.phase === 'ready') this.store.setState({ behind: state.behind + came.length });
      return;
    }
    this.store.setState(withCame(state, came, this.#isFollowing));
  }

  #failPage(move: number, error: unknown): void {
    if (move === this.#move) this.store.setState({ pageProblem: problemOf(error) });
  }
}
