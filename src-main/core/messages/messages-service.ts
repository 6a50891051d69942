/**
 * Messages: sending, the history, counts. Inboxes are ./inboxes.ts, what agents hold ./leases.ts, what is due by time
 * ./due-deliveries.ts, what died ./dead-letters.ts, who waits for answers ./awaited-replies.ts.
 * Invariants: what was answered is committed; memory changes only after the commit of what it tells.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import type { Delivery, InboxMessage, Message, MessageCounts, QueueInspection } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import type { AgentEnd } from './awaited-replies.ts';
import { AwaitedReplies } from './awaited-replies.ts';
import type { RefusedWish, SenderFacts } from './compose-message.ts';
import { composeMessage, senderOf } from './compose-message.ts';
import { DeadLetters } from './dead-letters.ts';
import { countInboxes } from './deliveries-repository.ts';
import { DeliveryBook } from './delivery-book.ts';
import type { DeliveryChange } from './delivery-changes.ts';
import { DeliveryChanges } from './delivery-changes.ts';
import { DueDeliveries } from './due-deliveries.ts';
import { markAnswered } from './due-repository.ts';
import { FAIR_AFTER_MS } from './fair-turns.ts';
import type { HistoryPage } from './history-repository.ts';
import { InboxCounters } from './inbox-counters.ts';
import { ownInbox } from './inbox-errors.ts';
import type { InboxLimits } from './inbox-limits.ts';
import { INBOX_LIMITS, isFull } from './inbox-limits.ts';
import type { InboxActivity } from './inboxes.ts';
import { Inboxes } from './inboxes.ts';
import { Leases } from './leases.ts';
import type { MessageDraft, MessageInputs, SendInput } from './message-draft.ts';
import { draftOf, hasContentOf } from './message-draft.ts';
import type { DeadPage } from './message-reads.ts';
import { MessageViews } from './message-views.ts';
import type { MessagesOptions } from './messages-options.ts';
import type { StoredMessage } from './messages-repository.ts';
import { countProjects, findByKey, insertMessage, sizeOf } from './messages-repository.ts';
import { steadyClock } from './steady-clock.ts';
import type { SystemEvent, Tell } from './system-events.ts';
import { inboxOf } from './system-events.ts';
import type { InboxPage } from './waiters.ts';

/** What a send answers. */
export interface SendResult {
  readonly messageId: MessageId;
  readonly threadId: MessageId;
  readonly recipients: string[];
  /** Those who do not get it because their inboxes are full. */
  readonly refused: string[];
  readonly isDuplicate: boolean;
}

/** Messages and inboxes. */
export class MessagesService implements Disposable {
  readonly #store: AppStore;
  readonly #options: MessagesOptions;
  readonly #now: () => number;
  readonly #counters = new InboxCounters();
  readonly #changes = new DeliveryChanges();
  readonly #inboxes: Inboxes;
  readonly #due: DueDeliveries;
  readonly #leases: Leases;
  readonly #dead: DeadLetters;
  readonly #awaited: AwaitedReplies;
  readonly #views: MessageViews;

