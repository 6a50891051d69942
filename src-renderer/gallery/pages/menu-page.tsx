import { Copy, EllipsisVertical, Pause, Play, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import {
  ContextMenu,
  Menu,
  MenuCheckItem,
  MenuItem,
  MenuLabel,
  MenuRadioGroup,
  MenuRadioItem,
  MenuSeparator,
} from '#renderer/ui/menu.tsx';
import { Popover } from '#renderer/ui/popover.tsx';
import { Tooltip } from '#renderer/ui/tooltip.tsx';
import { Specimen } from '../specimen.tsx';

type Sort = 'state' | 'name' | 'cpu';

export function MenuPage(): ReactNode {
  const [done, setDone] = useState('nothing yet');
  const [isCpuShown, setCpuShown] = useState(true);
  const [sort, setSort] = useState<Sort>('state');
  const items = (
    <>
      <MenuLabel>ada</MenuLabel>
      <MenuItem icon={<Play aria-hidden className="size-3.5" />} onSelect={() => setDone('started')}>
        Start
      </MenuItem>
      <MenuItem icon={<Pause aria-hidden className="size-3.5" />} shortcut="p" onSelect={() => setDone('paused')}>
        Pause
      </MenuItem>
      <MenuItem disabled onSelect={() => setDone('resumed')} icon={<span />}>
        Resume
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={<Copy aria-hidden className="size-3.5" />} shortcut="ctrl+shift+c" onSelect={() => setDone('copied')}>
        Copy the attach command
      </MenuItem>
      <MenuSeparator />
      <MenuItem
        tone="danger"
        icon={<Trash2 aria-hidden className="size-3.5" />}
        onSelect={() => setDone('deleted')}
        shortcut="delete"
      >
        Delete
      </MenuItem>
    </>
  );
  return (
    <>
      <Specimen title="At a button">
        <div className="row">
          <Menu label="Actions of ada" trigger={<Button>Actions</Button>}>
            {items}
          </Menu>
          <Menu
            label="More actions"
            align="end"
            trigger={<IconButton label="More" icon={<EllipsisVertical aria-hidden className="size-3.5" />} />}
          >
            {items}
          </Menu>
          <Menu label="Columns" trigger={<Button>Columns and order</Button>}>
            <MenuLabel>Columns</MenuLabel>
            <MenuCheckItem checked={isCpuShown} onChange={setCpuShown}>
              CPU
            </MenuCheckItem>
            <MenuCheckItem checked={false} onChange={() => undefined} disabled>
              Cost
            </MenuCheckItem>
            <MenuSeparator />
            <MenuLabel>Order</MenuLabel>
            <MenuRadioGroup value={sort} onChange={setSort}>
              <MenuRadioItem value="state">State</MenuRadioItem>
              <MenuRadioItem value="name">Name</MenuRadioItem>
              <MenuRadioItem value="cpu">CPU</MenuRadioItem>
            </MenuRadioGroup>
          </Menu>
          <p role="status">Last: {done}</p>
        </div>
      </Specimen>
      <Specimen title="Where the pointer is">
        <ContextMenu items={items} label="Actions of ada">
          <button type="button" className="specimen-area" style={{ padding: 16 }}>
            Right button, or the menu key
          </button>
        </ContextMenu>
      </Specimen>
      <Specimen title="Popover and tooltips">
        <div className="row">
          <Popover label="Boundary" trigger={<Button>container · net none</Button>}>
            <p style={{ maxWidth: 240 }}>Tested 8 s ago: writing outside of the workspace was refused.</p>
            <div className="row" style={{ marginTop: 8 }}>
              <Button size="small">Test again</Button>
            </div>
          </Popover>
          <Tooltip label="Stops all agents, after asking" shortcut="ctrl+shift+s">
            <Button>With a tooltip</Button>
          </Tooltip>
        </div>
      </Specimen>
    </>
  );
}
