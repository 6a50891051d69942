const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes of a connection in the largest unit that keeps them above 1, by powers of 1000 as networks count: "1.2 kB". Pure. */
export function trafficText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value.toFixed(unit > 0 && value < 10 ? 1 : 0)} ${UNITS[unit] ?? ''}`;
}
