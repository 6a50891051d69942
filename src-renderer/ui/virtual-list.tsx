import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useId, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode, Ref } from 'react';

/** Within so many pixels of an edge the list counts as being there. */
const NEAR_EDGE_PX = 40;

/** What the one who made the list may ask of it. */
export interface VirtualListHandle {
  readonly scrollToIndex: (index: number, align?: 'start' | 'center' | 'end' | 'auto') => void;
  readonly scrollToEnd: () => void;
}

/** Where the list is scrolled to. */
export interface ListEdges {
  readonly isAtStart: boolean;
  readonly isAtEnd: boolean;
}

interface VirtualListProps<T> {
  readonly items: readonly T[];
  /** Stable and unique: it keeps measures, focus and place when items come before this one. */
  readonly keyOf: (item: T) => string;
  /** Pixels, before an item is measured. The nearer to the truth, the calmer the scroll bar. */
  readonly estimateHeight: number | ((item: T, index: number) => number);
  readonly renderItem: (item: T, index: number) => ReactNode;
  /** The list's name for screen readers. */
  readonly label: string;
  /**
   * list: things to read. log: the same, and what comes is read out. feed: articles.
   * listbox: things of which one is chosen with arrow keys (give `selectedKey` and `onSelect`).
   */
  readonly role?: 'list' | 'log' | 'feed' | 'listbox';
  /** Of a listbox: the key of the chosen item. */
  readonly selectedKey?: string | null;
  /** Of a listbox: an item was chosen, by a press or a key. */
  readonly onSelect?: (item: T, index: number) => void;
  /**
   * end: shown from its end, which it follows while the reader is there; what comes before the first does not move what
   * is read. start: shown from its start.
   */
  readonly anchor?: 'start' | 'end';
  /** Told when an edge is reached or left: to load older items, or to say how many are new. */
  readonly onEdges?: (edges: ListEdges) => void;
  /** Items made beyond what is seen, on both sides. */
  readonly overscan?: number;
  readonly className?: string;
  readonly ref?: Ref<VirtualListHandle>;
}

const ITEM_ROLES = { list: 'listitem', log: 'listitem', feed: 'article', listbox: 'option' } as const;

/** A list of any length of which only what is seen is made. Its box must have a height (`className`, or its parent). */
export function VirtualList<T>(props: VirtualListProps<T>): ReactNode {
  const { items, keyOf, estimateHeight, renderItem, label, role = 'list', anchor = 'start', overscan = 8 } = props;
  const { selectedKey = null, onSelect, onEdges, className = '', ref } = props;
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  // The item with the focus stays made wherever the list is scrolled to: focus that vanishes throws the reader to the top.
  const [focusedKey, setFocusedKey] = useState<string>();
  const edges = useRef<ListEdges>(undefined);
  const kept = role === 'listbox' ? selectedKey : focusedKey;

  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler here
  const virtualizer = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => {
      const item = items[index];
      return typeof estimateHeight === 'number' || item === undefined ? Number(estimateHeight) : estimateHeight(item, index);
    },
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : keyOf(item);
    },
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      if (kept === undefined || kept === null) return shown;
      const at = items.findIndex((item) => keyOf(item) === kept);
      return at === -1 || shown.includes(at) ? shown : [...shown, at].toSorted((a, b) => a - b);
    },
    overscan,
    anchorTo: anchor,
    followOnAppend: anchor === 'end',
    scrollEndThreshold: NEAR_EDGE_PX,
  });

  useImperativeHandle(
    ref,
    () => ({
      scrollToIndex: (index, align = 'auto') => virtualizer.scrollToIndex(index, { align }),
      scrollToEnd: () => virtualizer.scrollToEnd(),
    }),
    [virtualizer],
  );

  const isEmpty = items.length === 0;
  useLayoutEffect(() => {
    if (anchor === 'end' && !isEmpty) virtualizer.scrollToEnd();
  }, [anchor, isEmpty, virtualizer]);

  const tellEdges = useCallback((): void => {
    const shown = box.current;
    if (shown === null || onEdges === undefined) return;
    const next = {
      isAtStart: shown.scrollTop < NEAR_EDGE_PX,
      isAtEnd: shown.scrollHeight - shown.scrollTop - shown.clientHeight < NEAR_EDGE_PX,
    };
    if (next.isAtStart === edges.current?.isAtStart && next.isAtEnd === edges.current.isAtEnd) return;
    edges.current = next;
    onEdges(next);
  }, [onEdges]);

  // Items that came or went may have moved an edge without a scroll.
  useEffect(tellEdges, [tellEdges, items]);

  // A box that gets lower, by a banner or a smaller window, would hide the newest behind its edge.
  useEffect(() => {
    const shown = box.current;
    if (anchor !== 'end' || shown === null) return undefined;
    let height = shown.clientHeight;
    const observer = new ResizeObserver(() => {
      const distance = shown.scrollHeight - shown.scrollTop - height;
      height = shown.clientHeight;
      if (distance < NEAR_EDGE_PX) virtualizer.scrollToEnd();
    });
    observer.observe(shown);
    return () => observer.disconnect();
  }, [anchor, virtualizer]);

  const selectedIndex = selectedKey === null ? -1 : items.findIndex((item) => keyOf(item) === selectedKey);
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (role !== 'listbox' || event.target !== event.currentTarget) return;
    const page = Math.max(1, virtualizer.getVirtualItems().length - 2 * overscan - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: selectedIndex + 1,
      ArrowUp: selectedIndex - 1,
      PageDown: selectedIndex + page,
      PageUp: selectedIndex - page,
      Home: 0,
      End: items.length - 1,
    };
    const to = steps[event.key];
    if (to === undefined || isEmpty) return;
    event.preventDefault();
    const index = Math.min(Math.max(to, 0), items.length - 1);
    const item = items[index];
    if (item === undefined) return;
    onSelect?.(item, index);
    virtualizer.scrollToIndex(index, { align: 'auto' });
  };

  const rows = virtualizer.getVirtualItems().map((row) => {
    const item = items[row.index];
    if (item === undefined) return null;
    const isSelected = row.index === selectedIndex;
    return (
      <div
        key={row.key}
        ref={virtualizer.measureElement}
        data-index={row.index}
        data-key={String(row.key)}
        id={`${id}-${String(row.key)}`}
        role={ITEM_ROLES[role]}
        aria-setsize={items.length}
        aria-posinset={row.index + 1}
        {...(role === 'listbox' ? { 'aria-selected': isSelected, onClick: () => onSelect?.(item, row.index) } : {})}
        className="absolute top-0 left-0 w-full"
        style={{ transform: `translateY(${row.start}px)` }}
      >
        {renderItem(item, row.index)}
      </div>
    );
  });

  const sizer = { height: virtualizer.getTotalSize() };
  return (
    <div
      ref={box}
      role={role}
      aria-label={label}
      aria-activedescendant={role === 'listbox' && selectedIndex !== -1 ? `${id}-${selectedKey}` : undefined}
      // A scrolling region must be reachable to be scrolled by keys.
      tabIndex={0}
      onKeyDown={onKeyDown}
      onScroll={tellEdges}
      onFocus={(event) => setFocusedKey(event.target.closest<HTMLElement>('[data-key]')?.dataset['key'])}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setFocusedKey(undefined);
      }}
      className={`relative h-full min-h-0 overflow-y-auto [overflow-anchor:none] ${className}`}
    >
      {role === 'log' ? (
        <div role="list" aria-label={label} className="relative" style={sizer}>
          {rows}
        </div>
      ) : (
        <div role="none" className="relative" style={sizer}>
          {rows}
        </div>
      )}
    </div>
  );
}
