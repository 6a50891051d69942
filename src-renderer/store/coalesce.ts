/** Many requests, few runs. */

/** Runs a task soon after it is asked for, at most once every `everyMs`, and never twice at a time. */
export class Coalescer {
  readonly #task: () => Promise<void>;
  readonly #everyMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRunning = false;
  #isAsked = false;
  #isDisposed = false;

  /** `task` must handle its own failures: what it throws is dropped. */
  constructor(everyMs: number, task: () => Promise<void>) {
    this.#everyMs = everyMs;
    this.#task = task;
  }

  /** Asks for a run. */
  ask(): void {
    this.#isAsked = true;
    if (this.#timer !== undefined || this.#isRunning || this.#isDisposed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#run().catch(() => undefined);
    }, this.#everyMs);
  }

  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    this.#isAsked = false;
    try {
      await this.#task();
    } finally {
      this.#isRunning = false;
      if (this.#isAsked) this.ask();
    }
  }
}

/** Runs a task at once when it was quiet, and then at most once every `everyMs` for as long as it is asked for. */
export class Pacer {
  readonly #task: () => void;
  readonly #everyMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsked = false;

  constructor(everyMs: number, task: () => void) {
    this.#everyMs = everyMs;
    this.#task = task;
  }

  /** Asks for a run. */
  ask(): void {
    this.#isAsked = true;
    if (this.#timer === undefined) this.flush();
  }

  /** Runs at once what was asked for. */
  flush(): void {
    if (!this.#isAsked) return;
    this.#isAsked = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, this.#everyMs);
    this.#task();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#isAsked = false;
  }
}
