/** Which lines came, from two looks at the same growing text. Pure. */

/**
 * The lines of `now` that are not in `before`. Both are the end of one growing text, `now` perhaps without some of the
 * first lines. When they share nothing, all of `now` is new.
 */
export function newLines(before: readonly string[], now: readonly string[]): readonly string[] {
  for (let lost = 0; lost < before.length; lost += 1) {
    const kept = before.length - lost;
    if (kept > now.length) continue;
    let isSame = true;
    for (let index = 0; isSame && index < kept; index += 1) isSame = before[lost + index] === now[index];
    if (isSame) return now.slice(kept);
  }
  return now;
}
