/**
 * Messages: sending, the history, counts; inboxes are ./inboxes.ts, what expires ./message-expiry.ts.
 * Invariants: what was answered is committed; memory changes only after the commit of what it tells.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import type { Delivery, Message, MessageCounts } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import type { RefusedWish, SenderFacts } from './compose-message.ts';
import { composeMessage, senderOf } from './compose-message.ts';
import { countInboxes } from './deliveries-repository.ts';
import type { DeliveryChange } from './delivery-changes.ts';
import type { HistoryPage } from './history-repository.ts';
import { InboxCounters } from './inbox-counters.ts';
import type { InboxActivity } from './inboxes.ts';
import { Inboxes } from './inboxes.ts';
import type { MessageDraft, MessageInputs, SendInput } from './message-draft.ts';
import { draftOf, hasContentOf } from './message-draft.ts';
import { MessageExpiry } from './message-expiry.ts';
import type { StoredMessage } from './messages-repository.ts';
import { countProjects, findByKey, insertMessage } from './messages-repository.ts';
import type { AgentDirectory } from './resolve-recipients.ts';
import { steadyClock } from './steady-clock.ts';
import type { InboxPage } from './waiters.ts';

/** What a send answers. */
export interface SendResult {
  readonly messageId: MessageId;
  readonly threadId: MessageId;
  readonly recipients: string[];
  readonly isDuplicate: boolean;
}

/** A message as it is being stored. */
export interface NewMessage {
  /** Its place in the order of storing. */
  readonly seq: number;
  readonly message: Message;
  /** `message.data` as JSON text; null when there is none. */
  readonly dataText: string | null;
}

/** What the service needs. */
export interface MessagesOptions extends AgentDirectory {
  readonly store: AppStore;
  readonly currentSession: () => SessionId;
  /** The project opened last; undefined when there is none. */
  readonly defaultProject: () => ProjectId | undefined;
  readonly log?: (message: string, error: unknown) => void;
  readonly now?: () => number;
  /** Work was refused by the rule on boundaries. */
  readonly onWeaker?: (refused: RefusedWish, caller: Caller) => Promise<void>;
  /**
   * May change what is sent, or throw an AppError to refuse it. Called before the write of every send; one that returns no
   * promise costs no turn.
   */
  readonly prepare?: (draft: MessageDraft, sender: SenderFacts, caller: Caller) => MessageDraft | Promise<MessageDraft>;
  /** Called in the write of a message, right after its row: what it writes is stored with the message or not at all. */
  readonly onStored?: (tx: Tx, stored: NewMessage) => void;
  /** The clock by which messages expire; a steady one from the present time on unless given. */
  readonly steadyNow?: () => number;
}

/** Messages and inboxes. */
export class MessagesService implements Disposable {
  readonly #store: AppStore;
  readonly #options: MessagesOptions;
  readonly #now: () => number;
  readonly #counters = new InboxCounters();
  readonly #inboxes: Inboxes;
  readonly #expiry: MessageExpiry;

