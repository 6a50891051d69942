import { ArrowDown } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useScreenCommands } from '#renderer/commands/use-commands.tsx';
import { pageStorage } from '#renderer/store/page-storage.ts';
import { Button } from '#renderer/ui/button.tsx';
import { TabPanel } from '#renderer/ui/tabs.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import type { AgentId } from '#shared/kernel/ids.ts';
import { windowTitle } from './control-words.ts';
import { ControlStrip } from './control-strip.tsx';
import { hasKeyboard } from './screen-state.ts';
import type { ScreenState } from './screen-state.ts';
import { TerminalBar, WINDOW_TABS } from './terminal-bar.tsx';
import { TerminalSearch } from './terminal-search.tsx';
import { useFontSize } from './use-font-size.ts';
import { useTerminalScreen } from './use-terminal-screen.ts';
import { MAIN, useWindows } from './use-windows.ts';

interface TerminalPaneProps {
  readonly agentId: AgentId;
  /** Changes with every start of the agent: a new start is a new terminal. */
  readonly runId: string;
  /** Shows this terminal in another one; null when the runtime has no such command. */
  readonly attachCommand: string | null;
  /** Opens this terminal in a window of its own; undefined where that cannot be, or where it is one. */
  readonly onDetach?: (() => void) | undefined;
  /** What can be done with an agent that ended. */
  readonly endedAction?: ReactNode;
}

/** Where it is kept whether this browser's screen reader is to be told what terminals print. */
const READER_KEY = 'quarterdeck.terminal-reader';
/** How long it is said that something was copied, in milliseconds. */
const SAYS_MS = 1_600;

/** True for a while after `count` grew. */
function useSaid(count: number): boolean {
  const [said, setSaid] = useState(0);
  useEffect(() => {
    if (count === 0) return undefined;
    const timer = setTimeout(() => setSaid(count), SAYS_MS);
    return () => clearTimeout(timer);
  }, [count]);
  return count > said;
}

