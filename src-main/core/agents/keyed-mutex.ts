/** Runs functions with the same key one after the other, and those with different keys side by side. */
export class KeyedMutex<K> {
  readonly #tails = new Map<K, Promise<unknown>>();

  /** Whether something runs or waits under this key. */
  isBusy(key: K): boolean {
    return this.#tails.has(key);
  }

  /** Runs `task` after everything that was queued under the key before it. */
  async run<T>(key: K, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const own = before.then(task, task);
    // The queue goes on whatever became of this one.
    const tail = own.then(
      () => undefined,
      () => undefined,
    );
    this.#tails.set(key, tail);
    try {
      return await own;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
