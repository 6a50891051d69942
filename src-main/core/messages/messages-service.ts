/**
 * Messages: sending, inboxes, waiting, acknowledging.
 * Invariants: what was answered is committed; a delivery is handed to one waiter; what was acknowledged is never handed
 * out again; a waiter never sleeps while its inbox holds something that was not handed out; memory (counts, waiters)
 * changes only after the commit of what it tells.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId, MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { mintId } from '#shared/kernel/ids.ts';
import type { messagesContract } from '#shared/messages/contract.ts';
import type { Delivery, Message, MessageCounts, Originator, Sender } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import { isWork, mayCause, originatorOf } from './boundary-rule.ts';
import type { DeliveryChange } from './delivery-changes.ts';
import { DeliveryChanges } from './delivery-changes.ts';
import { InboxCounters } from './inbox-counters.ts';
import type { MessageDraft, SendInput } from './message-draft.ts';
import { draftOf, hasContentOf } from './message-draft.ts';
import type { StoredInboxMessage, StoredMessage } from './messages-repository.ts';
import {
  countInboxes,
  findByKey,
  findDelivery,
  findMessage,
  hasProject,
  inboxPage,
  insertMessage,
  markDelivered,
  markRead,
  queuedMessages,
} from './messages-repository.ts';
import type { AgentDirectory, KnownAgent, Resolved } from './resolve-recipients.ts';
import { resolveRecipients, withoutRepetitions } from './resolve-recipients.ts';
import type { InboxPage, Waiter } from './waiters.ts';
import { Waiters } from './waiters.ts';

type Inputs = { [K in keyof typeof messagesContract]: Parameters<HandlersOf<typeof messagesContract>[K]>[0] };

/** A page of the history. */
export interface HistoryPage {
  readonly messages: Message[];
  readonly deliveries: Delivery[];
  readonly hasMore: boolean;
  readonly older: MessageId | null;
  readonly newer: MessageId | null;
}

/** What a send answers. */
export interface SendResult {
  readonly messageId: MessageId;
  readonly threadId: MessageId;
  readonly recipients: string[];
  readonly isDuplicate: boolean;
}

/** What the owner of an inbox did: evidence of what an agent is at. */
export interface InboxActivity {
  readonly recipient: string;
  /** waiting: it waits and there is nothing to hand out; taken: it was handed messages; acknowledged: it has dealt with some. */
  readonly kind: 'waiting' | 'taken' | 'acknowledged';
  /** Tasks and requests it holds now: handed out and not acknowledged. */
  readonly held: number;
}

/** What the service needs. */
export interface MessagesOptions extends AgentDirectory {
  readonly store: AppStore;
  readonly currentSession: () => SessionId;
  /** The project opened last; undefined when there is none. */
  readonly defaultProject: () => ProjectId | undefined;
  readonly now?: () => number;
}

/** Who sends, in the terms of this feature. */
interface SenderFacts {
  readonly from: Sender;
  readonly agent: KnownAgent | undefined;
  /** The sender's own wish: what its message carries when it passes on nobody else's. */
  readonly wish: Originator;
  /** The inbox that a broadcast leaves out. */
  readonly inbox: string | undefined;
}

/** Most ids that an error names. */
const NAMED_IDS = 5;

/** Messages and inboxes. */
export class MessagesService implements Disposable {
  readonly #store: AppStore;
  readonly #options: MessagesOptions;
  readonly #now: () => number;
  readonly #counters = new InboxCounters();
  readonly #waiters = new Waiters();
  readonly #changes = new DeliveryChanges();
  readonly #activity = new Emitter<InboxActivity>();
  /** Inboxes whose waiters are about to be served: the write is queued, or has run and is not committed. */
  readonly #serving = new Map<string, Promise<void>>();
  #isEnding = false;

  constructor(options: MessagesOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#now = options.now ?? Date.now;
  }

  /** Counts what stands in the inboxes. Once, after the store is open. */
  open(): void {
    this.#counters.reset(this.#store.peek(countInboxes));
  }

  /** Ends every wait with UNAVAILABLE, refuses further ones, and forgets all listeners. */
  dispose(): void {
    this.#isEnding = true;
    this.#waiters.failAll(endingError());
    this.#changes.dispose();
    this.#activity.dispose();
  }

  /** Unread deliveries in an inbox, handed out or not. */
  unreadOf(recipient: string): number {
    return this.#counters.of(recipient).unread;
  }

