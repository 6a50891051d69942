/**
 * Inboxes: reading, waiting, acknowledging.
 * Invariants: a delivery is handed to one waiter; what was acknowledged or has expired is never handed out again; a waiter
 * never sleeps while its inbox holds something that was not handed out; memory (counts, waiters) changes only after the
 * commit of what it tells.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { Message } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import { isWork } from './boundary-rule.ts';
import type { StoredInboxMessage } from './deliveries-repository.ts';
import { findDelivery, inboxPage, markDelivered, markRead, queuedMessages } from './deliveries-repository.ts';
import type { DeliveryChange } from './delivery-changes.ts';
import { DeliveryChanges } from './delivery-changes.ts';
import type { InboxCounters } from './inbox-counters.ts';
import type { DeadMessage } from './message-expiry.ts';
import type { MessageInputs } from './message-draft.ts';
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
  readonly counters: InboxCounters;
  readonly resolveAgent: AgentDirectory['resolveAgent'];
  readonly now: () => number;
  /** What expires then or earlier has expired. */
  readonly expiredUntil: () => number;
}

/** Most ids that an error names. */
const NAMED_IDS = 5;

/** The inboxes of everybody. */
export class Inboxes implements Disposable {
  readonly #o: InboxesOptions;
  readonly #waiters = new Waiters();
  readonly #changes = new DeliveryChanges();
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
    this.#changes.dispose();
    this.#activity.dispose();
  }

  /** How many callers wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Deliveries that changed, gathered over some milliseconds, the newest state of each. */
  onDeliveries(listener: (changes: readonly DeliveryChange[]) => void): Disposable {
    return this.#changes.on(listener);
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
      expiredUntil: this.#o.expiredUntil(),
    };
    if (caller.agentId === undefined) {
      const messages = await this.#o.store.read('messages.inbox', args);
      if (!messages) throw notInInbox(input.after);
      return { messages, unread: this.#o.counters.of(recipient).unread };
    }
    const messages = await this.#o.store.write((tx) => {
      const page = inboxPage(tx, args);
      if (!page) throw notInInbox(input.after);
      return this.#handOut(tx, recipient, page);
    });
    return { messages, unread: this.#o.counters.of(recipient).unread };
  }

  /** Hands out what was never handed out: at once when there is something, else when it comes, else nothing after the timeout. */
  async wait(input: MessageInputs['wait'], caller: Caller, signal: AbortSignal): Promise<InboxPage> {
    const recipient = ownInbox(caller);
    if (this.#isEnding) throw endingError();
    if (!signal.aborted) {
      const waiter = this.#waiters.add(recipient, input.limit, signal);
      if (this.#o.counters.of(recipient).queued > 0) {
        this.#startServing(recipient);
        await this.#serving.get(recipient);
      }
      if (!waiter.isSettled && input.timeoutMs > 0) this.#tellActivity(recipient, 'waiting');
      waiter.expireAfter(input.timeoutMs);
      const page = await waiter.outcome;
      if (page) return page;
    }
    return { messages: [], unread: this.#o.counters.of(recipient).unread };
  }

  /** Acknowledges. NOT_FOUND when an id is not in the caller's inbox, and nothing is marked then. */
  async markRead(input: MessageInputs['markRead'], caller: Caller): Promise<{ marked: number }> {
    const recipient = ownInbox(caller);
    const ids = withoutRepetitions(input.messageIds);
    return this.#o.store.write((tx) => {
      const expiredUntil = this.#o.expiredUntil();
      const found = ids.map((id) => ({ id, delivery: findDelivery(tx, id, recipient, expiredUntil) }));
      const unknown = found.filter((entry) => !entry.delivery).map((entry) => entry.id);
      if (unknown.length > 0) throw unknownIds(unknown);
      const at = this.#o.now();
      let marked = 0;
      for (const { id, delivery } of found) {
        // What has expired stays so.
        if (!delivery || delivery.state === 'read' || delivery.state === 'dead') continue;
        markRead(tx, delivery.seq, recipient, at);
        marked += 1;
        const wasQueued = delivery.state === 'queued';
        tx.afterCommit(() => {
          this.#o.counters.add(recipient, delivery.projectId, {
            unread: -1,
            queued: wasQueued ? -1 : 0,
            held: delivery.isWork && !wasQueued ? -1 : 0,
          });
          this.#changes.add(id, recipient, 'read');
        });
      }
      // Whoever acknowledges what has expired has dealt with it all the same.
      if (found.some(({ delivery }) => delivery?.state !== 'read'))
        tx.afterCommit(() => this.#tellActivity(recipient, 'acknowledged'));
      return { marked };
    });
  }

  /** Inside the write of a send: whoever waits is served in the same commit when there is room in it. */
  beforeSent(message: Message): void {
    for (const recipient of message.recipients) if (this.#waiters.has(recipient)) this.#startServing(recipient);
  }

  /** After the commit of a send. */
  onSent(message: Message): void {
    for (const recipient of message.recipients) {
      this.#o.counters.add(recipient, message.projectId, { queued: 1, unread: 1 });
      this.#changes.add(message.id, recipient, 'queued');
      // Sent in the same transaction, but after the serving ran: what is left needs another.
      if (this.#waiters.has(recipient)) this.#startServing(recipient);
    }
  }

  /** After the commit of a message's death. */
  onDead({ id, projectId, isWork: wasWork, deliveries }: DeadMessage): void {
    for (const { recipient, wasQueued } of deliveries) {
      const wasHeld = wasWork && !wasQueued;
      this.#o.counters.add(recipient, projectId, { unread: -1, queued: wasQueued ? -1 : 0, held: wasHeld ? -1 : 0 });
      this.#changes.add(id, recipient, 'dead');
      // It waits, and holds less than when it began to: that tells what it is at.
      if (wasHeld && this.#waiters.has(recipient)) this.#tellActivity(recipient, 'waiting');
    }
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
    const queued = queuedMessages(tx, recipient, waiter.limit, this.#o.expiredUntil());
    if (queued.length === 0) return false;
    const messages = this.#handOut(tx, recipient, queued);
    tx.afterCommit(() => waiter.settle({ messages, unread: this.#o.counters.of(recipient).unread }));
    return true;
  }

  /** Marks as handed out what of a page was not; returns the page as its recipient sees it then. */
  #handOut(tx: Tx, recipient: string, page: readonly StoredInboxMessage[]): StoredInboxMessage['message'][] {
    const taken = page.filter(({ message }) => message.state === 'queued');
    const at = this.#o.now();
    for (const { seq } of taken) markDelivered(tx, seq, recipient, at);
    if (taken.length > 0) {
      tx.afterCommit(() => {
        for (const { message } of taken) {
          this.#o.counters.add(recipient, message.projectId, { queued: -1, held: isWork(message.kind) ? 1 : 0 });
          this.#changes.add(message.id, recipient, 'delivered');
        }
        this.#tellActivity(recipient, 'taken');
      });
    }
    return page.map(({ message }) => (message.state === 'queued' ? { ...message, state: 'delivered' } : message));
  }

  #tellActivity(recipient: string, kind: InboxActivity['kind']): void {
    this.#activity.fire({ recipient, kind, held: this.#o.counters.of(recipient).held });
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

/** The inbox that a caller may change: an agent's own, or the operator's for whoever holds that role. */
function ownInbox(caller: Caller): string {
  if (caller.agentId !== undefined) return caller.agentId;
  if (caller.role === 'operator') return OPERATOR;
  throw new AppError(
    'FORBIDDEN',
    `Role "${caller.role}" has no inbox of its own: it may look (get_messages), not take or acknowledge.`,
  );
}

function endingError(): AppError {
  return new AppError('UNAVAILABLE', 'Quarterdeck is ending. Nothing was handed out; wait again when it is back.', {
    retryable: true,
  });
}

function notInInbox(id: string | undefined): AppError {
  return new AppError(
    'NOT_FOUND',
    `Message ${id} is not in this inbox. State in "after" the id of the last message of the page before, or leave it out.`,
    { data: { field: 'after' } },
  );
}

function unknownIds(ids: readonly string[]): AppError {
  const named = ids.slice(0, NAMED_IDS).join(', ');
  const more = ids.length > NAMED_IDS ? ` and ${ids.length - NAMED_IDS} more` : '';
  return new AppError(
    'NOT_FOUND',
    `Not in your inbox: ${named}${more}. Nothing was marked. See what is there with get_messages.`,
    { data: { messageIds: ids.slice(0, NAMED_IDS) } },
  );
}
