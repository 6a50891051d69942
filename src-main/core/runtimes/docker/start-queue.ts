/** Lets so many in at once; the others wait in the order in which they came. */
export class StartQueue {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;
  #isClosed = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves when there is room, or nobody is kept back any more. Each is followed by one `leave`. */
  async enter(): Promise<void> {
    while (this.#inside >= this.#most && !this.#isClosed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#inside += 1;
  }

  leave(): void {
    this.#inside -= 1;
    this.#waiting.shift()?.();
  }

  /** Keeps nobody back any more. */
  close(): void {
    this.#isClosed = true;
    for (const go of this.#waiting.splice(0)) go();
  }
}
