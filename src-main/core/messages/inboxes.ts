/**
 * Inboxes: reading, waiting, acknowledging. Agents' calls about what they hold are ./leases.ts.
 * Invariants: a delivery is handed to one waiter, and to the next only after its lease ended; what was acknowledged or has
 * expired is never handed out again; a waiter never sleeps while its inbox holds something to be handed out; memory (counts,
 * waiters) changes only after the commit of what it tells.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { InboxMessage, Message } from '#shared/messages/model.ts';
import { DEFAULT_LEASE_MS, OPERATOR } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import { isWork } from './boundary-rule.ts';
import type { StoredInboxMessage } from './deliveries-repository.ts';
import { findDelivery, inboxPage, oldestPassedOver, markDelivered, markRead, queuedMessages } from './deliveries-repository.ts';
import type { DeliveryBook } from './delivery-book.ts';
import type { Copy } from './inbox-count.ts';
import type { DueDeliveries } from './due-deliveries.ts';
import { FairTurns } from './fair-turns.ts';
import type { MessageInputs } from './message-draft.ts';
import { endingError, notInInbox, ownInbox, unknownIds } from './inbox-errors.ts';
import type { AgentDirectory } from './resolve-recipients.ts';
import { withoutRepetitions } from './resolve-recipients.ts';
import type { InboxPage, Waiter } from './waiters.ts';
import { Waiters } from './waiters.ts';

/** What the owner of an inbox did: evidence of what an agent is at. */
export interface InboxActivity {
  readonly recipient: string;
  /** waiting: it waits and there is nothing to hand out; taken: it was handed messages; acknowledged: it has dealt with some. */
  readonly kind: 'waiting' | 'taken' | 'acknowledged';
  /** Tasks and requests it holds now: handed out and not acknowledged. */
  readonly held: number;
}

/** What the inboxes stand on. */
export interface InboxesOptions {
  readonly store: AppStore;
  readonly book: DeliveryBook;
  readonly resolveAgent: AgentDirectory['resolveAgent'];
  readonly now: () => number;
  readonly due: Pick<DueDeliveries, 'in' | 'expiredUntil' | 'note'>;
  /** See fair-turns.ts; in milliseconds. */
  readonly fairAfterMs: number;
}

/** The inboxes of everybody. */
export class Inboxes implements Disposable {
  readonly #o: InboxesOptions;
  readonly #waiters = new Waiters();
  readonly #turns = new FairTurns();
  readonly #activity = new Emitter<InboxActivity>();
  /** Inboxes whose waiters are about to be served: the write is queued, or has run and is not committed. */
  readonly #serving = new Map<string, Promise<void>>();
  #isEnding = false;

  constructor(options: InboxesOptions) {
    this.#o = options;
  }

  /** Ends every wait with UNAVAILABLE, refuses further ones, and forgets all listeners. */
  dispose(): void {
    this.#isEnding = true;
    this.#waiters.failAll(endingError());
    this.#activity.dispose();
  }

  /** How many callers wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** What owners of inboxes do, after the commit. */
  onActivity(listener: (activity: InboxActivity) => void): Disposable {
    return this.#activity.on(listener);
  }

  /** A page of an inbox. An agent's own counts as handed out to it; nobody else's look changes anything. */
  async inbox(input: MessageInputs['inbox'], caller: Caller): Promise<InboxPage> {
    const recipient = this.#visibleInbox(input.agentId, caller);
    const args = {
      recipient,
      unreadOnly: input.unreadOnly,
      limit: input.limit,
      after: input.after,
      expiredUntil: this.#o.due.expiredUntil(),
    };
    if (caller.agentId === undefined) {
      const messages = await this.#o.store.read('messages.inbox', args);
      if (!messages) throw notInInbox(input.after);
      return { messages, unread: this.#o.book.counters.of(recipient).unread };
    }
    const messages = await this.#o.store.write((tx) => {
      const page = inboxPage(tx, args);
      if (!page) throw notInInbox(input.after);
      return this.#handOut(tx, recipient, page, DEFAULT_LEASE_MS);
    });
    return { messages, unread: this.#o.book.counters.of(recipient).unread };
  }

