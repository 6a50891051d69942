/**
 * Lines of JSON from the box's own other side: the core, which waits at a socket only it can have made, and the box's own shim.
 * They are told apart by their type and not looked through: a schema's library would cost each agent as much memory as Node
 * itself does (8 MB), and whoever could forge such a line could do more than that.
 */

/** The other side said something else. */
export class UnexpectedLine extends Error {}

/** The text as what its type says. Throws UnexpectedLine. */
export function readLine<T extends { readonly type: string }>(text: string, ...types: readonly T['type'][]): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UnexpectedLine('it sent no JSON');
  }
  if (isOfType<T>(value, types)) return value;
  throw new UnexpectedLine('it sent something else than was expected');
}

function isOfType<T extends { readonly type: string }>(value: unknown, types: readonly T['type'][]): value is T {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  const { type } = value;
  return types.some((one) => one === type);
}
