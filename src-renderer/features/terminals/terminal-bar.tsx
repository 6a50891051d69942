import { Copy, Ellipsis, ExternalLink, Maximize2, Search, SquareTerminal, ZoomIn, ZoomOut } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { Menu, MenuCheckItem, MenuItem, MenuSeparator } from '#renderer/ui/menu.tsx';
import { Tabs } from '#renderer/ui/tabs.tsx';
import { windowTitle } from './control-words.ts';
import type { ScreenState } from './screen-state.ts';

/** Tells the windows' tabs from others on the page. */
export const WINDOW_TABS = 'windows';

/** What can be done with a terminal besides typing. */
export interface TerminalActs {
  readonly onSearch: () => void;
  readonly onFit: () => void;
  readonly onZoom: (step: -1 | 0 | 1) => void;
  /** Copies the command that shows this terminal in another one; undefined when there is none. */
  readonly onCopyAttach: (() => void) | undefined;
  /** Opens the terminal in a window of its own; undefined where that cannot be. */
  readonly onDetach: (() => void) | undefined;
  readonly onScreenReader: (isOn: boolean) => void;
}

interface TerminalBarProps {
  readonly windows: readonly string[];
  readonly current: string;
  readonly onWindow: (name: string) => void;
  readonly state: ScreenState;
  readonly fontSize: number;
  readonly isForScreenReader: boolean;
  readonly acts: TerminalActs;
}

/** The windows of an agent's terminal, its size, and what can be done with it. */
export function TerminalBar(props: TerminalBarProps): ReactNode {
  const { windows, current, onWindow, state, fontSize, isForScreenReader, acts } = props;
  const { size, fitting, control, kind } = state;
  const isForeign = size !== undefined && fitting !== undefined && (size.cols !== fitting.cols || size.rows !== fitting.rows);
  const canFit = kind === 'live' && isForeign && (control?.holder === null || control?.holder?.isYou === true);
  return (
    <div className="flex h-9 flex-none items-center gap-3 border-b border-hair bg-bg-1 pr-2 pl-4">
      <div className="min-w-0 flex-1">
        <Tabs
          label="Windows of the terminal"
          group={WINDOW_TABS}
          value={current}
          onChange={onWindow}
          tabs={windows.map((value) => ({ value, text: windowTitle(value) }))}
        />
      </div>
      <span className="flex flex-none items-center gap-1">
        {canFit ? (
          <Button
            size="small"
            look="quiet"
            icon={<Maximize2 aria-hidden className="size-3" />}
            title="The terminal has the size of another window. This makes it as large as this one, for all who look at it."
            onClick={acts.onFit}
          >
            <span className="max-[480px]:sr-only">Fit to my window</span>
          </Button>
        ) : null}
        {size === undefined ? null : (
          <span className="figures mr-1.5 hidden text-12 whitespace-nowrap text-tx-3 wide:inline" title="Columns by rows">
            {size.cols} × {size.rows}
          </span>
        )}
        <IconButton
          size="small"
          label="Search the terminal"
          shortcut="ctrl+shift+f"
          icon={<Search aria-hidden className="size-3.5" />}
          onClick={acts.onSearch}
        />
        {acts.onCopyAttach === undefined ? null : (
          <IconButton
            size="small"
            label="Open in my own terminal: copies the command"
            icon={<SquareTerminal aria-hidden className="size-3.5" />}
            onClick={acts.onCopyAttach}
          />
        )}
        <Menu
          label="Terminal"
          align="end"
          trigger={<IconButton size="small" label="More of the terminal" icon={<Ellipsis aria-hidden className="size-3.5" />} />}
        >
          <MenuItem icon={<ZoomIn aria-hidden className="size-3.5" />} shortcut="ctrl++" onSelect={() => acts.onZoom(1)}>
            Larger text
          </MenuItem>
          <MenuItem icon={<ZoomOut aria-hidden className="size-3.5" />} shortcut="ctrl+-" onSelect={() => acts.onZoom(-1)}>
            Smaller text
          </MenuItem>
          <MenuItem shortcut="ctrl+0" icon={<span />} onSelect={() => acts.onZoom(0)}>
            Usual size (now {fontSize} px)
          </MenuItem>
          <MenuSeparator />
          <MenuCheckItem checked={isForScreenReader} onChange={acts.onScreenReader}>
            Read output to a screen reader
          </MenuCheckItem>
          {acts.onCopyAttach === undefined && acts.onDetach === undefined ? null : <MenuSeparator />}
          {acts.onCopyAttach === undefined ? null : (
            <MenuItem icon={<Copy aria-hidden className="size-3.5" />} onSelect={acts.onCopyAttach}>
              Copy the attach command
            </MenuItem>
          )}
          {acts.onDetach === undefined ? null : (
            <MenuItem icon={<ExternalLink aria-hidden className="size-3.5" />} onSelect={acts.onDetach}>
              Open in a window of its own
            </MenuItem>
          )}
        </Menu>
      </span>
    </div>
  );
}