  /** Hands out what waits: at once when there is something, else when it comes, else nothing after the timeout. */
  async wait(input: MessageInputs['wait'], caller: Caller, signal: AbortSignal): Promise<InboxPage> {
    const recipient = ownInbox(caller);
    if (this.#isEnding) throw endingError();
    if (!signal.aborted) {
      const waiter = this.#waiters.add(recipient, { limit: input.limit, leaseMs: input.leaseMs }, signal);
      if (this.#o.book.counters.of(recipient).queued > 0) {
        this.#startServing(recipient);
        await this.#serving.get(recipient);
      }
      if (!waiter.isSettled && input.timeoutMs > 0) this.#tellActivity(recipient, 'waiting');
      waiter.expireAfter(input.timeoutMs);
      const page = await waiter.outcome;
      if (page) return page;
    }
    return { messages: [], unread: this.#o.book.counters.of(recipient).unread };
  }

  /** Acknowledges. NOT_FOUND when an id is not in the caller's inbox, and nothing is marked then. */
  async markRead(input: MessageInputs['markRead'], caller: Caller): Promise<{ marked: number }> {
    const recipient = ownInbox(caller);
    const ids = withoutRepetitions(input.messageIds);
    return this.#o.store.write((tx) => {
      const expiredUntil = this.#o.due.expiredUntil();
      const found = ids.map((id) => ({ id, delivery: findDelivery(tx, id, recipient, expiredUntil) }));
      const unknown = found.filter((entry) => !entry.delivery).map((entry) => entry.id);
      if (unknown.length > 0) throw unknownIds(unknown);
      const at = this.#o.now();
      let marked = 0;
      for (const { delivery } of found) {
        // What has expired stays so.
        if (!delivery || delivery.state === 'read' || delivery.state === 'dead') continue;
        markRead(tx, delivery.seq, recipient, at);
        marked += 1;
        tx.afterCommit(() =>
          this.#o.book.move(delivery, delivery.place, {
            place: undefined,
            state: 'read',
            attempts: delivery.attempts,
            leasedUntil: null,
          }),
        );
      }
      // Whoever acknowledges what has expired has dealt with it all the same.
      if (found.some(({ delivery }) => delivery?.state !== 'read'))
        tx.afterCommit(() => this.#tellActivity(recipient, 'acknowledged'));
      return { marked };
    });
  }

  /** Inside the write that puts something into these inboxes: whoever waits is served in the same commit when there is room in it. */
  beforeQueued(recipients: readonly string[]): void {
    for (const recipient of recipients) if (this.#waiters.has(recipient)) this.#startServing(recipient);
  }

  /** After the commit of a send. */
  onSent(message: Message, chars: number): void {
    const place = message.notBefore === null ? 'queued' : 'delayed';
    for (const recipient of message.recipients) {
      const copy = { messageId: message.id, recipient, projectId: message.projectId, isWork: isWork(message.kind), chars };
      this.#o.book.move(copy, undefined, { place, state: 'queued', attempts: 0, leasedUntil: null });
    }
    if (place === 'queued') this.onQueued(message.recipients);
  }

  /** After the commit that put something into these inboxes. */
  onQueued(recipients: readonly string[]): void {
    // Put there in the same transaction, but after the serving ran: what is left needs another.
    this.beforeQueued(recipients);
  }

  /** After a recipient lost work that it held, not by acknowledging it. */
  onLost(recipient: string): void {
    // It waits, and holds less than when it began to: that tells what it is at.
    if (this.#waiters.has(recipient)) this.#tellActivity(recipient, 'waiting');
  }

  /** Inside the write of a message: hands it to one of its recipients, past those who wait at the inbox. */
  handTo(tx: Tx, seq: number, message: Message, recipient: string, chars: number): InboxMessage {
    const leasedUntil = this.#leaseOf(recipient, DEFAULT_LEASE_MS);
    markDelivered(tx, seq, recipient, this.#o.now(), leasedUntil);
    const handed: InboxMessage = { ...message, state: 'delivered', attempts: 1, leasedUntil };
    const copy = { messageId: message.id, recipient, projectId: message.projectId, isWork: isWork(message.kind), chars };
    tx.afterCommit(() => this.#onHandedOut(recipient, [{ copy, message: handed }]));
    return handed;
  }

  /**
   * Queues the write that gives what is queued in an inbox to those who wait there when it runs; one at a time.
   * A failure is told to the waiters.
   */
  #startServing(recipient: string): void {
    if (this.#serving.has(recipient)) return;
    const serve = this.#o.store
      .write((tx) => {
        // Kept until the commit: a second serving in the same transaction would hand more to waiters that have their page
        // already and are only not told yet.
        tx.afterCommit(() => this.#serving.delete(recipient));
        for (const waiter of this.#waiters.of(recipient)) if (!this.#serveOne(tx, recipient, waiter)) break;
      })
      .catch((error: unknown) => {
        if (this.#serving.get(recipient) === serve) this.#serving.delete(recipient);
        const failure = error instanceof Error ? error : new Error(messageOf(error));
        for (const waiter of this.#waiters.of(recipient)) waiter.fail(failure);
      });
    this.#serving.set(recipient, serve);
  }

  #serveOne(tx: Tx, recipient: string, waiter: Waiter): boolean {
    const expiredUntil = this.#o.due.expiredUntil();
    const queued = queuedMessages(tx, recipient, waiter.limit, expiredUntil);
    if (queued.length === 0) return false;
    const isAll = queued.length < waiter.limit && this.#o.book.counters.of(recipient).queued <= queued.length;
    const waitingSince = this.#o.now() - this.#o.fairAfterMs;
    const page = this.#turns.page(recipient, queued, isAll, (above) =>
      oldestPassedOver(tx, recipient, above, waitingSince, expiredUntil),
    );
    const messages = this.#handOut(tx, recipient, page, waiter.leaseMs ?? DEFAULT_LEASE_MS);
    tx.afterCommit(() => waiter.settle({ messages, unread: this.#o.book.counters.of(recipient).unread }));
    return true;
  }

  /** Marks as handed out what of a page was not; returns the page as its recipient sees it then. */
  #handOut(tx: Tx, recipient: string, page: readonly StoredInboxMessage[], leaseMs: number): InboxMessage[] {
    const at = this.#o.now();
    let leasedUntil: number | null | undefined;
    const taken: { copy: Copy; message: InboxMessage }[] = [];
    const messages = page.map(({ seq, chars, message }) => {
      if (message.state !== 'queued') return message;
      leasedUntil ??= this.#leaseOf(recipient, leaseMs);
      markDelivered(tx, seq, recipient, at, leasedUntil);
      const handed: InboxMessage = { ...message, state: 'delivered', attempts: message.attempts + 1, leasedUntil };
      const { id: messageId, projectId, kind } = message;
      taken.push({ copy: { messageId, recipient, projectId, isWork: isWork(kind), chars }, message: handed });
      return handed;
    });
    if (taken.length > 0) tx.afterCommit(() => this.#onHandedOut(recipient, taken));
    return messages;
  }

  #onHandedOut(recipient: string, taken: readonly { copy: Copy; message: InboxMessage }[]): void {
    for (const { copy, message } of taken)
      this.#o.book.move(copy, 'queued', {
        place: 'delivered',
        state: 'delivered',
        attempts: message.attempts,
        leasedUntil: message.leasedUntil,
      });
    const leasedUntil = taken[0]?.message.leasedUntil ?? null;
    if (leasedUntil !== null) this.#o.due.note(leasedUntil);
    this.#tellActivity(recipient, 'taken');
  }

  /** Until when a recipient has what it is handed now for itself. A person reads when they read. */
  #leaseOf(recipient: string, leaseMs: number): number | null {
    return recipient === OPERATOR ? null : this.#o.due.in(leaseMs);
  }

  #tellActivity(recipient: string, kind: InboxActivity['kind']): void {
    this.#activity.fire({ recipient, kind, held: this.#o.book.counters.of(recipient).held });
  }

  /** The inbox a caller asks to see. */
  #visibleInbox(agentId: AgentId | undefined, caller: Caller): string {
    if (caller.agentId !== undefined) {
      if (agentId === undefined || agentId === caller.agentId) return caller.agentId;
      throw new AppError('FORBIDDEN', 'An agent sees its own inbox only. Leave agentId out.', { data: { field: 'agentId' } });
    }
    if (agentId === undefined) return OPERATOR;
    if (this.#o.resolveAgent(agentId)) return agentId;
    throw new AppError('NOT_FOUND', `Agent "${agentId}" does not exist. See who is there with list_agents.`, {
      data: { agentId },
    });
  }
}
