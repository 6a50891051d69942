/** A typed broadcast. A listener that throws neither stops the others nor reaches the one who fired. */
import type { Disposable } from './disposable.ts';
import { toDisposable } from './disposable.ts';

/** Receives one event. */
export type Listener<T> = (event: T) => void;

/** Broadcasts events of one type. Events tell what happened; they never drive control flow. */
export class Emitter<T> implements Disposable {
  readonly #listeners = new Set<Listener<T>>();
  readonly #onError: (error: unknown) => void;

  /** `onError` receives what a listener threw; by default it is dropped. */
  constructor(onError: (error: unknown) => void = () => undefined) {
    this.#onError = onError;
  }

  /** Listens until the returned disposable is released. */
  on(listener: Listener<T>): Disposable {
    // A wrapper per registration: the same function registered twice is called twice and released separately.
    const entry: Listener<T> = (event) => listener(event);
    this.#listeners.add(entry);
    return toDisposable(() => this.#listeners.delete(entry));
  }

  /** Calls every listener that is registered now and still is when its turn comes. */
  fire(event: T): void {
    for (const listener of [...this.#listeners]) {
      // Released by a listener before it: no longer wanted.
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(event);
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  /** How many listen: leak checks in tests use it. */
  get size(): number {
    return this.#listeners.size;
  }

  dispose(): void {
    this.#listeners.clear();
  }
}
