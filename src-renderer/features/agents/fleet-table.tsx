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
import { Columns3, Ellipsis } from 'lucide-react';
import { memo, useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useStore } from 'zustand';
import { Link, useQueryParameter } from '#renderer/navigation/use-route.tsx';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { IconButton } from '#renderer/ui/button.tsx';
import { Checkbox } from '#renderer/ui/checkbox.tsx';
import { ContextMenu, Menu, MenuCheckItem, MenuItem, MenuLabel, MenuSeparator } from '#renderer/ui/menu.tsx';
import { SortButton, Table, TableCell, TableHead, TableRow } from '#renderer/ui/table.tsx';
import { isAlive } from '#shared/agents/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import { SelectBox } from './agent-card.tsx';
import type { FleetHands } from './agent-card.tsx';
import { AgentMenuItems } from './agent-menu-items.tsx';
import type { FleetColumn, TableDatum } from './fleet-columns.tsx';
import { DEFAULT_COLUMNS, FLEET_COLUMNS } from './fleet-columns.tsx';
import type { FleetViewProps } from './fleet-view.ts';
import { useFleetKeys, useSettledRows, useSize } from './fleet-view.ts';
import { Kept } from './kept.ts';

/** Height of a row, and of the head, in pixels. */
const ROW = 28;
const NAME_WIDTH = 184;
/** From these widths of the table on, all the usual columns have room, or those of a narrow window. */
const WIDE_FROM = 1_120;
const NARROW_FROM = 924;
const SELECT_WIDTH = 44;
const MENU_WIDTH = 44;
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
    const usual = DEFAULT_COLUMNS[size.width >= WIDE_FROM ? 'wide' : size.width >= NARROW_FROM ? 'narrow' : 'tiny'];
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

  const fixed = SELECT_WIDTH + NAME_WIDTH + MENU_WIDTH + visible.reduce((sum, { width }) => sum + (width ?? LEAST_FLEXIBLE), 0);
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
          <col style={{ width: SELECT_WIDTH }} />
          <col style={{ width: NAME_WIDTH }} />
          {visible.map(({ id, width }) => (
            <col key={id} style={width === undefined ? undefined : { width }} />
          ))}
          <col style={hasFlexible ? { width: MENU_WIDTH } : undefined} />
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

/** An agent that the filter no longer wants, but that keeps its place for now. */
function bareDatum(byId: FleetViewProps['byId'], id: string): TableDatum | undefined {
  const row = byId.get(id);
  return row === undefined ? undefined : { row, unread: 0, cpu: undefined, memoryBytes: undefined };
}

/** Rows with what they show besides; a row of which nothing changed stays the same object. */
function useTableData(rows: FleetViewProps['rows']): readonly TableDatum[] {
  const unread = useWindowState((state) => state.unread);
  const samples = useStore(useSession().metrics.store, (state) => state.samples);
  const [kept] = useState(
    () =>
      new Kept<TableDatum>(
        ({ row }) => row.agent.id,
        (a, b) => a.row === b.row && a.unread === b.unread && a.cpu === b.cpu && a.memoryBytes === b.memoryBytes,
      ),
  );
  return useMemo(
    () =>
      kept.renew(
        rows.map((row): TableDatum => {
          const { id, state } = row.agent;
          const measured = isAlive(state.status) ? ownEntry(samples, id) : undefined;
          return { row, unread: ownEntry(unread, id) ?? 0, cpu: measured?.cpu.at(-1), memoryBytes: measured?.memoryBytes.at(-1) };
        }),
      ),
    [rows, unread, samples, kept],
  );
}

interface AgentRowProps {
  readonly datum: TableDatum;
  readonly index: number;
  readonly columns: readonly FleetColumn[];
  readonly isSelected: boolean;
  readonly isCurrent: boolean;
  readonly hands: FleetHands;
}

const AgentRow = memo(function AgentRow({ datum, index, columns, isSelected, isCurrent, hands }: AgentRowProps): ReactNode {
  const { agent, question } = datum.row;
  const { id } = agent;
  const tabIndex = isCurrent ? 0 : -1;
  const items = (
    <AgentMenuItems
      agent={agent}
      isSelected={isSelected}
      onSelect={() => hands.onToggle(id, false)}
      onAction={(action) => hands.onAction(id, action)}
      onMessage={() => hands.onMessage(id)}
    />
  );
  const onKeyDown = (event: KeyboardEvent): void => {
    if ((event.key !== ' ' && event.key !== 'x') || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    hands.onToggle(id, event.shiftKey);
  };
  return (
    <ContextMenu items={items} label={`Actions for ${id}`}>
      <TableRow
        isSelected={isSelected}
        aria-rowindex={index + 2}
        data-agent={id}
        className={`relative has-[a:focus-visible]:outline-2 has-[a:focus-visible]:-outline-offset-2 has-[a:focus-visible]:outline-focus ${question === undefined ? '' : 'bg-needs-bg'}`}
      >
        <TableCell className={isSelected ? 'shadow-[inset_2px_0_0_var(--color-tx-1)]' : ''}>
          <SelectBox id={id} isSelected={isSelected} hands={hands} tabIndex={tabIndex} />
        </TableCell>
        <TableCell isHead scope="row" className="truncate">
          <Link
            to={{ page: 'agent', id, tab: 'overview' }}
            title={id}
            tabIndex={tabIndex}
            draggable={false}
            data-card-link=""
            onFocus={() => hands.onCurrent(id)}
            onKeyDown={onKeyDown}
            onClick={(event) => {
              if (!event.shiftKey) return;
              event.preventDefault();
              hands.onToggle(id, true);
            }}
            className="font-strong outline-none hover:underline"
          >
            {id}
          </Link>
        </TableCell>
        {columns.map((column) => (
          <TableCell key={column.id} isFigure={column.isFigure ?? false} className="truncate">
            {column.cell(datum)}
          </TableCell>
        ))}
        <TableCell isFigure className="pl-0!">
          <Menu
            label={`Actions for ${id}`}
            align="end"
            trigger={
              <button
                type="button"
                tabIndex={tabIndex}
                aria-label={`Actions for ${id}`}
                className="inline-flex size-6 items-center justify-center rounded-2 text-tx-3 hover:text-tx-1 aria-expanded:bg-bg-2"
              >
                <Ellipsis aria-hidden className="size-3.5" />
              </button>
            }
          >
            {items}
          </Menu>
        </TableCell>
      </TableRow>
    </ContextMenu>
  );
});

interface ColumnMenuProps {
  readonly chosen: ReadonlySet<string>;
  readonly onColumns: (columns: string[]) => void;
}

/** Which columns are shown. */
function ColumnMenu({ chosen, onColumns }: ColumnMenuProps): ReactNode {
  return (
    <Menu
      label="Columns"
      align="end"
      trigger={<IconButton size="small" label="Columns" icon={<Columns3 aria-hidden className="size-3.5" />} />}
    >
      <MenuLabel>Columns</MenuLabel>
      {FLEET_COLUMNS.map(({ id, title }) => (
        <MenuCheckItem
          key={id}
          checked={chosen.has(id)}
          onChange={(isShown) =>
            onColumns(FLEET_COLUMNS.map((column) => column.id).filter((each) => (each === id ? isShown : chosen.has(each))))
          }
        >
          {title}
        </MenuCheckItem>
      ))}
      <MenuSeparator />
      <MenuItem onSelect={() => onColumns([])}>The usual ones</MenuItem>
    </Menu>
  );
}
