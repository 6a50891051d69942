/**
 * Deliveries that changed, told in batches: the newest state of each. They are not journal events, and a window needs
 * where a copy stands, not every step on the way there.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import type { DeliveryState } from '#shared/messages/model.ts';

/** Where a delivery stands now. */
export interface DeliveryChange {
  readonly messageId: string;
  readonly recipient: string;
  readonly state: DeliveryState;
  /** How often it was handed out. */
  readonly attempts: number;
  /** Until when its recipient has it for itself; null when it does not. */
  readonly leasedUntil: number | null;
}

/** How long changes are gathered, in milliseconds: far below the 50 ms in which a screen is to follow an event (bench P15). */
const GATHER_MS = 20;

/** Gathers changes while somebody listens. */
export class DeliveryChanges implements Disposable {
  readonly #listeners = new Emitter<readonly DeliveryChange[]>();
  #gathered = new Map<string, DeliveryChange>();
  #timer: NodeJS.Timeout | undefined;

  /** Listens until the returned disposable is released. */
  on(listener: (changes: readonly DeliveryChange[]) => void): Disposable {
    return this.#listeners.on(listener);
  }

  /** Adds a change that was committed. */
  add(change: DeliveryChange): void {
    if (this.#listeners.size === 0) return;
    this.#gathered.set(`${change.messageId} ${change.recipient}`, change);
    this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS).unref();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#listeners.dispose();
  }

  #tell(): void {
    this.#timer = undefined;
    const changes = [...this.#gathered.values()];
    this.#gathered = new Map();
    this.#listeners.fire(changes);
  }
}
