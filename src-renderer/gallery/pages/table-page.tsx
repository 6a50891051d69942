import { useState } from 'react';
import type { ReactNode } from 'react';
import { Checkbox } from '#renderer/ui/checkbox.tsx';
import { StateMark, StateWord } from '#renderer/ui/state-mark.tsx';
import type { StateLook } from '#renderer/ui/state-mark.tsx';
import type { SortDirection } from '#renderer/ui/table.tsx';
import { SortButton, Table, TableCell, TableHead, TableRow } from '#renderer/ui/table.tsx';
import { Specimen } from '../specimen.tsx';

const WORKING: StateLook = { shape: 'dot', tone: 'working', word: 'Working' };
const FAILED: StateLook = { shape: 'cross', tone: 'failed', word: 'Failed' };
const ROWS = Array.from({ length: 40 }, (_, index) => ({
  name: `worker-${String(index).padStart(2, '0')}`,
  look: index % 7 === 3 ? FAILED : WORKING,
  cpu: (index * 37) % 200,
}));
const NEXT: Readonly<Record<string, SortDirection>> = { asc: 'desc', desc: 'asc', false: 'asc' };

export function TablePage(): ReactNode {
  const [sort, setSort] = useState<{ readonly by: 'name' | 'cpu'; readonly direction: SortDirection }>({
    by: 'name',
    direction: 'asc',
  });
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set(['worker-02']));
  const sign = sort.direction === 'desc' ? -1 : 1;
  const rows = ROWS.toSorted((a, b) => sign * (sort.by === 'cpu' ? a.cpu - b.cpu : a.name.localeCompare(b.name)));
  const directionOf = (by: 'name' | 'cpu'): SortDirection => (sort.by === by ? sort.direction : false);
  const head = (by: 'name' | 'cpu', text: string): ReactNode => (
    <SortButton direction={directionOf(by)} onClick={() => setSort({ by, direction: NEXT[String(directionOf(by))] ?? 'asc' })}>
      {text}
    </SortButton>
  );
  const toggle = (name: string): void => {
    const next = new Set(selected);
    if (!next.delete(name)) next.add(name);
    setSelected(next);
  };
  return (
    <Specimen title="Sorted, selected, with a head that stays" ground="page" isFlush>
      {/* Scrolls, so it must be reachable by keys. */}
      <div style={{ height: 320, overflow: 'auto' }} tabIndex={0} role="region" aria-label="Agents, scrolling">
        <Table label="Agents">
          <TableHead>
            <TableRow>
              <TableCell isHead style={{ width: 40 }}>
                <span className="sr-only">Selected</span>
              </TableCell>
              <TableCell isHead sort={directionOf('name')}>
                {head('name', 'Name')}
              </TableCell>
              <TableCell isHead>State</TableCell>
              <TableCell isHead isFigure sort={directionOf('cpu')}>
                {head('cpu', 'CPU')}
              </TableCell>
            </TableRow>
          </TableHead>
          <tbody>
            {rows.map(({ name, look, cpu }) => (
              <TableRow key={name} isSelected={selected.has(name)}>
                <TableCell>
                  <Checkbox label={`Select ${name}`} isLabelHidden checked={selected.has(name)} onChange={() => toggle(name)} />
                </TableCell>
                <TableCell isHead scope="row">
                  {name}
                </TableCell>
                <TableCell>
                  <span className="row" style={{ gap: 6 }}>
                    <StateMark look={look} />
                    <StateWord look={look} />
                  </span>
                </TableCell>
                <TableCell isFigure>{cpu}%</TableCell>
              </TableRow>
            ))}
          </tbody>
        </Table>
      </div>
    </Specimen>
  );
}
