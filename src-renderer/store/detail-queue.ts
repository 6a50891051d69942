/**
 * Messages of which it is to be asked where their copies stand: pushes say only the state. In a flood the newest count, and
 * only some are asked for at a time.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { Delivery, Message } from '#shared/messages/model.ts';
import { Coalescer } from './coalesce.ts';
import type { HistoryClient } from './history-pages.ts';

/** Details are asked for at most so often, in milliseconds, and for so many messages. */
const DETAILS_EVERY_MS = 250;
const DETAILS_AT_ONCE = 30;
/** Messages that wait to be asked for, at most. */
const MOST_WANTED = 200;

/** A message as the core has it now. */
export interface MessageDetails {
  readonly message: Message;
  readonly deliveries: readonly Delivery[];
}

/** What the queue works with. */
export interface DetailQueueOptions {
  /** The line of the moment; throws when there is none. */
  readonly client: () => HistoryClient;
  /** Called before asking; gives who takes the answers, if they still matter then. */
  readonly taker: () => (answers: readonly MessageDetails[]) => void;
}

/** Asks for details, some at a time. */
export class DetailQueue implements Disposable {
  readonly #options: DetailQueueOptions;
  readonly #wanted = new Set<MessageId>();
  readonly #asking = new Coalescer(DETAILS_EVERY_MS, () => this.#ask());

  constructor(options: DetailQueueOptions) {
    this.#options = options;
  }

  /** Wants the details of these, soon. */
  want(ids: readonly MessageId[]): void {
    for (const id of ids) {
      // Wanted again is wanted last.
      this.#wanted.delete(id);
      this.#wanted.add(id);
      const [oldest] = this.#wanted;
      if (this.#wanted.size > MOST_WANTED && oldest !== undefined) this.#wanted.delete(oldest);
    }
    if (this.#wanted.size > 0) this.#asking.ask();
  }

  dispose(): void {
    this.#asking.dispose();
  }

  async #ask(): Promise<void> {
    const client = this.#options.client();
    const ids = [...this.#wanted].slice(-DETAILS_AT_ONCE);
    for (const id of ids) this.#wanted.delete(id);
    const take = this.#options.taker();
    // One that cannot be had keeps none of the others away.
    const asked = ids.map(async (id) => [await client.messages.get({ id })]);
    const answers = (await Promise.allSettled(asked)).flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    if (this.#wanted.size > 0) this.#asking.ask();
    take(answers);
  }
}
