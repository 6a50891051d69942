/** For tests: a crew of two on a clock that the test moves. */
import type { AgentId, MessageId } from '#shared/kernel/ids.ts';
import { AgentId as AgentIdSchema } from '#shared/kernel/ids.ts';
import type { Address, Delivery, InboxMessage } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import type { SendInput } from '#core/messages/message-draft.ts';
import type { MessagesOptions } from '#core/messages/messages-options.ts';
import type { TestMessages } from './open-messages.ts';
import { agentCaller, openMessages } from './open-messages.ts';

/** A minute, in milliseconds. */
export const MINUTE_MS = 60_000;

/** An agent's id. */
export function agentId(id: string): AgentId {
  return AgentIdSchema.parse(id);
}

/** Ada and Ben, and what they do. */
export class ClockedCrew {
  readonly clock: { now: number };
  readonly t: TestMessages;
  readonly ada: Caller;
  readonly ben: Caller;

  private constructor(clock: { now: number }, t: TestMessages) {
    this.clock = clock;
    this.t = t;
    this.ada = t.addAgent('ada');
    this.ben = t.addAgent('ben');
  }

  /** Opens the feature, in a folder that was used before if one is given. Waits that differ are in the middle of their range. */
  static async open(
    options: { dir?: string; clock?: { now: number }; more?: Partial<MessagesOptions> } = {},
  ): Promise<ClockedCrew> {
    const clock = options.clock ?? { now: 1_800_000_000_000 };
    const t = await openMessages({
      now: () => clock.now,
      ...(options.dir === undefined ? {} : { dir: options.dir }),
      extend: async () => ({ random: () => 0.5, ...options.more }),
    });
    return new ClockedCrew(clock, t);
  }

  /** Sends from Ada to Ben unless stated otherwise; returns the id. */
  async send(more: Partial<SendInput> = {}, from: Caller = this.ada): Promise<MessageId> {
    const to: Address = agentId('ben');
    const { messageId } = await this.t.service.send({ to, body: 'text', kind: 'task', priority: 'normal', ...more }, from);
    return messageId;
  }

  /** What is handed out at once; Ben takes it unless stated otherwise. */
  async take(more: { limit?: number; leaseMs?: number } = {}, who: Caller = this.ben): Promise<InboxMessage[]> {
    const page = await this.t.service.wait({ timeoutMs: 0, limit: 50, ...more }, who, new AbortController().signal);
    return page.messages;
  }

  /** Everything unread, as its owner sees it. */
  async unread(who: Caller = this.ben): Promise<InboxMessage[]> {
    return (await this.t.service.inbox({ unreadOnly: true, limit: 200 }, who)).messages;
  }

  /** The copy in one inbox. */
  async copy(id: MessageId, recipient = 'ben'): Promise<Delivery> {
    const { deliveries } = await this.t.service.get({ id });
    const copy = deliveries.find((delivery) => delivery.recipient === recipient);
    if (!copy) throw new Error(`no copy of ${id} for ${recipient}`);
    return copy;
  }

  /** Lets time pass, and what is due happen. */
  async pass(ms: number): Promise<void> {
    this.clock.now += ms;
    await this.t.service.settle();
  }

  /** Events of a kind since a number of the journal. */
  events(after: number, kind: string) {
    return this.t.test.journal.recentAfter(after, 100)?.filter((event) => event.kind === kind) ?? [];
  }

  caller(id: string): Caller {
    return agentCaller(id);
  }
}
