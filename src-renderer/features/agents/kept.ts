/**
 * Keeps an object as it was while nothing of it changed, so that what is drawn from it need not be drawn again.
 * Rounds that give the same values give the same objects.
 */
export class Kept<T> {
  #known: ReadonlyMap<string, T> = new Map();
  readonly #keyOf: (value: T) => string;
  readonly #isSame: (a: T, b: T) => boolean;

  constructor(keyOf: (value: T) => string, isSame: (a: T, b: T) => boolean) {
    this.#keyOf = keyOf;
    this.#isSame = isSame;
  }

  /** The values, each the former object of its key where that is the same; what is not among them is forgotten. */
  renew(values: readonly T[]): T[] {
    const kept = values.map((value) => {
      const before = this.#known.get(this.#keyOf(value));
      return before !== undefined && this.#isSame(before, value) ? before : value;
    });
    this.#known = new Map(kept.map((value) => [this.#keyOf(value), value]));
    return kept;
  }
}
