import {
  columnVisibilityFeature,
  createSortedRowModel,
  rowSortingFeature,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import type { ColumnDef, SortingState } from '@tanstack/react-table';
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useLayoutEffect, useMemo, useRef } from 'react';
import type { ReactNode } from 'react';
import { useQueryParameter } from '#renderer/navigation/use-route.tsx';
import { Checkbox } from '#renderer/ui/checkbox.tsx';
import { SortButton, Table, TableCell, TableHead, TableRow } from '#renderer/ui/table.tsx';
import { ColumnMenu } from './fleet-column-menu.tsx';
import type { TableDatum } from './fleet-columns.tsx';
import { DEFAULT_COLUMNS, FLEET_COLUMNS } from './fleet-columns.tsx';
import { AgentRow } from './fleet-table-row.tsx';
import type { FleetViewProps } from './fleet-view.ts';
import { useFleetKeys, useSettledRows, useSize } from './fleet-view.ts';
import { bareDatum, useTableData } from './use-table-data.ts';

/** Height of a row, and of the head, in pixels. */
const ROW = 28;
/** Widths of what every table has: usually, and where a telephone's width must do. */
const FIXED = { select: 44, name: 184, menu: 44 } as const;
const FIXED_SLIM = { select: 36, name: 116, menu: 36 } as const;
/** From these widths of the table on, all the usual columns have room, or those of a narrow window. */
const WIDE_FROM = 1_120;
const NARROW_FROM = 924;
const SLIM_BELOW = 480;
/** The column that takes what is left is not narrower than this. */
const LEAST_FLEXIBLE = 140;

const features = tableFeatures({
  rowSortingFeature,
  columnVisibilityFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic },
});

const DEFINITIONS: readonly ColumnDef<typeof features, TableDatum>[] = [
  { id: 'name', accessorFn: ({ row }) => String(row.agent.id), sortFn: 'basic' },
  ...FLEET_COLUMNS.map((column): ColumnDef<typeof features, TableDatum> => ({
    id: column.id,
    accessorFn: column.value,
    sortFn: 'basic',
    sortUndefined: 'last',
    sortDescFirst: column.isDescFirst ?? false,
  })),
];

/** The sorting in the address: `cpu`, or `-cpu` from the highest; anything else is the order of the fleet. */
function sortingOf(text: string): SortingState {
  const desc = text.startsWith('-');
  const id = desc ? text.slice(1) : text;
  return id === 'name' || FLEET_COLUMNS.some((column) => column.id === id) ? [{ id, desc }] : [];
}

/** Which of the usual columns have room in a table of this width, in pixels. */
function usualColumns(width: number): keyof typeof DEFAULT_COLUMNS {
  if (width >= WIDE_FROM) return 'wide';
  if (width >= NARROW_FROM) return 'narrow';
  return width >= SLIM_BELOW ? 'tiny' : 'slim';
}

interface FleetTableProps extends FleetViewProps {
  /** Ids of the columns to show, in their order; empty: the usual ones. */
  readonly columns: readonly string[];
  readonly onColumns: (columns: string[]) => void;
}

