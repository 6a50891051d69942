import { useCallback, useMemo, useState } from 'react';
import type { FocusEvent } from 'react';
import { sameOrder, settledOrder } from './fleet-order.ts';

/** An order that keeps still while somebody is at it. */
export interface SettledOrder {
  readonly ids: readonly string[];
  /** Whether it should be another one by now. */
  readonly isStale: boolean;
  /** Takes the order it should have, now. */
  readonly settle: () => void;
  /** For the box that the order is seen in. */
  readonly holders: {
    readonly onPointerEnter: () => void;
    readonly onPointerLeave: () => void;
    readonly onFocus: () => void;
    readonly onBlur: (event: FocusEvent) => void;
  };
}

/**
 * The order to show: as wanted, but kept while the pointer or the focus is in the box. `key` says what was asked for:
 * another filter or another sorting is the reader's own wish, and is shown at once.
 */
export function useSettledOrder(wanted: readonly string[], key: string, exists: (id: string) => boolean): SettledOrder {
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const [shown, setShown] = useState<{ readonly key: string; readonly ids: readonly string[] }>({ key, ids: wanted });
  const isHeld = (isPointed || isFocused) && shown.key === key;
  const ids = settledOrder({ shown: shown.ids, wanted, isHeld, exists });
  // What is shown is remembered as it is drawn: the next order is decided from it.
  if (ids !== shown.ids || key !== shown.key) setShown({ key, ids });

  const settle = useCallback(() => setShown({ key, ids: wanted }), [key, wanted]);
  const holders = useMemo(
    () => ({
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: (event: FocusEvent) => {
        // A window that loses the focus keeps its place; so does one whose menu is open.
        if (!event.currentTarget.contains(event.relatedTarget) && document.hasFocus()) setFocused(false);
      },
    }),
    [],
  );
  return { ids, isStale: !sameOrder(ids, wanted), settle, holders };
}
