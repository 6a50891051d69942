/**
 * Everything that lives as long as the window: its connection, its terminals, its store. The crew's state comes by the
 * journal; messages are a store of their own, as far as they are looked at; what is pushed to nobody (counts, the
 * operator's inbox) is asked for again, at most a few times a second, when something changed it.
 */
import { Connection } from '#renderer/connection/connection.ts';
import type { CoreClient, Transport } from '#renderer/connection/line.ts';
import { TerminalLink } from '#renderer/connection/terminal-link.ts';
import type { DeliveryChange } from '#renderer/connection/crew-follower.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import type { CrewState } from '#shared/state.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import { Coalescer, Pacer } from './coalesce.ts';
import { MetricsFeed } from './metrics-feed.ts';
import { MessagesStore } from './messages-store.ts';
import type { WindowStore } from './window-state.ts';
import { createWindowStore } from './window-state.ts';
import { onKeptElsewhere, pageStorage } from './page-storage.ts';

/** The inbox is at most this old when something changes it, in milliseconds. */
const INBOX_EVERY_MS = 200;
/**
 * What happens is shown at once after a silence, and while much happens so often, in milliseconds: each showing draws the fleet,
 * which keys wait for.
 */
const SHOW_EVERY_MS = 40;
/** Largest page of the inbox. */
const INBOX_PAGE = 200;

/** What lives as long as the window. */
export class WindowSession {
  readonly store: WindowStore = createWindowStore();
  readonly terminals: TerminalLink;
  readonly metrics: MetricsFeed;
  readonly messages: MessagesStore;
  readonly #events = new Emitter<readonly JournalEvent[]>(reportError);
  readonly #deliveries = new Emitter<readonly DeliveryChange[]>(reportError);
  readonly #online = new Emitter<undefined>(reportError);
  readonly #connection: Connection;
  readonly #inbox = new Coalescer(INBOX_EVERY_MS, () => this.#askInbox());
  /** What happened and is not shown yet, and the crew after it. */
  #fresh: { readonly events: JournalEvent[]; crew: CrewState } | undefined;
  readonly #showing = new Pacer(SHOW_EVERY_MS, () => this.#showEvents());
  /** When the line was lost last, in milliseconds since the epoch; undefined when it never was. */
  #lostAt: number | undefined;

  constructor(transport: Transport) {
    this.terminals = new TerminalLink(transport);
    this.metrics = new MetricsFeed((after) => this.client.agents.metrics(after === undefined ? {} : { after }));
    this.messages = new MessagesStore({
      client: () => this.client,
      onCounts: ({ queues }) =>
        this.store.setState({ unread: Object.fromEntries(queues.map(({ recipient, unread }) => [recipient, unread])) }),
      // Straight to the core: after a reload the inbox may not be there yet when an answer is sent again.
      acknowledge: async (id) => {
        await this.client.messages.markRead({ messageIds: [id] });
        this.store.setState(({ inbox }) => ({ inbox: inbox.filter((message) => message.id !== id) }));
      },
      storage: pageStorage,
      onKeptElsewhere,
    });
    this.#connection = new Connection({
      transport,
      onStatus: (status) => {
        if (status.kind === 'offline') this.#lostAt = status.since;
        this.store.setState({ status });
      },
      crew: {
        onSnapshot: (crew) => {
          this.#showing.flush();
          this.store.setState({ crew, hasCrew: true });
        },
        onEvents: (events, crew) => this.#takeEvents(events, crew),
        onDeliveries: (changes) => {
          // Of messages that may not have been shown yet.
          this.#showing.flush();
          this.#deliveries.fire(changes);
          this.messages.takeDeliveries(changes);
          if (changes.some(({ recipient }) => recipient === OPERATOR)) this.#inbox.ask();
        },
        onFollowing: () => {
          this.terminals.retry(this.#lostAt);
          // At once: before it comes nothing can be said about who waits for the operator. If it fails, it is asked for again.
          this.#askInbox().catch(() => this.#inbox.ask());
          this.messages.online();
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
    this.#inbox.dispose();
    this.#showing.dispose();
    this.messages.dispose();
    this.metrics.dispose();
    this.terminals.dispose();
    this.#connection.dispose();
  }

  #takeEvents(events: readonly JournalEvent[], crew: CrewState): void {
    if (this.#fresh === undefined) this.#fresh = { events: [...events], crew };
    else {
      this.#fresh.events.push(...events);
      this.#fresh.crew = crew;
    }
    this.#showing.ask();
  }

  #showEvents(): void {
    if (this.#fresh === undefined) return;
    const { events, crew } = this.#fresh;
    this.#fresh = undefined;
    this.store.setState({ crew });
    this.messages.takeEvents(events);
    const answered = events.flatMap((event) =>
      event.kind === 'message.sent' && event.data.message.from.kind === 'operator' ? (event.data.message.inReplyTo ?? []) : [],
    );
    // Through whatever door: who has got an answer waits no more.
    if (answered.length > 0) this.store.setState((state) => ({ answered: new Set([...state.answered, ...answered]) }));
    if (events.some((event) => event.kind === 'message.sent' && event.data.message.recipients.includes(OPERATOR)))
      this.#inbox.ask();
    this.#events.fire(events);
  }

  async #askInbox(): Promise<void> {
    const { messages } = await this.client.messages.inbox({ unreadOnly: true, limit: INBOX_PAGE });
    this.store.setState({ inbox: messages, hasInbox: true });
  }
}