/** The agent's terminal: its windows, what it shows, and whether keys go to it. */
export function TerminalPane({ agentId, runId, attachCommand, onDetach, endedAction }: TerminalPaneProps): ReactNode {
  const windows = useWindows(agentId, runId);
  const [wanted, setWindow] = useState(MAIN);
  const current = windows.includes(wanted) ? wanted : MAIN;
  const { fontSize, zoom } = useFontSize();
  const [isForScreenReader, setForScreenReader] = useState(() => pageStorage.getItem(READER_KEY) === 'on');
  const [isSearching, setSearching] = useState(false);
  const takeOver = useRef<HTMLButtonElement>(null);

  const toggleControl = (): void => {
    const { control, kind } = state;
    if (kind !== 'live' || control === undefined) return;
    if (control.holder === null) screen?.take(false);
    else if (control.holder.isYou) screen?.release();
    // Somebody would lose the keyboard: that takes a press of its own.
    else takeOver.current?.focus();
  };
  const { box, screen, state, reopen } = useTerminalScreen({
    agentId,
    runId,
    window: current,
    fontSize,
    isForScreenReader,
    asks: { onToggleControl: toggleControl, onSearch: () => setSearching(true), onZoom: zoom },
  });
  const isTyping = hasKeyboard(state);

  const copyAttach = (command: string): void => {
    navigator.clipboard.writeText(command).then(
      () => showToast({ title: 'Copied. Paste it into a terminal on this machine.', detail: command, id: 'attach-command' }),
      () => showToast({ title: 'Not copied: the browser refused.', detail: command, tone: 'failed', id: 'attach-command' }),
    );
  };
  const acts = {
    onSearch: () => setSearching(true),
    onFit: () => screen?.fit(),
    onZoom: zoom,
    onCopyAttach: attachCommand === null ? undefined : () => copyAttach(attachCommand),
    onDetach,
    onScreenReader: (isOn: boolean) => {
      pageStorage.setItem(READER_KEY, isOn ? 'on' : 'off');
      setForScreenReader(isOn);
    },
  };
  const closeSearch = (): void => {
    setSearching(false);
    screen?.endSearch();
    screen?.focus();
  };

  useScreenCommands(`Terminal of ${agentId}`, [
    {
      id: 'terminal.control',
      title: isTyping ? 'Release the keyboard' : 'Take control of the terminal',
      keys: 'ctrl+enter',
      run: toggleControl,
    },
    { id: 'terminal.search', title: 'Search the terminal', keys: 'ctrl+shift+f', isGlobal: true, run: acts.onSearch },
    { id: 'terminal.focus', title: 'Go to the terminal', keys: 'alt+t', run: () => screen?.focus() },
    ...windows.slice(0, 9).map((name, index) => ({
      id: `terminal.window-${name}`,
      title: `Show the window “${windowTitle(name)}”`,
      keys: `alt+${index + 1}`,
      isGlobal: true,
      run: () => setWindow(name),
    })),
    { id: 'terminal.fit', title: 'Fit the terminal to my window', run: acts.onFit },
    { id: 'terminal.larger', title: 'Larger text in terminals', run: () => zoom(1) },
    { id: 'terminal.smaller', title: 'Smaller text in terminals', run: () => zoom(-1) },
    ...(acts.onCopyAttach === undefined
      ? []
      : [{ id: 'terminal.attach', title: 'Copy the command to attach from my own terminal', run: acts.onCopyAttach }]),
  ]);

  return (
    <section aria-label={`Terminal of ${agentId}`} className="flex min-h-0 min-w-0 flex-1 flex-col">
      <TerminalBar
        windows={windows}
        current={current}
        onWindow={setWindow}
        state={state}
        fontSize={fontSize}
        isForScreenReader={isForScreenReader}
        acts={acts}
      />
      <TabPanel
        value={current}
        current={current}
        group={WINDOW_TABS}
        className="relative min-h-0 flex-1 bg-t-bg pt-2 pr-1.5 pb-2 pl-4"
      >
        <div
          ref={box}
          data-keys={isTyping ? 'captured' : undefined}
          className={`font-code size-full overflow-auto ${state.kind === 'lost' ? 'grayscale' : ''}`}
        />
        {isSearching ? (
          <TerminalSearch
            outcome={state.search}
            onSearch={(wish, direction) => screen?.search(wish, direction)}
            onClose={closeSearch}
          />
        ) : null}
        <TerminalHints state={state} onToEnd={() => screen?.scrollToEnd()} />
      </TabPanel>
      <ControlStrip
        state={state}
        takeOver={takeOver}
        onTake={(isForced) => screen?.take(isForced)}
        onRelease={() => screen?.release()}
        onReopen={reopen}
        endedAction={endedAction}
      />
    </section>
  );
}

const HINT = 'appear h-6 items-center rounded-2 border border-hair-strong bg-bg-1 px-2 text-12 text-tx-2';

/** What floats above the terminal for a while. */
function TerminalHints({ state, onToEnd }: { readonly state: ScreenState; readonly onToEnd: () => void }): ReactNode {
  const { newLines, link, copies } = state;
  const hasCopied = useSaid(copies);
  return (
    <>
      {newLines === undefined ? null : (
        <div className="pointer-events-none absolute inset-x-0 bottom-3 flex justify-center">
          <Button className="pointer-events-auto bg-bg-1" icon={<ArrowDown aria-hidden className="size-3.5" />} onClick={onToEnd}>
            {newLines === 0 ? 'To the end' : `${newLines} new ${newLines === 1 ? 'line' : 'lines'}`}
          </Button>
        </div>
      )}
      {link === undefined ? null : (
        <span className={`${HINT} pointer-events-none absolute bottom-3 left-4 flex max-w-[calc(100%-32px)]`}>
          <span className="truncate">
            {link.startsWith('https:') ? `Ctrl click opens ${link}` : `Not opened from here: ${link}`}
          </span>
        </span>
      )}
      <span role="status" className={hasCopied ? `${HINT} absolute right-4 bottom-3 flex` : 'sr-only'}>
        {hasCopied ? 'Copied' : ''}
      </span>
    </>
  );
}
