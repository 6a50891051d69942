/** Outcomes as values, for failures that the caller is expected to handle on the spot. */

/** Either a value or a typed error. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/** A successful outcome. */
export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value };
}

/** A failed outcome. */
export function err<E>(error: E): Result<never, E> {
  return { ok: false, error };
}