  constructor(options: MessagesOptions) {
    this.#options = options;
    const { store, resolveAgent, now = Date.now } = options;
    this.#store = store;
    this.#now = now;
    const book = new DeliveryBook(this.#counters, this.#changes);
    const due = new DueDeliveries({
      store,
      steadyNow: options.steadyNow ?? steadyClock(now),
      random: options.random ?? Math.random,
      log: options.log ?? (() => undefined),
      kill: (tx, message, death) => this.#dead.kill(tx, message, death).length,
      onBack: (tx, { copy, place: before, attempts }, heldUntil) => {
        const place = heldUntil === null ? 'queued' : 'delayed';
        tx.afterCommit(() => {
          book.move(copy, before, { place, state: 'queued', attempts, leasedUntil: null });
          if (before === 'delivered' && copy.isWork) this.#inboxes.onLost(copy.recipient);
          if (heldUntil === null) this.#inboxes.onQueued([copy.recipient]);
          else due.note(heldUntil);
        });
        if (heldUntil === null) this.#inboxes.beforeQueued([copy.recipient]);
      },
      onLate: (tx, message, recipients) => this.#awaited.onLate(tx, message, recipients),
    });
    this.#due = due;
    const tell: Tell = (tx, recipient, told) => this.#tell(tx, recipient, told);
    this.#inboxes = new Inboxes({ store, book, resolveAgent, now, due, fairAfterMs: options.fairAfterMs ?? FAIR_AFTER_MS });
    this.#leases = new Leases({ store, book, due });
    this.#views = new MessageViews({ store, counters: this.#counters, resolveAgent, limits: this.#limits });
    this.#awaited = new AwaitedReplies({ store, tell });
    this.#dead = new DeadLetters({
      store,
      book,
      inboxes: this.#inboxes,
      due,
      now,
      isRemoved: (recipient) => this.#isRemoved(recipient),
      tell,
    });
  }

  /** Counts what stands in the inboxes; what was due meanwhile happens next. Once, after the store is open. */
  open(): void {
    this.#store.peek((db) => this.#counters.reset(countInboxes(db), countProjects(db)));
    this.#due.open();
  }

  /** Ends every wait with UNAVAILABLE, refuses further ones, and forgets all listeners. */
  dispose(): void {
    this.#due.dispose();
    this.#inboxes.dispose();
    this.#awaited.dispose();
    this.#changes.dispose();
  }

  /** Unread deliveries in an inbox, handed out or not. */
  unreadOf(recipient: string): number {
    return this.#counters.of(recipient).unread;
  }

  /** Tasks and requests that were handed out to a recipient and are not acknowledged: evidence that it works. */
  heldBy(recipient: string): number {
    return this.#counters.of(recipient).held;
  }

  /** Messages ever sent, and deliveries that are unread now. */
  totals(): { messages: number; unread: number } {
    const unread = this.#counters.inboxes().reduce((sum, inbox) => sum + inbox.unread, 0);
    return { messages: this.#counters.messages().total, unread };
  }

  /** Messages came from files or were removed, in a write of somebody else: what is counted in memory follows. */
  adjustCounts(projectId: ProjectId, change: { total: number; requests: number; dead: number }): void {
    this.#counters.addMessages(projectId, change);
  }

  /** How many callers wait: leak checks use it. */
  get waiting(): number {
    return this.#inboxes.waiting + this.#awaited.waiting;
  }

  /** Deliveries that changed, gathered over some milliseconds, the newest state of each. */
  onDeliveries(listener: (changes: readonly DeliveryChange[]) => void): Disposable {
    return this.#changes.on(listener);
  }

  /** What owners of inboxes do, after the commit. */
  onActivity(listener: (activity: InboxActivity) => void): Disposable {
    return this.#inboxes.onActivity(listener);
  }

  /** Does everything that is due by now. A timer does so by itself. */
  settle(): Promise<void> {
    return this.#due.settle();
  }

  /** An agent ended: those who wait for its answer are told; what a removed one has not dealt with dies. */
  async onAgentEnded(id: AgentId, end: AgentEnd): Promise<void> {
    await this.#awaited.onAgentEnded(id, end);
    if (end === 'removed') await this.#dead.bury(id);
  }

  /**
   * Makes up for what was not done when agents ended, because the core ended, too: those who wait for their answers are told,
   * and what removed ones have not dealt with dies. Harmless to repeat. Once, after the agents are known; `endOf` says how and
   * when one ended that has.
   */
  async makeUpEnds(endOf: (id: AgentId) => { end: AgentEnd; at: number } | undefined): Promise<void> {
    const awaited = this.#awaited.recipients();
    for (const id of awaited) {
      const ended = endOf(id);
      if (ended && !this.#isRemoved(id)) await this.#awaited.onAgentEnded(id, ended.end, ended.at);
    }
    const full = this.#counters.inboxes().flatMap(({ recipient }) => AgentId.safeParse(recipient).data ?? []);
    for (const id of new Set([...awaited, ...full])) if (this.#isRemoved(id)) await this.onAgentEnded(id, 'removed');
  }

  /**
   * Sends a message. PAYLOAD_TOO_LARGE, NOT_FOUND (recipient, project, message answered), BAD_REQUEST (several projects,
   * times that make no sense together), FORBIDDEN (somebody else's message answered, the rule on boundaries), CONFLICT (key
   * used for something else), TOO_MANY_REQUESTS (every recipient's inbox is full): nothing is stored then.
   */
  async send(input: SendInput, caller: Caller): Promise<SendResult> {
    const sender = senderOf(caller, this.#options);
    const attached = input.attachments?.length
      ? await this.#options.attachments?.(input.attachments, caller, input.projectId)
      : [];
    const stated = draftOf(input, attached);
    const prepared = this.#options.prepare?.(stated, sender, caller) ?? stated;
    const draft = prepared instanceof Promise ? await prepared : prepared;
    const refused: RefusedWish[] = [];
    const sending = this.#store.write((tx) => {
      const earlier = draft.idempotencyKey === null ? undefined : findByKey(tx, sender.from, draft.idempotencyKey);
      return earlier ? repeated(earlier, draft) : this.#insert(tx, draft, sender, caller, (wish) => refused.push(wish));
    });
    try {
      return await sending;
    } catch (error) {
      // A write of its own: that of the message was undone.
      for (const wish of refused)
        await this.#options
          .onWeaker?.(wish, caller)
          .catch((fault: unknown) => this.#log('a refusal could not be journaled', fault));
      throw error;
    }
  }

  /** Sends a request and waits for the answer, which is in the caller's inbox, too. Fails as `send` does. */
  async request(
    input: MessageInputs['request'],
    caller: Caller,
    signal: AbortSignal,
  ): Promise<SendResult & { reply: InboxMessage | null }> {
    const { timeoutMs, ...content } = input;
    const inbox = ownInbox(caller);
    const sent = await this.send({ ...content, kind: 'request' }, caller);
    const found = new AbortController();
    const waiting = this.#awaited.wait(sent.messageId, inbox, timeoutMs, AbortSignal.any([signal, found.signal]));
    // It may have come while a call that is repeated was away. Looked for while waiting, so that none slips through between.
    const earlier = sent.isDuplicate
      ? await this.#store.read('messages.reply', { id: sent.messageId, recipient: inbox })
      : undefined;
    if (earlier) found.abort();
    return { ...sent, reply: earlier ?? (await waiting) ?? null };
  }

  /** A page of an inbox. An agent's own counts as handed out to it; nobody else's look changes anything. */
  inbox(input: MessageInputs['inbox'], caller: Caller): Promise<InboxPage> {
    return this.#inboxes.inbox(input, caller);
  }

  /** Hands out what waits: at once when there is something, else when it comes, else nothing after the timeout. */
  wait(input: MessageInputs['wait'], caller: Caller, signal: AbortSignal): Promise<InboxPage> {
    return this.#inboxes.wait(input, caller, signal);
  }

  /** Acknowledges. NOT_FOUND when an id is not in the caller's inbox, and nothing is marked then. */
  markRead(input: MessageInputs['markRead'], caller: Caller): Promise<{ marked: number }> {
    return this.#inboxes.markRead(input, caller);
  }

  /** Keeps messages for longer. NOT_FOUND when an id is not in the caller's inbox, and nothing is extended then. */
  extend(input: MessageInputs['extend'], caller: Caller) {
    return this.#leases.extend(input, caller);
  }

  /** Gives messages back. NOT_FOUND when an id is not in the caller's inbox, and nothing is given back then. */
  release(input: MessageInputs['release'], caller: Caller) {
    return this.#leases.release(input, caller);
  }

  /** Takes a message back. NOT_FOUND, or FORBIDDEN when it is somebody else's. */
  cancel(input: MessageInputs['cancel'], caller: Caller): Promise<{ cancelled: string[]; acknowledged: string[] }> {
    return this.#dead.cancel(input, caller, senderOf(caller, this.#options));
  }

  /** Brings dead copies back. NOT_FOUND, or CONFLICT when a recipient that was named is removed. */
  retry(input: MessageInputs['retry'], caller: Caller): Promise<{ retried: string[] }> {
    return this.#dead.retry(input, caller);
  }

  /** A page of dead copies, newest message first. NOT_FOUND when it is to begin at an unknown message. */
  dead(input: MessageInputs['dead']): Promise<DeadPage> {
    return this.#views.dead(input);
  }

  /** One inbox as it stands. NOT_FOUND when there is no such agent, or the page is to begin at a message that is not there. */
  queues(input: MessageInputs['queues']): Promise<QueueInspection> {
    return this.#views.queues(input);
  }

  /** A page of the history. BAD_REQUEST when it is to begin at several places, NOT_FOUND when at an unknown message. */
  list(input: MessageInputs['list']): Promise<HistoryPage> {
    return this.#views.list(input);
  }

  /** How many messages there are of each sort. */
  counts(input: MessageInputs['counts']): Promise<MessageCounts> {
    return this.#views.counts(input);
  }

  /** One message and where its copies stand. NOT_FOUND when there is none. */
  get(input: MessageInputs['get']): Promise<{ message: Message; deliveries: Delivery[] }> {
    return this.#views.get(input);
  }

  get #limits(): InboxLimits {
    return this.#options.limits ?? INBOX_LIMITS;
  }

  /** The time so many milliseconds from now; null for null. */
  #in(ms: number | null): number | null {
    return ms === null ? null : this.#due.in(ms);
  }

  #isRemoved(recipient: string): boolean {
    const id = AgentId.safeParse(recipient);
    return id.success && this.#options.resolveAgent(id.data)?.isRemoved === true;
  }

  #log(message: string, error: unknown): void {
    this.#options.log?.(message, error);
  }

  /** Inside a write: stores a message and its copies. */
  #insert(tx: Tx, draft: MessageDraft, sender: SenderFacts, caller: Caller, onWeaker: (wish: RefusedWish) => void): SendResult {
    const { message, refused, answered } = composeMessage(tx, draft, {
      directory: this.#options,
      sender,
      caller,
      sessionId: this.#options.currentSession(),
      defaultProject: this.#options.defaultProject(),
      sentAt: this.#now(),
      expiresAt: this.#in(draft.ttlMs),
      notBefore: this.#in(draft.delayMs),
      replyBy: this.#in(draft.replyWithinMs),
      isFull: (recipient) => isFull(this.#counters.of(recipient), sender.from, this.#limits),
      onWeaker,
    });
    const { dataText, idempotencyKey, ttlMs } = draft;
    const chars = sizeOf(message.body, dataText);
    const seq = insertMessage(tx, { message, dataText, idempotencyKey, ttlMs });
    this.#options.onStored?.(tx, { seq, message, dataText });
    // One that does not go to whoever asked answers nobody.
    const asker = answered && inboxOf(answered.message.from);
    if (message.kind === 'reply' && answered && asker !== undefined && message.recipients.includes(asker))
      markAnswered(tx, answered.seq, sender.inbox ?? OPERATOR);
    tx.record(
      event({ projectId: message.projectId, actor: caller.actor, door: caller.door, subject: message.id }, 'message.sent', {
        message,
      }),
    );
    draft.onStored?.(tx, message, caller);
    tx.afterCommit(() => this.#onSent(message, chars));
    for (const { recipient, settle } of this.#awaited.callsFor(message)) {
      const reply = this.#inboxes.handTo(tx, seq, message, recipient, chars);
      tx.afterCommit(() => settle(reply));
    }
    // Queued from inside this write, so that it shares the commit when there is room in it.
    if (message.notBefore === null) this.#inboxes.beforeQueued(message.recipients);
    return resultOf(message, refused, false);
  }

  #onSent(message: Message, chars: number): void {
    this.#counters.addMessages(message.projectId, { total: 1, requests: message.kind === 'request' ? 1 : 0 });
    this.#inboxes.onSent(message, chars);
    for (const dueAt of [message.expiresAt, message.notBefore, message.replyBy]) if (dueAt !== null) this.#due.note(dueAt);
  }

  /** Inside a write: the core says something about a message. */
  #tell(tx: Tx, recipient: string, { about, body, data }: SystemEvent): void {
    const to = recipient === OPERATOR ? OPERATOR : AgentId.parse(recipient);
    // Whoever was removed, or is of another project by now, is told nothing.
    if (to !== OPERATOR && this.#options.resolveAgent(to)?.isRemoved !== false) return;
    // An agent's own project decides where it has one; the operator's events belong to the message's.
    const projectId = to === OPERATOR ? ProjectId.parse(about.projectId) : undefined;
    const draft = draftOf({
      to,
      kind: 'event',
      priority: 'high',
      body,
      data,
      inReplyTo: about.id,
      ...(projectId && { projectId }),
    });
    this.#insert(tx, draft, senderOf(CORE, this.#options), CORE, () => undefined);
  }
}

function resultOf(message: Message, refused: readonly string[], isDuplicate: boolean): SendResult {
  const { id: messageId, threadId, recipients } = message;
  return { messageId, threadId, recipients, refused: [...refused], isDuplicate };
}

/** The answer to a send whose key was used before. */
function repeated({ message, ttlMs }: StoredMessage, draft: MessageDraft): SendResult {
  if (hasContentOf(message, draft) && ttlMs === draft.ttlMs) return resultOf(message, [], true);
  throw new AppError(
    'CONFLICT',
    `The idempotencyKey was used before for another message (${message.id}). Nothing was sent. Use a new key for a new message.`,
    {
      data: { field: 'idempotencyKey', messageId: message.id },
    },
  );
}
