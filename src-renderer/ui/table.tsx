import { ArrowDown, ArrowUp } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';

/** How a column is sorted; false when another one is. */
export type SortDirection = 'asc' | 'desc' | false;

interface TableProps extends ComponentProps<'table'> {
  /** The table's name for screen readers. */
  readonly label: string;
}

/** A table in rows of 28 pixels. Its head stays in sight in the nearest scrolling box. */
export function Table({ label, className = '', ...rest }: TableProps): ReactNode {
  return (
    <table {...rest} aria-label={label} className={`w-full border-separate border-spacing-0 text-left text-12 ${className}`} />
  );
}

/** The head: a row of TableCell with `isHead`. */
export function TableHead({ className = '', children, ...rest }: ComponentProps<'thead'>): ReactNode {
  return (
    <thead {...rest} className={`sticky top-0 z-10 bg-bg-0 ${className}`}>
      {children}
    </thead>
  );
}

interface TableRowProps extends ComponentProps<'tr'> {
  readonly isSelected?: boolean;
}

/** A row. */
export function TableRow({ isSelected, className = '', ...rest }: TableRowProps): ReactNode {
  return (
    <tr
      {...rest}
      aria-selected={isSelected}
      className={`group h-7 [tbody>&]:hover:bg-bg-2 aria-selected:bg-select [tbody>&]:aria-selected:hover:bg-select ${className}`}
    />
  );
}

interface TableCellProps extends Omit<ComponentProps<'td'>, 'align'> {
  /** A heading: of the column in a TableHead, else of the row. */
  readonly isHead?: boolean;
  readonly scope?: 'col' | 'row';
  /** Figures stand right, so that they line up. */
  readonly isFigure?: boolean;
  /** Of a heading with a SortButton. */
  readonly sort?: SortDirection;
}

const ARIA_SORT = { asc: 'ascending', desc: 'descending' } as const;

/** A cell. What is longer than the column ends in an ellipsis only where the caller says so (`truncate`). */
export function TableCell(props: TableCellProps): ReactNode {
  const { isHead = false, scope = 'col', isFigure = false, sort, className = '', ...rest } = props;
  const look = `h-7 border-b border-hair px-2 first:pl-4 last:pr-4 whitespace-nowrap ${isFigure ? 'text-right' : ''}`;
  if (!isHead) return <td {...rest} className={`${look} ${isFigure ? 'figures' : ''} ${className}`} />;
  return (
    <th
      {...rest}
      data-figure={isFigure ? '' : undefined}
      scope={scope}
      aria-sort={sort === undefined ? undefined : sort === false ? 'none' : ARIA_SORT[sort]}
      className={`group/cell ${look} ${scope === 'col' ? 'font-regular text-tx-3' : 'font-strong text-tx-1'} ${className}`}
    />
  );
}

interface SortButtonProps {
  readonly direction: SortDirection;
  readonly onClick: () => void;
  readonly children: ReactNode;
}

/** The name of a column by which the table can be sorted. Stands in a TableCell with `isHead` and `sort`. */
export function SortButton({ direction, onClick, children }: SortButtonProps): ReactNode {
  const Arrow = direction === 'desc' ? ArrowDown : ArrowUp;
  return (
    <button
      type="button"
      onClick={onClick}
      className={`group/sort -mx-1 inline-flex h-6 items-center gap-1 rounded-1 px-1 group-data-figure/cell:flex-row-reverse hover:text-tx-1 ${direction === false ? '' : 'font-medium text-tx-1'}`}
    >
      {children}
      <Arrow
        aria-hidden
        className={`size-3 flex-none ${direction === false ? 'invisible group-hover/sort:visible group-focus-visible/sort:visible' : ''}`}
      />
    </button>
  );
}
