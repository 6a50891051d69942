/**
 * Everything that lives as long as the window: its connection, its terminals, its store. The crew's state comes by the
 * journal; messages come as a page and then by the journal; deliveries are pushed; what is pushed to nobody (unread
 * counts) is asked for again, at most a few times a second, when something changed it.
 */
import { Connection } from '#renderer/connection/connection.ts';
import type { CoreClient, Transport } from '#renderer/connection/line.ts';
import { TerminalLink } from '#renderer/connection/terminal-link.ts';
import type { DeliveryChange } from '#renderer/connection/crew-follower.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import type { CrewState } from '#shared/state.ts';
import { Coalescer } from './coalesce.ts';
import { MetricsFeed } from './metrics-feed.ts';
import { addDeliveries, addMessages, EMPTY_FEED, MESSAGES_KEPT, unsettled } from './message-feed.ts';
import type { WindowStore } from './window-state.ts';
import { createWindowStore } from './window-state.ts';

/** Unread counts are at most this old when something changes them, in milliseconds. */
const COUNT_EVERY_MS = 300;
/** For so many of the newest messages it is asked where their copies stand when a line opens; pushes while it was down are gone. */
const DELIVERIES_ASKED = 50;
/** Largest page of agents and of the inbox. */
const AGENTS_PAGE = 500;
const INBOX_PAGE = 200;

/** What lives as long as the window. */
export class WindowSession {
  readonly store: WindowStore = createWindowStore();
  readonly terminals: TerminalLink;
  readonly metrics: MetricsFeed;
  readonly #events = new Emitter<readonly JournalEvent[]>(reportError);
  readonly #deliveries = new Emitter<readonly DeliveryChange[]>(reportError);
  readonly #online = new Emitter<undefined>(reportError);
  readonly #connection: Connection;
  readonly #counts = new Coalescer(COUNT_EVERY_MS, () => this.#count());

  constructor(transport: Transport) {
    this.terminals = new TerminalLink(transport);
    this.metrics = new MetricsFeed((after) => this.client.agents.metrics(after === undefined ? {} : { after }));
    this.#connection = new Connection({
      transport,
      onStatus: (status) => this.store.setState({ status }),
      crew: {
        onSnapshot: (crew) => this.store.setState({ crew, hasCrew: true, feed: EMPTY_FEED }),
        onEvents: (events, crew) => this.#takeEvents(events, crew),
        onDeliveries: (changes) => {
          this.#deliveries.fire(changes);
          this.store.setState(({ feed }) => ({ feed: addDeliveries(feed, changes) }));
          this.#counts.ask();
        },
        onFollowing: () => {
          this.terminals.retry();
          this.#refresh().catch(() => undefined);
          this.#online.fire(undefined);
        },
      },
    });
  }

  /** The core's procedures; throws a ConnectError while the core is not reachable. */
  get client(): CoreClient {
    return this.#connection.client;
  }

  /** Calls `listener` with the journal's events as they are folded, in order. What came before a snapshot is not repeated. */
  onEvents(listener: (events: readonly JournalEvent[]) => void): Disposable {
    return this.#events.on(listener);
  }

  /** Calls `listener` with deliveries that changed, the newest state of each. None come while the line is down. */
  onDeliveries(listener: (changes: readonly DeliveryChange[]) => void): Disposable {
    return this.#deliveries.on(listener);
  }

  /** Calls `listener` whenever a line stands: what is pushed to nobody must be asked for again. */
  onOnline(listener: () => void): Disposable {
    return this.#online.on(listener);
  }

  /** Connects and stays connected until `dispose`. */
  run(): Promise<void> {
    return this.#connection.run();
  }

  /** Tries to connect now. */
  retry(): void {
    this.#connection.retry();
  }

  /** Marks messages in the operator's inbox as dealt with. Rejects as the call does. */
  async acknowledge(messageIds: readonly string[]): Promise<void> {
    const wanted = new Set(messageIds);
    const ids = this.store
      .getState()
      .inbox.filter(({ id }) => wanted.has(id))
      .map(({ id }) => id);
    if (ids.length === 0) return;
    await this.client.messages.markRead({ messageIds: ids });
    this.store.setState(({ inbox }) => ({ inbox: inbox.filter(({ id }) => !wanted.has(id)) }));
  }

  dispose(): void {
    this.#counts.dispose();
    this.metrics.dispose();
    this.terminals.dispose();
    this.#connection.dispose();
  }

  #takeEvents(events: readonly JournalEvent[], crew: CrewState): void {
    const messages = events.flatMap((event) => (event.kind === 'message.sent' ? [event.data.message] : []));
    this.store.setState(({ feed }) => ({ crew, feed: addMessages(feed, messages) }));
    if (messages.length > 0) this.#counts.ask();
    this.#events.fire(events);
  }

  /** What a line that has just opened must fetch. */
  async #refresh(): Promise<void> {
    const { client } = this;
    if (!this.store.getState().feed.isLoaded) {
      const page = await client.messages.list({ limit: MESSAGES_KEPT });
      this.store.setState(({ feed }) => {
        const merged = addMessages(feed, page.messages);
        return { feed: { ...merged, isLoaded: true, hasOlder: merged.hasOlder || page.hasMore } };
      });
    }
    await Promise.all([this.#count(), this.#askDeliveries(client)]);
  }

  async #count(): Promise<void> {
    const { client } = this;
    const [{ agents }, { messages }] = await Promise.all([
      client.agents.list({ limit: AGENTS_PAGE }),
      client.messages.inbox({ unreadOnly: true, limit: INBOX_PAGE }),
    ]);
    this.store.setState({ unread: Object.fromEntries(agents.map(({ id, unread }) => [id, unread])), inbox: messages });
  }

  async #askDeliveries(client: CoreClient): Promise<void> {
    const open = unsettled(this.store.getState().feed, DELIVERIES_ASKED);
    const answers = await Promise.all(open.map(({ id }) => client.messages.get({ id })));
    const changes = answers.flatMap(({ deliveries }) => deliveries);
    this.store.setState(({ feed }) => ({ feed: addDeliveries(feed, changes) }));
  }
}