  /** Tasks and requests that were handed out to a recipient and are not acknowledged: evidence that it works. */
  heldBy(recipient: string): number {
    return this.#counters.of(recipient).held;
  }

  /** How many callers wait: leak checks use it. */
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

  /**
   * Sends a message. PAYLOAD_TOO_LARGE, NOT_FOUND (recipient, project, message answered), BAD_REQUEST (several projects),
   * FORBIDDEN (somebody else's message answered, the rule on boundaries), CONFLICT (key used for something else):
   * nothing is stored then.
   */
  async send(input: SendInput, caller: Caller): Promise<SendResult> {
    const draft = draftOf(input);
    const sender = this.#senderOf(caller);
    return this.#store.write((tx) => {
      const earlier = draft.idempotencyKey === null ? undefined : findByKey(tx, sender.from, draft.idempotencyKey);
      if (earlier) return repeated(earlier.message, draft);
      const message = this.#messageOf(tx, draft, sender, caller);
      insertMessage(tx, { message, dataText: draft.dataText, idempotencyKey: draft.idempotencyKey });
      tx.record(
        event({ projectId: message.projectId, actor: caller.actor, door: caller.door, subject: message.id }, 'message.sent', {
          message,
        }),
      );
      tx.afterCommit(() => this.#onSent(message));
      // Queued from inside this write, so that it shares the commit when there is room in it.
      for (const recipient of message.recipients) if (this.#waiters.has(recipient)) this.#startServing(recipient);
      return resultOf(message, false);
    });
  }

