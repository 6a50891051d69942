/**
 * What becomes of deliveries by themselves, in time: they expire, their lease ends, they are held back no longer, the answer
 * to them is late. Owns the one timer to whatever is due next.
 * Invariants: the timer stands while something will be due, and not otherwise; what is due happens once, in a write.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { BackoffPolicy } from '#shared/kernel/backoff.ts';
import { backoffMs } from '#shared/kernel/backoff.ts';
import type { DeadReason } from '#shared/messages/model.ts';
import { MAX_ATTEMPTS } from '#shared/messages/model.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import { requeue } from './deliveries-repository.ts';
import type { Death, DueDelivery, MessageFacts } from './due-repository.ts';
import { firstDue, letGo, nextDue, takeLate } from './due-repository.ts';

/** A write does no more than so many steps, in number: about 2 ms, so that nobody waits for it. */
const STEPS_PER_WRITE = 200;
/** The timer looks again after this long at the latest, in milliseconds: timers stand still while the computer sleeps. */
const LONGEST_TIMER_MS = 60_000;

/** How long a copy is held back whose lease ended: one second, doubled each time up to five minutes, 20 % more or less. */
export const REDELIVERY: BackoffPolicy = { firstMs: 1_200, maxMs: 360_000, jitter: 1 / 3 };

/** What it works with. */
export interface DueDeliveriesOptions {
  readonly store: AppStore;
  /** The clock by which messages age; see steady-clock.ts. */
  readonly steadyNow: () => number;
  /** From 0 to 1; Math.random unless a test states another. */
  readonly random: () => number;
  readonly log: (message: string, error: unknown) => void;
  /** Inside the write: lets copies die. Returns how many did. */
  readonly kill: (tx: Tx, message: MessageFacts, death: Omit<Death, 'at'> & { reason: DeadReason }) => number;
  /** Inside the write: a copy stands in its inbox again. */
  readonly onBack: (tx: Tx, due: Omit<DueDelivery, 'what'>, heldUntil: number | null) => void;
  /** Inside the write: these recipients have not answered in time. */
  readonly onLate: (tx: Tx, message: MessageFacts, recipients: readonly string[]) => void;
}

/** Sees to what is due. */
export class DueDeliveries implements Disposable {
  readonly #o: DueDeliveriesOptions;
  #next: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: DueDeliveriesOptions) {
    this.#o = options;
  }

  /** Finds what is due next; what was due earlier happens at once. Once, after the store is open. */
  open(): void {
    this.#look();
  }

  /** The time so many milliseconds from now, by the clock by which messages age. */
  in(ms: number): number {
    return this.#o.steadyNow() + ms;
  }

  /** What expires then or earlier has expired, whether its row says so yet or not. 0 while nothing will ever be due. */
  expiredUntil(): number {
    // Asking the clock costs some microseconds, and most crews send nothing that expires.
    return this.#next === undefined ? 0 : this.#o.steadyNow();
  }

  /** Something was committed that will be due then. */
  note(dueAt: number): void {
    if (this.#next === undefined || dueAt < this.#next) this.#arm(dueAt);
  }

  /** Does everything that is due by now. The timer does so by itself. */
  async settle(): Promise<void> {
    while (await this.#o.store.write((tx) => this.#settleSome(tx)));
    this.#look();
  }

  dispose(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** Inside a write: puts a copy back that was handed out and not acknowledged; after too many times it dies instead. */
  giveBack(tx: Tx, due: Omit<DueDelivery, 'what'>, heldUntil: number | null): void {
    const { copy, message, attempts } = due;
    if (attempts >= MAX_ATTEMPTS) {
      this.#o.kill(tx, message, { reason: 'attempts', recipient: copy.recipient });
      return;
    }
    requeue(tx, message.seq, copy.recipient, heldUntil);
    this.#o.onBack(tx, due, heldUntil);
  }

  /** Returns whether there may be more. */
  #settleSome(tx: Tx): boolean {
    const until = this.#o.steadyNow();
    for (let steps = 0; steps < STEPS_PER_WRITE;) {
      const due = firstDue(tx, until);
      if (!due) return false;
      steps += this.#settleOne(tx, due, until);
    }
    return true;
  }

  /** Returns how many copies changed. */
  #settleOne(tx: Tx, due: DueDelivery, until: number): number {
    const { message, copy, attempts } = due;
    switch (due.what) {
      case 'expired':
        return this.#o.kill(tx, message, { reason: 'expired', expiredUntil: until });
      case 'lease':
        this.giveBack(tx, due, until + backoffMs(REDELIVERY, Math.max(0, attempts - 1), this.#o.random()));
        return 1;
      case 'held':
        letGo(tx, message.seq, copy.recipient);
        this.#o.onBack(tx, due, null);
        return 1;
      case 'reply': {
        const late = takeLate(tx, message.seq, until);
        this.#o.onLate(tx, message, late);
        return Math.max(1, late.length);
      }
    }
  }

  #look(): void {
    if (this.#isOver) return;
    const next = this.#o.store.peek(nextDue);
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
    this.settle().catch((error: unknown) => {
      if (this.#isOver) return;
      this.#o.log(
        'what is due with messages could not be stored; nothing that expired is handed out, and it is tried again',
        error,
      );
      this.#timer = setTimeout(() => this.#onTimer(), LONGEST_TIMER_MS).unref();
    });
  }
}
