/** What a page shows about its terminal, and what the terminal asks of the page. */
import type { TerminalSize, ViewReason } from '#renderer/connection/terminal-view.ts';
import type { ControlPayload } from '#shared/terminals/frames.ts';
import type { Holder } from './control-words.ts';

/** How a search goes. */
export interface SearchOutcome {
  readonly count: number;
  /** From 0; -1 while none is chosen, or when there are too many to be counted. */
  readonly index: number;
  /** What is wrong with the pattern. */
  readonly problem: string | undefined;
}

/** What is known about a terminal on the page. */
export interface ScreenState {
  /** lost: the way to the core is gone, and the view comes back with it. */
  readonly kind: 'opening' | 'live' | 'lost' | 'ended';
  readonly size: TerminalSize | undefined;
  /** The size that would fill the box with text of the size that is set. */
  readonly fitting: TerminalSize | undefined;
  /** Undefined until the core has said it. */
  readonly control: ControlPayload | undefined;
  /** Who took control away from this view, until something else happens to it. */
  readonly takenBy: Holder | undefined;
  /** Why it ended, or was never there. */
  readonly end: ViewReason | undefined;
  /** Why what was asked last was refused. */
  readonly refusal: ViewReason | undefined;
  /** Lines that came since the reader scrolled up; undefined at the end. */
  readonly newLines: number | undefined;
  readonly search: SearchOutcome | undefined;
  /** Where the link under the pointer leads. */
  readonly link: string | undefined;
  /** Counts texts that were copied, and keys that went nowhere: each is worth a word. */
  readonly copies: number;
  readonly strayKeys: number;
}

/** Before anything happened. */
export const OPENING: ScreenState = {
  kind: 'opening',
  size: undefined,
  fitting: undefined,
  control: undefined,
  takenBy: undefined,
  end: undefined,
  refusal: undefined,
  newLines: undefined,
  search: undefined,
  link: undefined,
  copies: 0,
  strayKeys: 0,
};

/** What keys in the terminal ask of the page. */
export interface ScreenAsks {
  /** Ctrl Enter. */
  onToggleControl(): void;
  /** Ctrl Shift F. */
  onSearch(): void;
  /** Ctrl + and Ctrl −, by one; 0 for the usual size. */
  onZoom(step: -1 | 0 | 1): void;
}

/** Whether keys go to the agent. */
export function hasKeyboard({ kind, control }: Pick<ScreenState, 'kind' | 'control'>): boolean {
  return kind === 'live' && control?.holder?.isYou === true;
}
