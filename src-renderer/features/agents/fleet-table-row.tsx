import { memo } from 'react';
import type { ReactNode } from 'react';
import { ContextMenu } from '#renderer/ui/menu.tsx';
import { TableCell, TableRow } from '#renderer/ui/table.tsx';
import { AgentMenuItems } from './agent-menu-items.tsx';
import { AgentLink, AgentMenu, SelectBox } from './agent-parts.tsx';
import type { FleetHands } from './fleet-agent.ts';
import type { FleetColumn, TableDatum } from './fleet-columns.tsx';

interface AgentRowProps {
  readonly datum: TableDatum;
  readonly index: number;
  readonly columns: readonly FleetColumn[];
  readonly isSelected: boolean;
  readonly isCurrent: boolean;
  readonly hands: FleetHands;
}

/** One agent of the table. Its name is the link; what else it holds has places of its own. */
export const AgentRow = memo(function AgentRow({
  datum,
  index,
  columns,
  isSelected,
  isCurrent,
  hands,
}: AgentRowProps): ReactNode {
  const { agent, question } = datum.row;
  const { id } = agent;
  const tabIndex = isCurrent ? 0 : -1;
  const items = <AgentMenuItems agent={agent} isSelected={isSelected} hands={hands} />;
  return (
    <ContextMenu items={items} label={`Actions for ${id}`}>
      <TableRow
        isSelected={isSelected}
        aria-rowindex={index + 2}
        data-agent={id}
        className={`relative has-[[data-card-link]:focus-visible]:outline-2 has-[[data-card-link]:focus-visible]:-outline-offset-2 has-[[data-card-link]:focus-visible]:outline-focus ${question === undefined ? '' : 'bg-needs-bg'}`}
      >
        <TableCell className={isSelected ? 'shadow-[inset_2px_0_0_var(--color-tx-1)]' : ''}>
          <SelectBox id={id} isSelected={isSelected} hands={hands} tabIndex={tabIndex} />
        </TableCell>
        <TableCell isHead scope="row" className="truncate">
          <AgentLink id={id} tabIndex={tabIndex} isSelected={isSelected} hands={hands} className="hover:underline" />
        </TableCell>
        {columns.map((column) => (
          <TableCell key={column.id} isFigure={column.isFigure ?? false} className="truncate">
            {column.cell(datum, tabIndex)}
          </TableCell>
        ))}
        <TableCell isFigure className="pl-0!">
          <AgentMenu id={id} tabIndex={tabIndex} items={items} />
        </TableCell>
      </TableRow>
    </ContextMenu>
  );
});
