/** How long something is still good, in words: the exact second matters to nobody. `ms` is what is left. */
export function leftText(ms: number): string {
  if (ms < 60_000) return 'for less than a minute';
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `for ${minutes} min` : `for ${Math.round(minutes / 60)} h`;
}
