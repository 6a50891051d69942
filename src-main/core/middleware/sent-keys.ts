/**
 * Recognises a send that is repeated with its idempotency key although a chain changed what was stored. Of what was asked for
 * a digest with a key is kept, in the transaction of the message; what is under way is remembered meanwhile.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { AppError } from '#shared/kernel/errors.ts';
import { canonicalJson } from '#shared/kernel/json.ts';
import type { Message, Sender } from '#shared/messages/model.ts';
import type { MessageDraft } from '#core/messages/message-draft.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import type { KeptDigests } from './middleware-repository.ts';
import { hasInputDigests, inputDigest, removeOldDigests, saveInputDigest } from './middleware-repository.ts';

/** What is known of a message that was sent under a key. */
export interface SentBefore {
  readonly message: Message;
  readonly ttlMs: number | null;
}

/** What it needs. */
export interface SentKeysOptions {
  readonly store: AppStore;
  readonly digestKey: Uint8Array;
  readonly now?: () => number;
  readonly log: (message: string, error: unknown) => void;
  readonly findByKey: (from: Sender, key: string) => SentBefore | undefined;
}

/**
 * Digests are kept for 30 days, and the newest 100,000 (some 15 MB). A send that is repeated later is refused, as one whose
 * key was used for something else: never is a message sent twice.
 */
const KEPT: KeptDigests = { most: 100_000, ms: 30 * 24 * 60 * 60 * 1_000 };
/** Looked for at each start and with every so many new ones; one write removes at most so many. */
const TIDY_EVERY = 1_000;
const REMOVED_PER_WRITE = 1_000;

/** Sends under way that are remembered; each may hold a message. */
const MAX_UNDER_WAY = 64;

interface UnderWay {
  readonly digest: Uint8Array;
  readonly prepared: MessageDraft | Promise<MessageDraft>;
}

/** Remembers what was sent under which key. */
export class SentKeys {
  readonly #o: SentKeysOptions;
  readonly #underWay = new Map<string, UnderWay>();
  #hasDigests = false;
  #newDigests = 0;

  constructor(options: SentKeysOptions) {
    this.#o = options;
  }

  /** Whether something was ever stored otherwise than it was asked for. */
  get hasDigests(): boolean {
    return this.#hasDigests;
  }

  /** Reads that, and removes what is not kept any more. Once, after the store is open. */
  async open(): Promise<void> {
    this.#hasDigests = this.#o.store.peek(hasInputDigests);
    if (this.#hasDigests) await this.#tidy();
  }

  async #tidy(): Promise<void> {
    const now = (this.#o.now ?? Date.now)();
    while ((await this.#o.store.write((tx) => removeOldDigests(tx, KEPT, now, REMOVED_PER_WRITE))) === REMOVED_PER_WRITE);
  }

  /** A chain is another one now: what is under way is not taken over. */
  forget(): void {
    this.#underWay.clear();
  }

  /**
   * What a repeated send is to be stored as, which is what was stored; undefined when it is none. CONFLICT when the key was
   * used for another message.
   */
  repeated(draft: MessageDraft, from: Sender): MessageDraft | Promise<MessageDraft> | undefined {
    if (draft.idempotencyKey === null) return undefined;
    const underWay = this.#underWay.get(nameOf(from, draft.idempotencyKey));
    if (underWay && timingSafeEqual(underWay.digest, this.#digestOf(draft))) return underWay.prepared;
    const before = this.#o.findByKey(from, draft.idempotencyKey);
    if (!before) return undefined;
    const digest = this.#hasDigests ? this.#o.store.peek((db) => inputDigest(db, before.message.id)) : undefined;
    // It was stored as it was asked for, so whoever stores compares the two.
    if (!digest) return draft;
    if (timingSafeEqual(digest, this.#digestOf(draft))) {
      const { subject, body, data, priority } = before.message;
      return {
        ...draft,
        subject,
        body,
        data,
        dataText: data === null ? null : JSON.stringify(data),
        priority,
        ttlMs: before.ttlMs,
      };
    }
    throw new AppError(
      'CONFLICT',
      `The idempotencyKey was used before for another message (${before.message.id}). Nothing was sent. Use a new key for a new message.`,
      { data: { field: 'idempotencyKey', messageId: before.message.id } },
    );
  }

  /** Remembers a send with a key until it is stored, or fails. */
  begin(draft: MessageDraft, from: Sender, prepared: MessageDraft | Promise<MessageDraft>): void {
    if (draft.idempotencyKey === null) return;
    const name = nameOf(from, draft.idempotencyKey);
    const entry = { digest: this.#digestOf(draft), prepared };
    this.#underWay.delete(name);
    this.#underWay.set(name, entry);
    const oldest = this.#underWay.size > MAX_UNDER_WAY ? this.#underWay.keys().next().value : undefined;
    if (oldest !== undefined) this.#underWay.delete(oldest);
    if (prepared instanceof Promise)
      prepared.catch(() => {
        if (this.#underWay.get(name) === entry) this.#underWay.delete(name);
      });
  }

  /** In the write of the message: keeps what was asked for where something else is stored. */
  stored(tx: Tx, asked: MessageDraft, message: Message, isOther: boolean): void {
    const key = asked.idempotencyKey;
    if (key === null) return;
    if (isOther) saveInputDigest(tx, message.projectId, message.id, this.#digestOf(asked));
    tx.afterCommit(() => {
      this.#hasDigests ||= isOther;
      if (isOther) this.#newDigests += 1;
      if (isOther && this.#newDigests % TIDY_EVERY === 0)
        this.#tidy().catch((error: unknown) => this.#o.log('old digests of middleware could not be removed', error));
      this.#underWay.delete(nameOf(message.from, key));
    });
  }

  #digestOf({ dataText: _made, ...draft }: MessageDraft): Buffer {
    return createHmac('sha256', this.#o.digestKey).update(canonicalJson(draft)).digest();
  }
}

function nameOf(from: Sender, key: string): string {
  return JSON.stringify([from.kind, from.id, key]);
}
