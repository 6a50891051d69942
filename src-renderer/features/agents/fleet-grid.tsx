import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useLayoutEffect, useMemo, useRef } from 'react';
import type { ReactNode } from 'react';
import { AgentCard } from './agent-card.tsx';
import { GAP, layOut, terminalRows } from './fleet-layout.ts';
import { groupOf } from './fleet-order.ts';
import type { FleetViewProps } from './fleet-view.ts';
import { useFleetKeys, useSettledRows, useSize } from './fleet-view.ts';

/** Around the cards: above, at the sides, below. Pixels. */
const PADDING = { top: 12, side: 16, bottom: 16 } as const;

/** The cards. Only those in sight are made; the one that Tab leads to is, wherever it is. */
export function FleetGrid(props: FleetViewProps): ReactNode {
  const { selected, currentId, hands, renderTerminal, ref } = props;
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const wanted = useMemo(() => props.rows.map(({ agent }) => agent.id), [props.rows]);
  const { rows, holders, settle } = useSettledRows(wanted, props.query, props);
  // As text, so that the cards are laid out anew only when this changes.
  const strips = rows.map((row) => (['needs', 'failed'].includes(groupOf(row)) ? '1' : '0')).join('');
  const layout = useMemo(
    () =>
      layOut(
        [...strips].map((each) => each === '1'),
        size.width - 2 * PADDING.side,
        size.height - PADDING.top - PADDING.bottom,
      ),
    [strips, size],
  );
  const { columns, cardWidth, heights } = layout;
  const scroller = useRef<(row: number) => void>(() => undefined);
  const scrollTo = useCallback((index: number) => scroller.current(Math.floor(index / columns)), [columns]);
  const page = Math.max(1, Math.floor(size.height / ((heights[0] ?? 252) + GAP)));
  const { currentIndex, onKeyDown } = useFleetKeys({ box, rows, columns, page, currentId, hands, settle, scrollTo, ref });
  const currentRow = Math.floor(currentIndex / columns);

  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler here
  const virtualizer = useVirtualizer({
    count: size.width === 0 ? 0 : heights.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => heights[index] ?? 0,
    gap: GAP,
    paddingStart: PADDING.top,
    paddingEnd: PADDING.bottom,
    scrollPaddingStart: PADDING.top,
    scrollPaddingEnd: PADDING.bottom,
    overscan: 1,
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      if (shown.includes(currentRow) || currentRow >= heights.length) return shown;
      return [...shown, currentRow].toSorted((a, b) => a - b);
    },
  });
  useLayoutEffect(() => {
    scroller.current = (row) => virtualizer.scrollToIndex(row, { align: 'auto' });
  }, [virtualizer]);
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, heights]);

  return (
    <div ref={box} {...holders} onKeyDown={onKeyDown} className="relative min-h-0 flex-1 overflow-y-auto [overflow-anchor:none]">
      <div
        role="list"
        aria-label="Agents, needs you first"
        data-selecting={selected.size > 0 ? '' : undefined}
        className="relative w-full"
        style={{ height: virtualizer.getTotalSize() }}
      >
        {virtualizer.getVirtualItems().flatMap((line) => {
          const from = line.index * columns;
          const height = heights[line.index] ?? 0;
          return rows.slice(from, from + columns).map((row, column) => (
            // Placed one by one: a card that moves to another line stays the same card, terminal and all.
            <div
              key={row.agent.id}
              role="none"
              className="absolute top-0 left-0"
              style={{
                width: cardWidth,
                height,
                transform: `translate(${PADDING.side + column * (cardWidth + GAP)}px, ${line.start}px)`,
              }}
            >
              <AgentCard
                row={row}
                terminalRows={terminalRows(height)}
                isSelected={selected.has(row.agent.id)}
                isCurrent={from + column === currentIndex}
                position={from + column + 1}
                count={rows.length}
                hands={hands}
                renderTerminal={renderTerminal}
              />
            </div>
          ));
        })}
      </div>
    </div>
  );
}
