import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

/** What is selected, and how that changes. */
export interface Selection {
  readonly selected: ReadonlySet<string>;
  /** With `isRange`, everything between this one and the last that was toggled is selected as well. */
  readonly toggle: (id: string, isRange: boolean) => void;
  /** Selects all of these; when all are selected, none of them. */
  readonly toggleAll: (ids: readonly string[]) => void;
  readonly clear: () => void;
}

const NOTHING: ReadonlySet<string> = new Set();

/** A selection among things that are shown in an order. Its functions stay the same. */
export function useSelection(order: readonly string[]): Selection {
  const [selected, setSelected] = useState<ReadonlySet<string>>(NOTHING);
  const shown = useRef(order);
  const last = useRef<string>(undefined);
  useEffect(() => {
    shown.current = order;
  }, [order]);

  const toggle = useCallback((id: string, isRange: boolean): void => {
    const from = isRange && last.current !== undefined ? shown.current.indexOf(last.current) : -1;
    const to = shown.current.indexOf(id);
    last.current = id;
    setSelected((known) => {
      const next = new Set(known);
      if (from >= 0 && to >= 0) {
        for (const each of shown.current.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(each);
      } else if (!next.delete(id)) {
        next.add(id);
      }
      return next;
    });
  }, []);
  const toggleAll = useCallback(
    (ids: readonly string[]): void =>
      setSelected((known) => {
        const isWhole = ids.every((id) => known.has(id));
        const next = new Set(known);
        for (const id of ids) {
          if (isWhole) next.delete(id);
          else next.add(id);
        }
        return next;
      }),
    [],
  );
  const clear = useCallback(() => setSelected(NOTHING), []);
  return useMemo(() => ({ selected, toggle, toggleAll, clear }), [selected, toggle, toggleAll, clear]);
}
