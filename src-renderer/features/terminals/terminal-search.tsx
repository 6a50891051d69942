import { ArrowDown, ArrowUp, CaseSensitive, Regex, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { IconButton } from '#renderer/ui/button.tsx';
import type { SearchOutcome } from './screen-state.ts';
import type { SearchDirection, SearchWish } from './screen-search.ts';

interface TerminalSearchProps {
  readonly outcome: SearchOutcome | undefined;
  readonly onSearch: (wish: SearchWish, direction: SearchDirection) => void;
  readonly onClose: () => void;
}

function outcomeText(text: string, outcome: SearchOutcome | undefined): string {
  if (text === '' || outcome === undefined) return '';
  if (outcome.problem !== undefined) return outcome.problem;
  if (outcome.count === 0) return 'None found';
  return outcome.index < 0 ? `${outcome.count} or more` : `${outcome.index + 1} of ${outcome.count}`;
}

/** Searches a terminal with all its history. Enter goes up, where the older lines are; Shift Enter down; Escape closes. */
export function TerminalSearch({ outcome, onSearch, onClose }: TerminalSearchProps): ReactNode {
  const [wish, setWish] = useState<SearchWish>({ text: '', isCaseSensitive: false, isPattern: false });
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const change = (changes: Partial<SearchWish>): void => {
    const next = { ...wish, ...changes };
    setWish(next);
    onSearch(next, 'stay');
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onClose();
    else if (event.key === 'Enter' && event.target === field.current) onSearch(wish, event.shiftKey ? 'next' : 'previous');
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const said = outcomeText(wish.text, outcome);
  return (
    <div
      role="search"
      aria-label="Search the terminal"
      onKeyDown={onKeyDown}
      className="appear absolute top-2 right-4 z-10 flex h-9 max-w-[calc(100%-32px)] items-center gap-0.5 rounded-3 border border-hair-strong bg-bg-1 pr-1 pl-3"
    >
      <input
        ref={field}
        type="text"
        role="searchbox"
        aria-label="Search the terminal"
        placeholder="Search the terminal"
        autoComplete="off"
        spellCheck={false}
        value={wish.text}
        onChange={(event) => change({ text: event.target.value })}
        className="font-code h-full w-44 min-w-16 bg-transparent text-12 text-tx-1 outline-none placeholder:text-tx-3"
      />
      <span role="status" className="figures min-w-20 pr-1 text-right text-12 whitespace-nowrap text-tx-2">
        {said}
      </span>
      <IconButton
        size="small"
        label="Match case"
        pressed={wish.isCaseSensitive}
        icon={<CaseSensitive aria-hidden className="size-4" />}
        onClick={() => change({ isCaseSensitive: !wish.isCaseSensitive })}
      />
      <IconButton
        size="small"
        label="Regular expression"
        pressed={wish.isPattern}
        icon={<Regex aria-hidden className="size-3.5" />}
        onClick={() => change({ isPattern: !wish.isPattern })}
      />
      <IconButton
        size="small"
        label="Match above"
        shortcut="enter"
        icon={<ArrowUp aria-hidden className="size-3.5" />}
        onClick={() => onSearch(wish, 'previous')}
      />
      <IconButton
        size="small"
        label="Match below"
        shortcut="shift+enter"
        icon={<ArrowDown aria-hidden className="size-3.5" />}
        onClick={() => onSearch(wish, 'next')}
      />
      <IconButton
        size="small"
        label="Close the search"
        shortcut="escape"
        icon={<X aria-hidden className="size-3.5" />}
        onClick={onClose}
      />
    </div>
  );
}
