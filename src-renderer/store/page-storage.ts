import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';

/**
 * What the browser keeps for this origin between visits. A browser may forbid it (site data blocked, a policy) or have no
 * room left; then every access or write throws. The window must not fail for that: what cannot be kept is remembered for as
 * long as the page lives.
 */
export type KeptStorage = Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>;

/** What another window of this browser did to what is kept under a name: the text that stands there now and before; or null. */
export type KeptListener = (name: string, text: string | null, before: string | null) => void;

/** A storage that never throws over `open`, which may; what it does not take lives in memory. */
export function makePageStorage(open: () => KeptStorage): KeptStorage {
  const memory = new Map<string, string>();
  const kept = opened(open);
  const names = (): readonly string[] => [
    ...new Set([
      ...Array.from({ length: kept?.length ?? 0 }, (_, at) => kept?.key(at) ?? '').filter((name) => name !== ''),
      ...memory.keys(),
    ]),
  ];
  return {
    get length() {
      return names().length;
    },
    key: (at) => names()[at] ?? null,
    getItem: (name) => memory.get(name) ?? kept?.getItem(name) ?? null,
    setItem: (name, value) => {
      try {
        if (kept === undefined) throw new Error('This browser keeps nothing.');
        kept.setItem(name, value);
        memory.delete(name);
      } catch {
        memory.set(name, value);
      }
    },
    removeItem: (name) => {
      memory.delete(name);
      kept?.removeItem(name);
    },
  };
}

function opened(open: () => KeptStorage): KeptStorage | undefined {
  try {
    const storage = open();
    storage.getItem('');
    return storage;
  } catch {
    return undefined;
  }
}

/** The one of this window. */
export const pageStorage: KeptStorage = makePageStorage(() => globalThis.localStorage);

/** Calls `listener` when another window of this browser changes what is kept; never for what this window changes. */
export function onKeptElsewhere(listener: KeptListener): Disposable {
  const take = ({ key, newValue, oldValue }: StorageEvent): void => {
    if (key !== null) listener(key, newValue, oldValue);
  };
  globalThis.addEventListener('storage', take);
  return toDisposable(() => globalThis.removeEventListener('storage', take));
}