  /** A page of an inbox. An agent's own counts as handed out to it; nobody else's look changes anything. */
  async inbox(input: Inputs['inbox'], caller: Caller): Promise<InboxPage> {
    const recipient = this.#visibleInbox(input.agentId, caller);
    const args = { recipient, unreadOnly: input.unreadOnly, limit: input.limit, after: input.after };
    if (caller.agentId === undefined) {
      const messages = await this.#store.read('messages.inbox', args);
      if (!messages) throw notInInbox(input.after);
      return { messages, unread: this.unreadOf(recipient) };
    }
    const messages = await this.#store.write((tx) => {
      const page = inboxPage(tx, args);
      if (!page) throw notInInbox(input.after);
      return this.#handOut(tx, recipient, page);
    });
    return { messages, unread: this.unreadOf(recipient) };
  }

  /** Hands out what was never handed out: at once when there is something, else when it comes, else nothing after the timeout. */
  async wait(input: Inputs['wait'], caller: Caller, signal: AbortSignal): Promise<InboxPage> {
    const recipient = ownInbox(caller);
    if (this.#isEnding) throw endingError();
    if (!signal.aborted) {
      const waiter = this.#waiters.add(recipient, input.limit, signal);
      if (this.#counters.of(recipient).queued > 0) {
        this.#startServing(recipient);
        await this.#serving.get(recipient);
      }
      if (!waiter.isSettled && input.timeoutMs > 0) this.#tellActivity(recipient, 'waiting');
      waiter.expireAfter(input.timeoutMs);
      const page = await waiter.outcome;
      if (page) return page;
    }
    return { messages: [], unread: this.unreadOf(recipient) };
  }

  /** Acknowledges. NOT_FOUND when an id is not in the caller's inbox, and nothing is marked then. */
  async markRead(input: Inputs['markRead'], caller: Caller): Promise<{ marked: number }> {
    const recipient = ownInbox(caller);
    const ids = withoutRepetitions(input.messageIds);
    return this.#store.write((tx) => {
      const found = ids.map((id) => ({ id, delivery: findDelivery(tx, id, recipient) }));
      const unknown = found.filter((entry) => !entry.delivery).map((entry) => entry.id);
      if (unknown.length > 0) throw unknownIds(unknown);
      const at = this.#now();
      const change = { queued: 0, unread: 0, held: 0 };
      const marked: MessageId[] = [];
      for (const { id, delivery } of found) {
        if (!delivery || delivery.state === 'read') continue;
        markRead(tx, delivery.seq, recipient, at);
        marked.push(id);
        change.unread -= 1;
        if (delivery.state === 'queued') change.queued -= 1;
        else if (delivery.isWork) change.held -= 1;
      }
      if (marked.length > 0) {
        tx.afterCommit(() => {
          this.#counters.add(recipient, change);
          for (const id of marked) this.#changes.add(id, recipient, 'read');
          this.#tellActivity(recipient, 'acknowledged');
        });
      }
      return { marked: marked.length };
    });
  }

  /** A page of the history, newest first. */
  async list(input: Inputs['list']): Promise<HistoryPage> {
    const page = await this.#store.read('messages.history', input);
    if (page) {
      const older = page.hasMore ? (page.messages.at(-1)?.id ?? null) : null;
      return { ...page, deliveries: [], older, newer: input.before ? (page.messages[0]?.id ?? null) : null };
    }
    throw new AppError(
      'NOT_FOUND',
      `There is no message ${input.before}. State in "before" the id of the last message of the page before, or leave it out.`,
      { data: { field: 'before' } },
    );
  }

  /** One message and where its copies stand. */
  async get(input: Inputs['get']): Promise<{ message: Message; deliveries: Delivery[] }> {
    const found = await this.#store.read('messages.one', { id: input.id });
    if (found) return found;
    throw new AppError('NOT_FOUND', `There is no message ${input.id}. Find ids with list_messages.`, {
      data: { messageId: input.id },
    });
  }

  /** How many messages there are of each sort. */
  async counts(_input: Inputs['counts']): Promise<MessageCounts> {
    return { total: 0, forOperator: 0, requests: 0, dead: 0, queues: [] };
  }

  #senderOf(caller: Caller): SenderFacts {
    if (caller.agentId !== undefined) {
      const agent = this.#options.resolveAgent(caller.agentId);
      if (!agent || agent.isRemoved)
        throw new AppError('FORBIDDEN', `Agent "${caller.agentId}" was removed: it cannot send. Nothing was sent.`);
      return {
        from: { kind: 'agent', id: agent.id },
        agent,
        wish: { kind: 'agent', id: agent.id, boundary: agent.boundary },
        inbox: agent.id,
      };
    }
    const from: Sender =
      caller.actor.kind === 'operator' ? { kind: 'operator', id: OPERATOR } : { kind: caller.actor.kind, id: caller.actor.id };
    return {
      from,
      agent: undefined,
      wish: { ...from, boundary: 'host' },
      inbox: from.kind === 'operator' ? OPERATOR : undefined,
    };
  }

  #messageOf(tx: Tx, draft: MessageDraft, sender: SenderFacts, caller: Caller): Message {
    if (draft.projectId !== undefined && !hasProject(tx, draft.projectId)) {
      throw new AppError('NOT_FOUND', `There is no project ${draft.projectId}. Nothing was sent. See list_projects.`, {
        data: { field: 'projectId' },
      });
    }
    const answered = draft.inReplyTo === null ? undefined : this.#answered(tx, draft.inReplyTo, sender, caller);
    const resolved = resolveRecipients(
      draft.to,
      {
        sender: sender.agent,
        senderInbox: sender.inbox,
        projectId: draft.projectId,
        defaultProject: this.#options.defaultProject(),
      },
      this.#options,
    );
    const originator = originatorOf(sender.wish, answered?.message.originator);
    refuseWeaker(originator, resolved, draft);
    const id = mintId('msg') as MessageId;
    return {
      id,
      projectId: resolved.projectId,
      sessionId: this.#options.currentSession(),
      from: sender.from,
      to: [...draft.to],
      recipients: [...resolved.recipients],
      kind: draft.kind,
      priority: draft.priority,
      subject: draft.subject,
      body: draft.body,
      data: draft.data,
      inReplyTo: draft.inReplyTo,
      threadId: answered?.message.threadId ?? id,
      originator,
      sentAt: this.#now(),
      expiresAt: null,
    };
  }

  /** The message that is answered: it must exist, and the sender must have sent or received it. */
  #answered(tx: Tx, id: MessageId, sender: SenderFacts, caller: Caller): StoredMessage {
    const stored = findMessage(tx, id);
    if (!stored)
      throw new AppError(
        'NOT_FOUND',
        `There is no message ${id} to answer. Nothing was sent. Give in inReplyTo the id of a message in your inbox, or leave it out.`,
        { data: { field: 'inReplyTo' } },
      );
    const { from, recipients } = stored.message;
    const isSender = from.kind === sender.from.kind && from.id === sender.from.id;
    // Whoever holds the operator's role reads the operator's inbox, so may answer for it.
    const speaksForOperator = caller.agentId === undefined && caller.role === 'operator';
    const inbox = sender.inbox ?? (speaksForOperator ? OPERATOR : undefined);
    if (isSender || (inbox !== undefined && recipients.includes(inbox)) || (speaksForOperator && from.kind === 'operator'))
      return stored;
    throw new AppError(
      'FORBIDDEN',
      `Message ${id} was neither sent by you nor to you, so you cannot answer it. Nothing was sent. Leave inReplyTo out.`,
      { data: { field: 'inReplyTo' } },
    );
  }

  #onSent(message: Message): void {
    for (const recipient of message.recipients) {
      this.#counters.add(recipient, { queued: 1, unread: 1 });
      this.#changes.add(message.id, recipient, 'queued');
      // Sent in the same transaction, but after the serving ran: what is left needs another.
      if (this.#waiters.has(recipient)) this.#startServing(recipient);
    }
  }

  /**
   * Queues the write that gives what is queued in an inbox to those who wait there when it runs; one at a time.
   * A failure is told to the waiters.
   */
  #startServing(recipient: string): void {
    if (this.#serving.has(recipient)) return;
    const serve = this.#store
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
    const queued = queuedMessages(tx, recipient, waiter.limit);
    if (queued.length === 0) return false;
    const messages = this.#handOut(tx, recipient, queued);
    tx.afterCommit(() => waiter.settle({ messages, unread: this.unreadOf(recipient) }));
    return true;
  }

  /** Marks as handed out what of a page was not; returns the page as its recipient sees it then. */
  #handOut(tx: Tx, recipient: string, page: readonly StoredInboxMessage[]): StoredInboxMessage['message'][] {
    const taken = page.filter(({ message }) => message.state === 'queued');
    const at = this.#now();
    for (const { seq } of taken) markDelivered(tx, seq, recipient, at);
    if (taken.length > 0) {
      tx.afterCommit(() => {
        this.#counters.add(recipient, {
          queued: -taken.length,
          held: taken.filter(({ message }) => isWork(message.kind)).length,
        });
        for (const { message } of taken) this.#changes.add(message.id, recipient, 'delivered');
        this.#tellActivity(recipient, 'taken');
      });
    }
    return page.map(({ message }) => (message.state === 'queued' ? { ...message, state: 'delivered' } : message));
  }

  #tellActivity(recipient: string, kind: InboxActivity['kind']): void {
    this.#activity.fire({ recipient, kind, held: this.heldBy(recipient) });
  }

  /** The inbox a caller asks to see. */
  #visibleInbox(agentId: AgentId | undefined, caller: Caller): string {
    if (caller.agentId !== undefined) {
      if (agentId === undefined || agentId === caller.agentId) return caller.agentId;
      throw new AppError('FORBIDDEN', 'An agent sees its own inbox only. Leave agentId out.', { data: { field: 'agentId' } });
    }
    if (agentId === undefined) return OPERATOR;
    if (this.#options.resolveAgent(agentId)) return agentId;
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

/** Refuses work for somebody whose boundary is weaker than that of the one who wished for it. */
function refuseWeaker(originator: Originator, resolved: Resolved, draft: MessageDraft): void {
  const weaker = resolved.agents.filter((agent) => !mayCause(originator.boundary, agent.boundary, draft.kind));
  const first = weaker[0];
  if (!first) return;
  const wish = originator.kind === 'agent' ? `Agent "${originator.id}"` : `"${originator.id}"`;
  throw new AppError(
    'FORBIDDEN',
    `${wish} is confined by ${originator.boundary}, agent "${first.id}" only by ${first.boundary}: a ${draft.kind} would be executed in a weaker boundary than its originator's. Nothing was sent. Send it to an agent confined at least by ${originator.boundary}, or ask the operator to order it.`,
    {
      data: {
        originator: originator.id,
        originatorBoundary: originator.boundary,
        recipients: weaker.map((agent) => agent.id),
        recipientBoundary: first.boundary,
      },
    },
  );
}

function resultOf(message: Message, isDuplicate: boolean): SendResult {
  return { messageId: message.id, threadId: message.threadId, recipients: message.recipients, isDuplicate };
}

/** The answer to a send whose key was used before. */
function repeated(message: Message, draft: MessageDraft): SendResult {
  if (hasContentOf(message, draft)) return resultOf(message, true);
  throw new AppError(
    'CONFLICT',
    `The idempotencyKey was used before for another message (${message.id}). Nothing was sent. Use a new key for a new message.`,
    {
      data: { field: 'idempotencyKey', messageId: message.id },
    },
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
