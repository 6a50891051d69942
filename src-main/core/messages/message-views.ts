/** Looking at messages: the history, counts, one message, the dead, one inbox. Changes nothing. */
import { AppError } from '#shared/kernel/errors.ts';
import type { Delivery, Message, MessageCounts, QueueInspection } from '#shared/messages/model.ts';
import { MAX_ATTEMPTS, OPERATOR } from '#shared/messages/model.ts';
import type { AppStore } from '#core/reads.ts';
import type { HistoryPage } from './history-repository.ts';
import type { InboxCounters } from './inbox-counters.ts';
import { notInInbox } from './inbox-errors.ts';
import type { InboxLimits } from './inbox-limits.ts';
import type { MessageInputs } from './message-draft.ts';
import type { DeadPage } from './message-reads.ts';
import type { AgentDirectory } from './resolve-recipients.ts';

/** What the views stand on. */
export interface MessageViewsOptions {
  readonly store: AppStore;
  readonly counters: InboxCounters;
  readonly resolveAgent: AgentDirectory['resolveAgent'];
  readonly limits: InboxLimits;
}

/** Looking at messages. */
export class MessageViews {
  readonly #o: MessageViewsOptions;

  constructor(options: MessageViewsOptions) {
    this.#o = options;
  }

  /** A page of dead copies, newest message first. NOT_FOUND when it is to begin at an unknown message. */
  async dead(input: MessageInputs['dead']): Promise<DeadPage> {
    const page = await this.#o.store.read('messages.dead', input);
    if (page) return page;
    throw new AppError(
      'NOT_FOUND',
      `There is no message ${input.before}. State in "before" what the page before said in "older", or leave it out.`,
      {
        data: { field: 'before' },
      },
    );
  }

  /** One inbox as it stands. NOT_FOUND when there is no such agent, or the page is to begin at a message that is not there. */
  async queues(input: MessageInputs['queues']): Promise<QueueInspection> {
    const recipient = input.agentId ?? OPERATOR;
    if (input.agentId !== undefined && !this.#o.resolveAgent(input.agentId))
      throw new AppError('NOT_FOUND', `Agent "${input.agentId}" does not exist. See who is there with list_agents.`, {
        data: { agentId: input.agentId },
      });
    const page = await this.#o.store.read('messages.queue', { recipient, after: input.after, limit: input.limit });
    if (!page) throw notInInbox(input.after);
    const { queued, delayed, unread, chars } = this.#o.counters.of(recipient);
    return {
      recipient,
      counts: { queued, delayed, unread, oldestQueuedAt: page.oldestQueuedAt },
      chars,
      limits: { ...this.#o.limits, attempts: MAX_ATTEMPTS },
      messages: page.messages,
      deliveries: page.deliveries,
      next: page.next,
    };
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
    const page = await this.#o.store.read('messages.history', input);
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
    const inboxes = this.#o.counters.inboxes(projectId);
    const { total, requests, dead } = this.#o.counters.messages(projectId);
    const forOperator = this.#o.counters.of(OPERATOR, projectId).unread;
    const queued = inboxes.filter((inbox) => inbox.queued > 0);
    const oldest = await this.#o.store.read('messages.oldest-queued', {
      inboxes: queued.map(({ recipient, hasSeveralProjects }) => ({
        recipient,
        projectId: hasSeveralProjects ? projectId : undefined,
      })),
    });
    const oldestOf = new Map(queued.map(({ recipient }, index) => [recipient, oldest[index] ?? null]));
    const queues = inboxes.map((inbox) => ({
      recipient: inbox.recipient,
      queued: inbox.queued,
      delayed: inbox.delayed,
      oldestQueuedAt: oldestOf.get(inbox.recipient) ?? null,
      unread: inbox.unread,
    }));
    return { total, forOperator, requests, dead, queues };
  }

  /** One message and where its copies stand. */
  async get(input: MessageInputs['get']): Promise<{ message: Message; deliveries: Delivery[] }> {
    const found = await this.#o.store.read('messages.one', { id: input.id });
    if (found) return found;
    throw new AppError('NOT_FOUND', `There is no message ${input.id}. Find ids with list_messages.`, {
      data: { messageId: input.id },
    });
  }
}
