/** Looks for a text in one terminal and marks what it finds, through changes of size and theme. */
import { SearchAddon } from '@xterm/addon-search';
import type { ISearchOptions } from '@xterm/addon-search';
import type { Terminal } from '@xterm/xterm';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { SearchOutcome } from './screen-state.ts';
import { searchColours } from './xterm-theme.ts';

/** What is searched for. */
export interface SearchWish {
  readonly text: string;
  readonly isCaseSensitive: boolean;
  readonly isPattern: boolean;
}

/** Pixels at the right that belong to the scroll bar and the marks of a search. */
export const SCROLL_BAR_PX = 10;

/** To the match above or below the chosen one, or to the nearest above while the text is being written. */
export type SearchDirection = 'next' | 'previous' | 'stay';

/** The search of one terminal. */
export class ScreenSearch implements Disposable {
  readonly #terminal: Terminal;
  readonly #box: HTMLElement;
  readonly #onOutcome: (outcome: SearchOutcome | undefined) => void;
  readonly #addon = new SearchAddon();
  readonly #results: Disposable;
  #wish: SearchWish | undefined;

  /** `onOutcome` hears how it goes, and undefined when the search is over. The colours are those of where `box` stands. */
  constructor(terminal: Terminal, box: HTMLElement, onOutcome: (outcome: SearchOutcome | undefined) => void) {
    this.#terminal = terminal;
    this.#box = box;
    this.#onOutcome = onOutcome;
    terminal.loadAddon(this.#addon);
    this.#results = this.#addon.onDidChangeResults(({ resultCount: count, resultIndex: index }) => {
      if (this.#wish) onOutcome({ count, index, problem: undefined });
    });
  }

  /** Looks for a text, which is not empty. */
  find(wish: SearchWish, direction: SearchDirection): void {
    const options: ISearchOptions = {
      caseSensitive: wish.isCaseSensitive,
      regex: wish.isPattern,
      incremental: direction === 'stay',
      decorations: searchColours(this.#box),
    };
    // The add-on takes the same text for the same search, whatever its options.
    const before = this.#wish;
    if (before?.isPattern !== wish.isPattern || before.isCaseSensitive !== wish.isCaseSensitive) this.#addon.clearDecorations();
    this.#wish = wish;
    // Not before there is something to mark: xterm draws its ruler a frame after each change of the screen, whatever is on it, and
    // every key's echo is then painted twice (measured: 82 frames for 40 keys, against 41).
    this.#terminal.options.overviewRuler = { width: SCROLL_BAR_PX };
    try {
      if (wish.isPattern) RegExp(wish.text);
      if (direction === 'next') this.#addon.findNext(wish.text, options);
      else this.#addon.findPrevious(wish.text, options);
    } catch (error) {
      this.#addon.clearDecorations();
      const problem = error instanceof SyntaxError ? 'This is no pattern yet.' : 'The search failed.';
      this.#onOutcome({ count: 0, index: -1, problem });
    }
  }

  /** Lines broke elsewhere, or colours changed: what was found is marked where and how it is now. */
  markAnew(): void {
    if (this.#wish === undefined) return;
    this.#addon.clearDecorations();
    this.find(this.#wish, 'stay');
  }

  /** Takes the marks away. */
  end(): void {
    this.#wish = undefined;
    this.#addon.clearDecorations();
    this.#terminal.clearSelection();
    this.#onOutcome(undefined);
  }

  dispose(): void {
    this.#results.dispose();
  }
}
