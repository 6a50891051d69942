import { Columns3 } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from '#renderer/ui/button.tsx';
import { Menu, MenuCheckItem, MenuItem, MenuLabel, MenuSeparator } from '#renderer/ui/menu.tsx';
import { FLEET_COLUMNS } from './fleet-columns.tsx';

interface ColumnMenuProps {
  readonly chosen: ReadonlySet<string>;
  readonly onColumns: (columns: string[]) => void;
}

/** Which columns are shown. */
export function ColumnMenu({ chosen, onColumns }: ColumnMenuProps): ReactNode {
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
