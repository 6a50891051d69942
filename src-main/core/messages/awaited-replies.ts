/**
 * Who waits for an answer: calls that wait for a reply in this process, and senders that are told when none will come.
 * Invariant: a call is settled once; whoever waits for an answer is told once why none comes.
 */
import { AppError } from '#shared/kernel/errors.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { InboxMessage, Message } from '#shared/messages/model.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import type { MessageFacts } from './due-repository.ts';
import { awaitedRecipients, takeAwaited } from './due-repository.ts';
import type { Tell } from './system-events.ts';
import { inboxOf } from './system-events.ts';

/** How an agent ended, as those are told who wait for its answer. */
export type AgentEnd = 'stopped' | 'failed' | 'lost' | 'removed';

const WORDS: Readonly<Record<AgentEnd, string>> = {
  stopped: 'was stopped',
  failed: 'failed',
  lost: 'cannot be reached',
  removed: 'was removed',
};

/** Most messages that a death notice names. */
const NAMED_MESSAGES = 20;

/** What it works with. */
export interface AwaitedRepliesOptions {
  readonly store: AppStore;
  readonly tell: Tell;
}

/** A call that waits for the reply to a request. */
interface WaitingCall {
  /** The caller's inbox. */
  readonly recipient: string;
  settle(reply: InboxMessage | undefined): void;
  fail(error: Error): void;
}

/** Who waits for an answer. */
export class AwaitedReplies {
  readonly #o: AwaitedRepliesOptions;
  readonly #calls = new Map<string, Set<WaitingCall>>();

  constructor(options: AwaitedRepliesOptions) {
    this.#o = options;
  }

  /** How many calls wait. */
  get waiting(): number {
    return [...this.#calls.values()].reduce((sum, calls) => sum + calls.size, 0);
  }

  /** Waits for the answer to a request, up to `timeoutMs`; undefined when it did not come, or the caller went away. */
  wait(requestId: MessageId, recipient: string, timeoutMs: number, signal: AbortSignal): Promise<InboxMessage | undefined> {
    if (signal.aborted || timeoutMs === 0) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const calls = this.#calls.get(requestId) ?? new Set();
      this.#calls.set(requestId, calls);
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        calls.delete(call);
        if (calls.size === 0 && this.#calls.get(requestId) === calls) this.#calls.delete(requestId);
      };
      const call: WaitingCall = {
        recipient,
        settle: (reply) => {
          end();
          resolve(reply);
        },
        fail: (error) => {
          end();
          reject(error);
        },
      };
      const onAbort = (): void => call.settle(undefined);
      const timer = setTimeout(() => call.settle(undefined), timeoutMs);
      signal.addEventListener('abort', onAbort, { once: true });
      calls.add(call);
    });
  }

  /** Who waits for this message as the answer to its request: their inboxes, and what to do once it is committed. */
  callsFor(message: Message): { readonly recipient: string; readonly settle: (reply: InboxMessage) => void }[] {
    const { inReplyTo, recipients } = message;
    if (this.#calls.size === 0 || inReplyTo === null || message.notBefore !== null || !isAnswer(message)) return [];
    const calls = [...(this.#calls.get(inReplyTo) ?? [])].filter(({ recipient }) => recipients.includes(recipient));
    // A call that is repeated while the first one waits: both get it, and it is handed out once.
    return [...new Set(calls.map(({ recipient }) => recipient))].map((recipient) => ({
      recipient,
      settle: (reply) => {
        for (const call of calls) if (call.recipient === recipient) call.settle(reply);
      },
    }));
  }

  /** Inside a write: recipients of a request let its deadline pass. */
  onLate(tx: Tx, message: MessageFacts, recipients: readonly string[]): void {
    const asker = inboxOf(message.from);
    if (asker === undefined || recipients.length === 0) return;
    this.#o.tell(tx, asker, {
      about: message,
      body: `No reply to "${message.title}" came in time from ${recipients.join(', ')}. A late reply still arrives; take the message back with cancel_message if you do not want it any more.`,
      data: { reason: 'timeout', messageId: message.id, recipients: [...recipients] },
    });
  }

  /**
   * An agent ended: whoever waits for its answer is told, once for all that it asked. Where it is only told now that it ended
   * at a time, what was sent to it since is left alone: that waits for its next start, and whoever sent it could know.
   */
  async onAgentEnded(id: AgentId, end: AgentEnd, endedAt?: number): Promise<void> {
    await this.#o.store.write((tx) => {
      const byAsker = new Map<string, MessageFacts[]>();
      for (const message of takeAwaited(tx, id, endedAt)) {
        const asker = inboxOf(message.from);
        if (asker !== undefined) byAsker.set(asker, [...(byAsker.get(asker) ?? []), message]);
      }
      for (const [asker, messages] of byAsker) {
        const [about] = messages.slice(-1);
        if (!about || asker === id) continue;
        const what = messages.length === 1 ? `"${about.title}"` : `${messages.length} messages, the last "${about.title}"`;
        const next =
          end === 'removed' ? 'Send it to somebody else.' : 'It stays in its inbox: the answer comes if it is started again.';
        this.#o.tell(tx, asker, {
          about,
          body: `Agent "${id}" ${WORDS[end]} before it answered ${what}. ${next}`,
          data: {
            reason: `agent-${end}`,
            agentId: id,
            messageIds: messages.slice(-NAMED_MESSAGES).map((message) => message.id),
            messages: messages.length,
          },
        });
      }
    });
  }

  /** Those whose answers are waited for. */
  recipients(): AgentId[] {
    return this.#o.store.peek(awaitedRecipients).flatMap((recipient) => AgentId.safeParse(recipient).data ?? []);
  }

  /** Ends every wait. */
  dispose(): void {
    const error = new AppError(
      'UNAVAILABLE',
      'Quarterdeck is ending. Your request is stored: repeat the call with the same idempotencyKey when it is back.',
      { retryable: true },
    );
    for (const calls of [...this.#calls.values()]) for (const call of [...calls]) call.fail(error);
  }
}

/** Whether a message that answers a request ends the wait for it: its reply, or why none will come. */
function isAnswer({ kind, from }: Message): boolean {
  return kind === 'reply' || (kind === 'event' && from.kind === 'system');
}
