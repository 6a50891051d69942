/** What the grid, the table and the wall have in common: what they are given, and how keys move in them. */
import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { FocusEvent, KeyboardEvent, Ref, RefObject } from 'react';
import type { FleetAgent, FleetHands, RenderTerminal } from './fleet-agent.ts';
import { cardAfter } from './fleet-layout.ts';
import { useSettledOrder } from './use-settled-order.ts';

/** What the screen may ask of the view that shows the fleet. */
export interface FleetViewHandle {
  /** Puts the focus on the current agent, or the first. */
  readonly focus: () => void;
  /** Takes the order that it should have, although the pointer or the focus is in it. */
  readonly settle: () => void;
}

/** What a view says of itself. */
export interface ShownOrder {
  /** Ids of all agents that it shows or would show by scrolling, in its order. */
  readonly ids: readonly string[];
  /** Whether the order should be another one by now. */
  readonly isStale: boolean;
}

/** What every view of the fleet is given. */
export interface FleetViewProps {
  /** The agents to show, in the order of the fleet. */
  readonly rows: readonly FleetAgent[];
  /** Every agent of the project. */
  readonly byId: ReadonlyMap<string, FleetAgent>;
  /** What was asked for; when it changes, the order follows at once. */
  readonly query: string;
  readonly selected: ReadonlySet<string>;
  /** The agent that Tab leads to; undefined: the first. */
  readonly currentId: string | undefined;
  readonly hands: FleetHands;
  readonly renderTerminal: RenderTerminal;
  readonly onOrder: (order: ShownOrder) => void;
  readonly ref?: Ref<FleetViewHandle>;
}

/** The rows in an order that keeps still while the pointer or the focus is in the view, and what the view must put on its box. */
export interface SettledRows {
  readonly rows: readonly FleetAgent[];
  readonly holders: {
    readonly onPointerEnter: () => void;
    readonly onPointerLeave: () => void;
    readonly onFocus: () => void;
    readonly onBlur: (event: FocusEvent) => void;
  };
  readonly settle: () => void;
}

/** Settles the order of `wanted` and tells it. `key`: see useSettledOrder. */
export function useSettledRows(
  wanted: readonly string[],
  key: string,
  { byId, onOrder }: Pick<FleetViewProps, 'byId' | 'onOrder'>,
): SettledRows {
  const exists = useCallback((id: string) => byId.has(id), [byId]);
  const { ids, isStale, settle, holders } = useSettledOrder(wanted, key, exists);
  useEffect(() => onOrder({ ids, isStale }), [onOrder, ids, isStale]);
  const rows = useMemo(
    () =>
      ids.flatMap((id) => {
        const row = byId.get(id);
        return row === undefined ? [] : [row];
      }),
    [ids, byId],
  );
  return { rows, holders, settle };
}

interface FleetKeysOptions extends Pick<FleetViewProps, 'currentId' | 'hands' | 'ref'> {
  readonly box: RefObject<HTMLElement | null>;
  readonly rows: readonly FleetAgent[];
  readonly columns: number;
  /** Rows that Page Up and Page Down go. */
  readonly page: number;
  readonly settle: () => void;
  /** Brings the agent at an index into sight, if it is not. */
  readonly scrollTo: (index: number) => void;
}

/** Moves the focus among agents by arrow keys, wherever they are. An agent's own stop is what has `data-card-link` in it. */
export function useFleetKeys(options: FleetKeysOptions): {
  readonly currentIndex: number;
  readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
} {
  const { box, rows, columns, page, currentId, hands, settle, scrollTo, ref } = options;
  const currentIndex = Math.max(
    0,
    rows.findIndex(({ agent }) => agent.id === currentId),
  );
  /** An agent that is to get the focus as soon as it is made. */
  const wanted = useRef<string>(undefined);
  const focusWanted = useCallback((): void => {
    const id = wanted.current;
    if (id === undefined) return;
    const link = box.current?.querySelector<HTMLElement>(`[data-agent="${CSS.escape(id)}"] [data-card-link]`);
    if (!link) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  }, [box]);
  useEffect(focusWanted);

  const focusIndex = useCallback(
    (index: number): void => {
      const row = rows[index];
      if (row === undefined) return;
      wanted.current = row.agent.id;
      scrollTo(index);
      hands.onCurrent(row.agent.id);
      focusWanted();
    },
    [rows, scrollTo, hands, focusWanted],
  );
  useImperativeHandle(ref, () => ({ focus: () => focusIndex(currentIndex), settle }), [focusIndex, currentIndex, settle]);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof HTMLElement)) return;
    // Inside a card the keys belong to its own controls; the agent itself is its link.
    if (event.target.dataset['cardLink'] === undefined) {
      if (event.key !== 'Escape' || event.target.closest('[data-agent]') === null) return;
      event.preventDefault();
      focusIndex(currentIndex);
      return;
    }
    const to = cardAfter(event.key, currentIndex, rows.length, columns, page);
    if (to === undefined) return;
    event.preventDefault();
    const row = rows[to];
    if (event.shiftKey && row !== undefined && to !== currentIndex) hands.onToggle(row.agent.id, true);
    focusIndex(to);
  };
  return { currentIndex, onKeyDown };
}

/** Inner width and height of a box, as it changes; nought before it is known. */
export function useSize(box: RefObject<HTMLElement | null>): { readonly width: number; readonly height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const measure = (): void =>
      setSize((known) =>
        known.width === current.clientWidth && known.height === current.clientHeight
          ? known
          : { width: current.clientWidth, height: current.clientHeight },
      );
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    measure();
    return () => observer.disconnect();
  }, [box]);
  return size;
}
