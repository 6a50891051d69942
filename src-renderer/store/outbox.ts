/**
 * What the operator has sent and the core has not confirmed yet. Each message has a key of its own that stays the same for
 * every try, so that one whose answer was lost on the way is stored once. Kept across reloads, and tried again by itself
 * when a line stands; what the core refused waits for the operator. Windows of one browser share what is kept: what one of
 * them has sent or discarded is gone in all.
 */
import { ORPCError } from '@orpc/client';
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import type { CoreClient } from '#renderer/connection/line.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import { answerKey } from './answer.ts';
import type { WrittenMessage } from './outgoing-message.ts';
import { OutgoingMessage } from './outgoing-message.ts';
import { problemOf } from './use-command.ts';

/** A message on its way. */
export interface OutboxEntry {
  readonly message: OutgoingMessage;
  /** sending: the core has it, or is about to; waiting: no answer came, it is tried again with the next line; failed: refused. */
  readonly state: 'sending' | 'waiting' | 'failed';
  /** Why it waits or failed, and what to do. */
  readonly problem: string | undefined;
}

/** Each message has an entry of its own, so that two windows never write over one another's. */
const PREFIX = 'quarterdeck.outbox.';

/** What is said of the second answer to one question. */
const ANSWERED_BEFORE =
  'This question has another answer already, given in another window or by another program. To say this as well, edit it and send it.';

/** What the outbox does with the core, given by who makes it. */
export interface OutboxOptions {
  /** The line of the moment; throws when there is none. */
  readonly client: () => { readonly messages: Pick<CoreClient['messages'], 'send'> };
  /** Marks a message of the operator's inbox as dealt with: an answered question is. */
  readonly acknowledge: (id: MessageId) => Promise<void>;
  readonly storage: Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>;
}

/** The messages on their way. */
export class Outbox {
  readonly store: StoreApi<{ readonly entries: readonly OutboxEntry[] }>;
  readonly #options: OutboxOptions;
  readonly #running = new Set<string>();

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.store = createStore(() => ({ entries: kept(options.storage) }));
  }

  /**
   * Sends. Resolves once it is stored, refused, or known to wait; `store` says which. One whose key is on its way already
   * changes nothing: pressing twice sends once. It takes the place of one that was refused.
   */
  send(written: WrittenMessage): Promise<void> {
    const message = { ...written, sentAt: Date.now() };
    const known = this.#entry(message.key);
    if (known !== undefined && known.state !== 'failed') return Promise.resolve();
    try {
      this.#options.storage.setItem(PREFIX + message.key, JSON.stringify(message));
    } catch {
      // A full storage keeps nobody from sending; only a reload in the middle of it would lose the message.
    }
    this.store.setState(({ entries }) => ({
      entries: [
        ...entries.filter((entry) => entry.message.key !== message.key),
        { message, state: 'sending', problem: undefined },
      ],
    }));
    return this.#try(message);
  }

  /** Tries one again, by the same key. */
  retry(key: string): Promise<void> {
    const entry = this.#entry(key);
    if (entry === undefined) return Promise.resolve();
    this.#set(key, { state: 'sending', problem: undefined });
    return this.#try(entry.message);
  }

  /** Takes one away; answers with what was written, undefined when it went meanwhile. */
  discard(key: string): OutgoingMessage | undefined {
    const entry = this.#entry(key);
    this.#remove(key);
    return entry?.message;
  }

  /** Another window of this browser has changed what is kept under a name; null: it is there no more. */
  takeKept(name: string, text: string | null): void {
    if (!name.startsWith(PREFIX) || text !== null) return;
    const key = name.slice(PREFIX.length);
    this.store.setState(({ entries }) => ({ entries: entries.filter(({ message }) => message.key !== key) }));
  }

  /** A line stands: tries again everything that waits for one, also what a window left behind that was closed since. */
  async resume(): Promise<void> {
    const left = kept(this.#options.storage).filter(({ message }) => this.#entry(message.key) === undefined);
    if (left.length > 0) this.store.setState(({ entries }) => ({ entries: [...entries, ...left] }));
    const waiting = this.store.getState().entries.filter(({ state }) => state === 'waiting');
    // One after the other: they arrive in the order in which they were written.
    for (const { message } of waiting) await this.retry(message.key);
  }

  async #try(message: OutgoingMessage): Promise<void> {
    const { key } = message;
    if (this.#running.has(key)) return;
    this.#running.add(key);
    try {
      await this.#options.client().messages.send({
        to: message.to,
        body: message.body,
        kind: message.kind,
        priority: message.priority,
        idempotencyKey: key,
        ...(message.subject === null ? {} : { subject: message.subject }),
        ...(message.data === null ? {} : { data: message.data }),
        ...(message.ttlMs === null ? {} : { ttlMs: message.ttlMs }),
        ...(message.delayMs === null ? {} : { delayMs: message.delayMs }),
        ...(message.replyWithinMs === null ? {} : { replyWithinMs: message.replyWithinMs }),
        ...(message.inReplyTo === null ? {} : { inReplyTo: message.inReplyTo }),
        ...(message.projectId === null ? {} : { projectId: message.projectId }),
        ...(message.files.length === 0 ? {} : { attachments: message.files.map(({ attachmentId }) => ({ attachmentId })) }),
      });
      // Not being able to mark the question is no reason to doubt the answer: it stays in the inbox, visibly.
      if (message.inReplyTo !== null) await this.#options.acknowledge(message.inReplyTo).catch(() => undefined);
      this.#remove(key);
    } catch (error) {
      const isRefused = error instanceof ORPCError && error.code !== 'UNAVAILABLE' && error.status < 500;
      const isLate = isRefused && error.code === 'CONFLICT' && message.inReplyTo !== null && key === answerKey(message.inReplyTo);
      // Whoever answered first has dealt with the question.
      if (isLate && message.inReplyTo !== null) await this.#options.acknowledge(message.inReplyTo).catch(() => undefined);
      this.#set(key, { state: isRefused ? 'failed' : 'waiting', problem: isLate ? ANSWERED_BEFORE : problemOf(error) });
    } finally {
      this.#running.delete(key);
    }
  }

  #entry(key: string): OutboxEntry | undefined {
    return this.store.getState().entries.find(({ message }) => message.key === key);
  }

  #set(key: string, change: Pick<OutboxEntry, 'state' | 'problem'>): void {
    this.store.setState(({ entries }) => ({
      entries: entries.map((entry) => (entry.message.key === key ? { ...entry, ...change } : entry)),
    }));
  }

  #remove(key: string): void {
    this.#options.storage.removeItem(PREFIX + key);
    this.store.setState(({ entries }) => ({ entries: entries.filter(({ message }) => message.key !== key) }));
  }
}

/** What an earlier page left behind, in the order in which it was written. */
function kept(storage: OutboxOptions['storage']): readonly OutboxEntry[] {
  const names = Array.from({ length: storage.length }, (_, at) => storage.key(at)).filter((name) => name?.startsWith(PREFIX));
  return names
    .flatMap((name) => {
      const message = parsed(storage.getItem(name ?? ''));
      return message === undefined ? [] : [{ message, state: 'waiting', problem: undefined } as const];
    })
    .toSorted((a, b) => a.message.sentAt - b.message.sentAt);
}

function parsed(text: string | null): OutgoingMessage | undefined {
  try {
    return OutgoingMessage.safeParse(JSON.parse(text ?? 'null')).data;
  } catch {
    return undefined;
  }
}
