/**
 * What a table says under a key that came from outside. `table[key]` also finds what every object inherits, so that
 * `constructor`, which is a valid agent id, or `toString` in an address would be taken for an entry.
 */
export function ownEntry<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
