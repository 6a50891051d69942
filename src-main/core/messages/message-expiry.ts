/**
 * Lets messages die whose time is up. Owns the timer to the next expiry.
 * Invariants: the timer stands while there is a delivery that lives and has an end, and not otherwise; a message dies
 * once, all its copies that are not acknowledged in one write, with one event.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import type { DeadDelivery, ExpiredMessage } from './deliveries-repository.ts';
import { firstExpired, killDeliveries, nextExpiry } from './deliveries-repository.ts';
import { countDead } from './messages-repository.ts';

/** Why a delivery died whose time was up. */
export const EXPIRED = 'expired';
/** A write lets no further message die after this many deliveries, in number: about 2 ms, so that nobody waits for it. */
const DEATHS_PER_WRITE = 200;
/** The timer looks again after this long at the latest, in milliseconds: timers stand still while the computer sleeps. */
const LONGEST_TIMER_MS = 60_000;

/** A message that died. */
export interface DeadMessage extends ExpiredMessage {
  readonly deliveries: readonly DeadDelivery[];
}

/** What it works with. */
export interface MessageExpiryOptions {
  readonly store: AppStore;
  /** Wall clock. */
  readonly now: () => number;
  /** The clock by which messages expire; see steady-clock.ts. */
  readonly steadyNow: () => number;
  readonly log: (message: string, error: unknown) => void;
  /** Told after the commit. */
  readonly onDead: (message: DeadMessage) => void;
}

/** Lets messages die whose time is up. */
export class MessageExpiry implements Disposable {
  readonly #o: MessageExpiryOptions;
  #next: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: MessageExpiryOptions) {
    this.#o = options;
  }

  /** Finds the next expiry; what expired earlier dies at once. Once, after the store is open. */
  open(): void {
    this.#look();
  }

  /** The time until which messages sent now for `ttlMs` live. */
  expiresAt(ttlMs: number): number {
    return this.#o.steadyNow() + ttlMs;
  }

  /** What expires then or earlier has expired, whether its row says so yet or not. 0 while nothing that lives has an end. */
  expiredUntil(): number {
    // Asking the clock costs some microseconds, and most crews send nothing that expires.
    return this.#next === undefined ? 0 : this.#o.steadyNow();
  }

  /** A message that expires was committed. */
  note(expiresAt: number): void {
    if (this.#next === undefined || expiresAt < this.#next) this.#arm(expiresAt);
  }

  /** Lets everything die that has expired by now. The timer does so by itself. */
  async expire(): Promise<void> {
    while (await this.#o.store.write((tx) => this.#expireSome(tx)));
    this.#look();
  }

  dispose(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** Returns whether there may be more. */
  #expireSome(tx: Tx): boolean {
    const until = this.#o.steadyNow();
    const at = this.#o.now();
    for (let deaths = 0; deaths < DEATHS_PER_WRITE;) {
      const message = firstExpired(tx, until);
      if (!message) return false;
      const deliveries = killDeliveries(tx, message.seq, at, EXPIRED);
      countDead(tx, message.projectId);
      const recipients = deliveries.map(({ recipient }) => recipient);
      tx.record(
        // The id was minted and checked when the row was written.
        event(
          { projectId: message.projectId as ProjectId, actor: CORE.actor, door: CORE.door, subject: message.id },
          'message.dead',
          {
            recipients,
            reason: EXPIRED,
            deadAt: at,
          },
        ),
      );
      tx.afterCommit(() => this.#o.onDead({ ...message, deliveries }));
      deaths += deliveries.length;
    }
    return true;
  }

  #look(): void {
    if (this.#isOver) return;
    const next = this.#o.store.peek(nextExpiry);
    if (next !== undefined) return this.#arm(next);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next = undefined;
  }

  #arm(next: number): void {
    if (this.#isOver) return;
    this.#next = next;
    clearTimeout(this.#timer);
    const delayMs = Math.min(Math.max(0, next - this.#o.steadyNow()), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#onTimer(), delayMs).unref();
  }

  #onTimer(): void {
    if (this.#next !== undefined && this.#next > this.#o.steadyNow()) return this.#arm(this.#next);
    this.expire().catch((error: unknown) => {
      if (this.#isOver) return;
      this.#o.log('messages that expired could not be marked as dead; they are not handed out, and it is tried again', error);
      this.#timer = setTimeout(() => this.#onTimer(), LONGEST_TIMER_MS).unref();
    });
  }
}
