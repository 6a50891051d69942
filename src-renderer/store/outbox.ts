/**
 * What the operator has sent and the core has not confirmed yet. Each message has a key of its own that stays the same for
 * every try, so that one whose answer was lost on the way is stored once. Kept across reloads, and tried again by itself
 * when a line stands; what the core refused waits for the operator.
 */
import { ORPCError } from '@orpc/client';
import * as z from 'zod';
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import { MessageId, ProjectId } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';
import { Address, MessageKind, Priority } from '#shared/messages/model.ts';
import type { CoreClient } from '#renderer/connection/line.ts';
import { problemOf } from './use-command.ts';

/** A message as the operator wrote it. */
export const OutgoingMessage = z.object({
  /** The same for every try. */
  key: z.string().min(1).max(80),
  to: z.array(Address).min(1),
  body: z.string().min(1),
  kind: MessageKind,
  priority: Priority,
  subject: z.string().nullable(),
  data: Json.nullable(),
  ttlMs: z.number().nullable(),
  inReplyTo: MessageId.nullable(),
  projectId: ProjectId.nullable(),
  /** When it was first sent, in milliseconds since the epoch. */
  sentAt: z.number(),
});
/** A message as the operator wrote it. */
export type OutgoingMessage = z.infer<typeof OutgoingMessage>;

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

  /** Sends. Resolves once it is stored, refused, or known to wait; `store` says which. */
  send(written: Omit<OutgoingMessage, 'sentAt'>): Promise<void> {
    const message = { ...written, sentAt: Date.now() };
    try {
      this.#options.storage.setItem(PREFIX + message.key, JSON.stringify(message));
    } catch {
      // A full storage keeps nobody from sending; only a reload in the middle of it would lose the message.
    }
    this.store.setState(({ entries }) => ({ entries: [...entries, { message, state: 'sending', problem: undefined }] }));
    return this.#try(message);
  }

  /** Tries one again, by the same key. */
  retry(key: string): Promise<void> {
    const entry = this.store.getState().entries.find(({ message }) => message.key === key);
    if (entry === undefined) return Promise.resolve();
    this.#set(key, { state: 'sending', problem: undefined });
    return this.#try(entry.message);
  }

  /** Takes one away; answers with what was written, undefined when it went meanwhile. */
  discard(key: string): OutgoingMessage | undefined {
    const entry = this.store.getState().entries.find(({ message }) => message.key === key);
    this.#remove(key);
    return entry?.message;
  }

  /** A line stands: tries again everything that waits for one. */
  async resume(): Promise<void> {
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
        ...(message.inReplyTo === null ? {} : { inReplyTo: message.inReplyTo }),
        ...(message.projectId === null ? {} : { projectId: message.projectId }),
      });
      // Not being able to mark the question is no reason to doubt the answer: it stays in the inbox, visibly.
      if (message.inReplyTo !== null) await this.#options.acknowledge(message.inReplyTo).catch(() => undefined);
      this.#remove(key);
    } catch (error) {
      const isRefused = error instanceof ORPCError && error.code !== 'UNAVAILABLE' && error.status < 500;
      this.#set(key, { state: isRefused ? 'failed' : 'waiting', problem: problemOf(error) });
    } finally {
      this.#running.delete(key);
    }
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
