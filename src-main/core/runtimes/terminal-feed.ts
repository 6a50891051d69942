/**
 * What a view of a terminal hands on: the output as it comes, and the end. What comes before anybody listens, which is the
 * first screen, waits for the first who does; of more than a megabyte the oldest is dropped.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';

/** How much is kept while nobody listens yet, in bytes. */
const MAX_EARLY_BYTES = 1 << 20;

/** The output of one view. */
export class TerminalFeed implements Disposable {
  readonly #data = new Emitter<Uint8Array>();
  readonly #ended = new Emitter<void>();
  #early: Uint8Array[] | undefined = [];
  #earlyBytes = 0;
  #hasEnded = false;

  /** Output has come. */
  push(chunk: Uint8Array): void {
    if (this.#early === undefined) {
      this.#data.fire(chunk);
      return;
    }
    this.#early.push(chunk);
    this.#earlyBytes += chunk.byteLength;
    while (this.#earlyBytes > MAX_EARLY_BYTES) this.#earlyBytes -= this.#early.shift()?.byteLength ?? this.#earlyBytes;
  }

  /** There will be no more. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#ended.fire();
  }

  onData(listener: (chunk: Uint8Array) => void): Disposable {
    const registration = this.#data.on(listener);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const chunk of early) this.#data.fire(chunk);
    return registration;
  }

  onEnd(listener: () => void): Disposable {
    if (this.#hasEnded) queueMicrotask(listener);
    return this.#ended.on(listener);
  }

  dispose(): void {
    this.#early = undefined;
    this.#data.dispose();
    this.#ended.dispose();
  }
}
