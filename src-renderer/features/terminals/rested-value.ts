import type { Disposable } from '#shared/kernel/disposable.ts';

/** Passes a value on once it has not changed for a while: the last of many, once. What waits when it is disposed is passed on then. */
export class RestedValue<T> implements Disposable {
  readonly #restMs: number;
  readonly #send: (value: T) => void;
  #waiting: { readonly value: T; readonly timer: ReturnType<typeof setTimeout> } | undefined;

  /** `restMs` in milliseconds. */
  constructor(restMs: number, send: (value: T) => void) {
    this.#restMs = restMs;
    this.#send = send;
  }

  /** The newest value. */
  set(value: T): void {
    clearTimeout(this.#waiting?.timer);
    this.#waiting = { value, timer: setTimeout(() => this.flush(), this.#restMs) };
  }

  /** Passes on what waits, now. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    this.#waiting = undefined;
    this.#send(waiting.value);
  }

  dispose(): void {
    this.flush();
  }
}
