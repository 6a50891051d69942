/** Messages of one window: its timelines, how many messages there are, and what is on its way. Created once per session. */
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import type { DeliveryChange } from '#renderer/connection/crew-follower.ts';
import type { CoreClient } from '#renderer/connection/line.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import type { MessageId, ProjectId } from '#shared/kernel/ids.ts';
import type { MessageCounts } from '#shared/messages/model.ts';
import { Coalescer } from './coalesce.ts';
import type { MessageFilter } from './message-filter.ts';
import { filterKey } from './message-filter.ts';
import { Outbox } from './outbox.ts';
import type { KeptListener, KeptStorage } from './page-storage.ts';
import { TimelineFeed } from './timeline-feed.ts';

/** Timelines that are kept for coming back to; the one used longest ago goes first. */
const FEEDS_KEPT = 4;
/** Counts are at most this old when something changes them, in milliseconds. */
const COUNT_EVERY_MS = 300;

/** What this store needs of the session. */
export interface MessagesStoreOptions {
  /** The line of the moment; throws when there is none. */
  readonly client: () => CoreClient;
  /** Told the counts of the whole data folder whenever they were asked for. */
  readonly onCounts: (counts: MessageCounts) => void;
  readonly acknowledge: (id: MessageId) => Promise<void>;
  readonly storage: KeptStorage;
  /** Tells of what other windows of this browser do to the storage. */
  readonly onKeptElsewhere: (listener: KeptListener) => Disposable;
}

/** Counts by project; '' is all of them. */
type CountTable = Readonly<Record<string, MessageCounts>>;

/** Messages of one window. */
export class MessagesStore implements Disposable {
  readonly outbox: Outbox;
  readonly counts: StoreApi<CountTable> = createStore<CountTable>(() => ({}));
  readonly #options: MessagesStoreOptions;
  readonly #feeds = new Map<string, TimelineFeed>();
  readonly #watched = new Map<ProjectId, number>();
  readonly #elsewhere: Disposable;
  readonly #counting = new Coalescer(COUNT_EVERY_MS, () => this.#count());

  constructor(options: MessagesStoreOptions) {
    this.#options = options;
    this.outbox = new Outbox({ client: options.client, acknowledge: options.acknowledge, storage: options.storage });
    this.#elsewhere = options.onKeptElsewhere((name, text) => this.outbox.takeKept(name, text));
  }

  /** The timeline of a filter: the same one as long as it is among those used lately. Pure to call while rendering. */
  feed(filter: MessageFilter): TimelineFeed {
    const key = filterKey(filter);
    const feed = this.#feeds.get(key) ?? new TimelineFeed(filter, this.#options.client);
    this.#feeds.delete(key);
    this.#feeds.set(key, feed);
    for (const [oldKey, old] of this.#feeds) {
      if (this.#feeds.size <= FEEDS_KEPT) break;
      this.#feeds.delete(oldKey);
      old.dispose();
    }
    return feed;
  }

  /** Keeps the counts of one project fresh until the returned disposable is released. Those of all always are. */
  watchCounts(projectId: ProjectId): Disposable {
    this.#watched.set(projectId, (this.#watched.get(projectId) ?? 0) + 1);
    this.#counting.ask();
    return toDisposable(() => {
      const left = (this.#watched.get(projectId) ?? 1) - 1;
      if (left === 0) this.#watched.delete(projectId);
      else this.#watched.set(projectId, left);
    });
  }

  takeEvents(events: readonly JournalEvent[]): void {
    const ours = events.filter(({ kind }) => kind.startsWith('message.'));
    if (ours.length === 0) return;
    for (const feed of this.#feeds.values()) feed.takeEvents(ours);
    this.#counting.ask();
  }

  takeDeliveries(changes: readonly DeliveryChange[]): void {
    for (const feed of this.#feeds.values()) feed.takeDeliveries(changes);
    this.#counting.ask();
  }

  /** A line stands: what was pushed meanwhile is gone, so it is asked for. */
  online(): void {
    this.#counting.ask();
    this.outbox.resume().catch(() => undefined);
    // A line that breaks again ends this; the next one begins it anew.
    for (const feed of this.#feeds.values()) feed.refresh().catch(() => undefined);
  }

  dispose(): void {
    this.#counting.dispose();
    this.#elsewhere.dispose();
    for (const feed of this.#feeds.values()) feed.dispose();
  }

  async #count(): Promise<void> {
    const client = this.#options.client();
    const [all, ...some] = await Promise.all([
      client.messages.counts({}),
      ...[...this.#watched.keys()].map(async (projectId) => [projectId, await client.messages.counts({ projectId })] as const),
    ]);
    this.counts.setState({ '': all, ...Object.fromEntries(some) });
    this.#options.onCounts(all);
  }
}