/** The fleet in rows of 28 pixels, sortable by every column. */
export function FleetTable(props: FleetTableProps): ReactNode {
  const { selected, currentId, hands, ref, byId } = props;
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const [sort, setSort] = useQueryParameter('sort');
  const data = useTableData(props.rows);
  const sorting = useMemo(() => sortingOf(sort), [sort]);
  const chosen = useMemo(() => {
    const usual = DEFAULT_COLUMNS[usualColumns(size.width)];
    const known = (props.columns.length === 0 ? usual : props.columns).filter((id) =>
      FLEET_COLUMNS.some((column) => column.id === id),
    );
    return new Set(known);
  }, [props.columns, size.width]);
  const table = useTable<typeof features, TableDatum>({
    features,
    columns: DEFINITIONS,
    data,
    getRowId: ({ row }) => row.agent.id,
    state: { sorting, columnVisibility: Object.fromEntries(FLEET_COLUMNS.map(({ id }) => [id, chosen.has(id)])) },
    onSortingChange: (update) => {
      const next = typeof update === 'function' ? update(sorting) : update;
      const [first] = next;
      setSort(first === undefined ? '' : `${first.desc ? '-' : ''}${first.id}`);
    },
  });
  const visible = useMemo(() => FLEET_COLUMNS.filter(({ id }) => chosen.has(id)), [chosen]);
  const sorted = table.getRowModel().rows;
  const wanted = useMemo(() => sorted.map(({ id }) => id), [sorted]);
  const { rows, holders, settle } = useSettledRows(wanted, `${props.query}|${sort}`, props);
  const dataById = useMemo(() => new Map(data.map((datum) => [String(datum.row.agent.id), datum])), [data]);

  const scroller = useRef<(row: number) => void>(() => undefined);
  const scrollTo = useCallback((index: number) => scroller.current(index), []);
  const page = Math.max(1, Math.floor(size.height / ROW) - 2);
  const { currentIndex, onKeyDown } = useFleetKeys({ box, rows, columns: 1, page, currentId, hands, settle, scrollTo, ref });
  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler here
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    // The head stays over the rows.
    paddingStart: 0,
    scrollPaddingStart: ROW,
    overscan: 6,
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      if (shown.includes(currentIndex) || currentIndex >= rows.length) return shown;
      return [...shown, currentIndex].toSorted((a, b) => a - b);
    },
  });
  useLayoutEffect(() => {
    scroller.current = (row) => virtualizer.scrollToIndex(row, { align: 'auto' });
  }, [virtualizer]);

  const { select, name, menu } = size.width < SLIM_BELOW ? FIXED_SLIM : FIXED;
  const fixed = select + name + menu + visible.reduce((sum, { width }) => sum + (width ?? LEAST_FLEXIBLE), 0);
  const hasFlexible = visible.some(({ width }) => width === undefined);
  const allSelected = rows.length > 0 && rows.every(({ agent }) => selected.has(agent.id));
  const someSelected = rows.some(({ agent }) => selected.has(agent.id));
  const columnCount = visible.length + 3;
  const items = virtualizer.getVirtualItems();
  let above = 0;

  return (
    <div ref={box} {...holders} onKeyDown={onKeyDown} className="relative min-h-0 flex-1 overflow-auto [overflow-anchor:none]">
      <Table label="Agents" aria-rowcount={rows.length + 1} className="table-fixed" style={{ minWidth: fixed }}>
        <colgroup>
          <col style={{ width: select }} />
          <col style={{ width: name }} />
          {visible.map(({ id, width }) => (
            <col key={id} style={width === undefined ? undefined : { width }} />
          ))}
          <col style={hasFlexible ? { width: menu } : undefined} />
        </colgroup>
        <TableHead>
          <TableRow aria-rowindex={1}>
            <TableCell isHead>
              <Checkbox
                label="Select all"
                isLabelHidden
                checked={allSelected ? true : someSelected ? 'mixed' : false}
                onChange={() => hands.onToggleAll(rows.map(({ agent }) => agent.id))}
              />
            </TableCell>
            {[{ id: 'name', title: 'Name', isFigure: false }, ...visible].map(({ id, title, isFigure }) => {
              const column = table.getColumn(id);
              const direction = column?.getIsSorted() ?? false;
              return (
                <TableCell key={id} isHead isFigure={isFigure ?? false} sort={direction}>
                  <SortButton direction={direction} onClick={() => column?.toggleSorting(undefined, false)}>
                    {title}
                  </SortButton>
                </TableCell>
              );
            })}
            <TableCell isHead isFigure className="pl-0!">
              <ColumnMenu chosen={chosen} onColumns={props.onColumns} />
            </TableCell>
          </TableRow>
        </TableHead>
        <tbody>
          {items.flatMap((item, at) => {
            const agent = rows[item.index];
            const datum = agent === undefined ? undefined : (dataById.get(agent.agent.id) ?? bareDatum(byId, agent.agent.id));
            if (datum === undefined) return [];
            const gap = item.start - above;
            above = item.end;
            const after = at === items.length - 1 ? virtualizer.getTotalSize() - item.end : 0;
            const line = (
              <AgentRow
                key={datum.row.agent.id}
                datum={datum}
                index={item.index}
                columns={visible}
                isSelected={selected.has(datum.row.agent.id)}
                isCurrent={item.index === currentIndex}
                hands={hands}
              />
            );
            return [
              gap > 0 ? <Room key={`before-${item.index}`} height={gap} columns={columnCount} /> : null,
              line,
              after > 0 ? <Room key="after" height={after} columns={columnCount} /> : null,
            ];
          })}
        </tbody>
      </Table>
    </div>
  );
}

/** The place of rows that are not in sight. */
function Room({ height, columns }: { readonly height: number; readonly columns: number }): ReactNode {
  return (
    <tr aria-hidden>
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}