  constructor(options: MessagesOptions) {
    this.#options = options;
    this.#store = options.store;
    const now = options.now ?? Date.now;
    this.#now = now;
    this.#expiry = new MessageExpiry({
      store: options.store,
      now,
      steadyNow: options.steadyNow ?? steadyClock(now),
      log: options.log ?? (() => undefined),
      onDead: (message) => {
        this.#counters.addMessages(message.projectId, { dead: 1 });
        this.#inboxes.onDead(message);
      },
    });
    this.#inboxes = new Inboxes({
      store: options.store,
      counters: this.#counters,
      resolveAgent: options.resolveAgent,
      now,
      expiredUntil: () => this.#expiry.expiredUntil(),
    });
  }

  /** Counts what stands in the inboxes; what expired meanwhile dies next. Once, after the store is open. */
  open(): void {
    this.#store.peek((db) => this.#counters.reset(countInboxes(db), countProjects(db)));
    this.#expiry.open();
  }

  /** Ends every wait with UNAVAILABLE, refuses further ones, and forgets all listeners. */
  dispose(): void {
    this.#expiry.dispose();
    this.#inboxes.dispose();
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
    return this.#inboxes.waiting;
  }

  /** Deliveries that changed, gathered over some milliseconds, the newest state of each. */
  onDeliveries(listener: (changes: readonly DeliveryChange[]) => void): Disposable {
    return this.#inboxes.onDeliveries(listener);
  }

  /** What owners of inboxes do, after the commit. */
  onActivity(listener: (activity: InboxActivity) => void): Disposable {
    return this.#inboxes.onActivity(listener);
  }

  /** Lets everything die that has expired by now. A timer does so by itself. */
  expire(): Promise<void> {
    return this.#expiry.expire();
  }

  /**
   * Sends a message. PAYLOAD_TOO_LARGE, NOT_FOUND (recipient, project, message answered), BAD_REQUEST (several projects),
   * FORBIDDEN (somebody else's message answered, the rule on boundaries), CONFLICT (key used for something else):
   * nothing is stored then.
   */
  async send(input: SendInput, caller: Caller): Promise<SendResult> {
    const sender = senderOf(caller, this.#options);
    const prepared = this.#options.prepare?.(draftOf(input), sender, caller) ?? draftOf(input);
    const draft = prepared instanceof Promise ? await prepared : prepared;
    const refused: RefusedWish[] = [];
    const sending = this.#store.write((tx) => {
      const earlier = draft.idempotencyKey === null ? undefined : findByKey(tx, sender.from, draft.idempotencyKey);
      if (earlier) return repeated(earlier, draft);
      const message = composeMessage(tx, draft, {
        directory: this.#options,
        sender,
        caller,
        sessionId: this.#options.currentSession(),
        defaultProject: this.#options.defaultProject(),
        sentAt: this.#now(),
        expiresAt: this.#in(draft.ttlMs),
        notBefore: this.#in(draft.delayMs),
        replyBy: this.#in(draft.replyWithinMs),
        onWeaker: (wish) => refused.push(wish),
      });
      const { dataText, idempotencyKey, ttlMs } = draft;
      const seq = insertMessage(tx, { message, dataText, idempotencyKey, ttlMs });
      this.#options.onStored?.(tx, { seq, message, dataText });
      tx.record(
        event({ projectId: message.projectId, actor: caller.actor, door: caller.door, subject: message.id }, 'message.sent', {
          message,
        }),
      );
      tx.afterCommit(() => this.#onSent(message));
      // Queued from inside this write, so that it shares the commit when there is room in it.
      this.#inboxes.beforeSent(message);
      return resultOf(message, false);
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

  /** A page of an inbox. An agent's own counts as handed out to it; nobody else's look changes anything. */
  inbox(input: MessageInputs['inbox'], caller: Caller): Promise<InboxPage> {
    return this.#inboxes.inbox(input, caller);
  }

  /** Hands out what was never handed out: at once when there is something, else when it comes, else nothing after the timeout. */
  wait(input: MessageInputs['wait'], caller: Caller, signal: AbortSignal): Promise<InboxPage> {
    return this.#inboxes.wait(input, caller, signal);
  }

  /** Acknowledges. NOT_FOUND when an id is not in the caller's inbox, and nothing is marked then. */
  markRead(input: MessageInputs['markRead'], caller: Caller): Promise<{ marked: number }> {
    return this.#inboxes.markRead(input, caller);
  }

  /** A page of the history. BAD_REQUEST when it is to begin at several places, NOT_FOUND when at an unknown message. */
  async list(input: MessageInputs['list']): Promise<HistoryPage> {
    const starts = (['before', 'after', 'around'] as const).filter((name) => input[name] !== undefined);
    if (starts.length > 1) {
      throw new AppError(
        'BAD_REQUEST',
        `A page begins at one place, but ${starts.join(' and ')} were stated. State one of them.`,
        {
          data: { field: starts[1] ?? '' },
        },
      );
    }
    const page = await this.#store.read('messages.history', input);
    if (page) return page;
    const field = input.before === undefined ? 'after' : 'before';
    throw new AppError(
      'NOT_FOUND',
      `There is no message ${input[field]}. State in "${field}" what the page before said in "${field === 'before' ? 'older' : 'newer'}", or leave it out.`,
      { data: { field } },
    );
  }

  /** How many messages there are of each sort, from memory; since when inboxes wait, from the reader. */
  async counts(input: MessageInputs['counts']): Promise<MessageCounts> {
    const { projectId } = input;
    const inboxes = this.#counters.inboxes(projectId);
    const { total, requests, dead } = this.#counters.messages(projectId);
    const forOperator = this.#counters.of(OPERATOR, projectId).unread;
    const queued = inboxes.filter((inbox) => inbox.queued > 0);
    const oldest = await this.#store.read('messages.oldest-queued', {
      inboxes: queued.map(({ recipient, hasSeveralProjects }) => ({
        recipient,
        projectId: hasSeveralProjects ? projectId : undefined,
      })),
    });
    const oldestOf = new Map(queued.map(({ recipient }, index) => [recipient, oldest[index] ?? null]));
    const queues = inboxes.map((inbox) => ({
      recipient: inbox.recipient,
      queued: inbox.queued,
      oldestQueuedAt: oldestOf.get(inbox.recipient) ?? null,
      unread: inbox.unread,
    }));
    return { total, forOperator, requests, dead, queues };
  }

  /** One message and where its copies stand. */
  async get(input: MessageInputs['get']): Promise<{ message: Message; deliveries: Delivery[] }> {
    const found = await this.#store.read('messages.one', { id: input.id });
    if (found) return found;
    throw new AppError('NOT_FOUND', `There is no message ${input.id}. Find ids with list_messages.`, {
      data: { messageId: input.id },
    });
  }

  /** The time so many milliseconds from now; null for null. */
  #in(ms: number | null): number | null {
    return ms === null ? null : this.#expiry.expiresAt(ms);
  }

  #log(message: string, error: unknown): void {
    this.#options.log?.(message, error);
  }

  #onSent(message: Message): void {
    this.#counters.addMessages(message.projectId, { total: 1, requests: message.kind === 'request' ? 1 : 0 });
    this.#inboxes.onSent(message);
    if (message.expiresAt !== null) this.#expiry.note(message.expiresAt);
  }
}

function resultOf(message: Message, isDuplicate: boolean): SendResult {
  return { messageId: message.id, threadId: message.threadId, recipients: message.recipients, isDuplicate };
}

/** The answer to a send whose key was used before. */
function repeated({ message, ttlMs }: StoredMessage, draft: MessageDraft): SendResult {
  if (hasContentOf(message, draft) && ttlMs === draft.ttlMs) return resultOf(message, true);
  throw new AppError(
    'CONFLICT',
    `The idempotencyKey was used before for another message (${message.id}). Nothing was sent. Use a new key for a new message.`,
    {
      data: { field: 'idempotencyKey', messageId: message.id },
    },
  );
}
