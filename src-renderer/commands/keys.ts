/**
 * Shortcuts as text: `j`, `?`, `ctrl+k`, `shift+enter`, or a sequence of plain keys such as `g f`. `ctrl` also answers to
 * ⌘. Letters are written small; what Shift makes of a key (`?`, `>`) is written as what it makes. Pure.
 */

/** A key press as far as shortcuts need it; a KeyboardEvent is one. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** Keys that type nothing by themselves: Shift with them is part of the shortcut. */
const NAMED = /^(Arrow|F\d|Enter|Escape|Tab|Home|End|Page|Backspace|Delete| )/;

/** A key press as one step of a shortcut's text; undefined for a modifier alone. */
export function strokeOf(press: KeyPress): string | undefined {
  if (['Control', 'Meta', 'Shift', 'Alt', 'AltGraph', 'Dead', 'Unidentified'].includes(press.key)) return undefined;
  const isNamed = NAMED.test(press.key);
  const name = press.key === ' ' ? 'space' : press.key.toLowerCase();
  const parts = [
    press.ctrlKey || press.metaKey ? 'ctrl+' : '',
    press.altKey ? 'alt+' : '',
    press.shiftKey && (isNamed || press.ctrlKey || press.metaKey) ? 'shift+' : '',
  ];
  return parts.join('') + name;
}

/** What a stroke does to a started sequence: a command to run, a longer sequence to wait for, or nothing. */
export type Step<T> =
  | { readonly kind: 'run'; readonly command: T }
  | { readonly kind: 'wait'; readonly typed: string }
  | { readonly kind: 'none' };

/** Looks a stroke up. `typed` is what was typed of a sequence so far. Earlier commands win. */
export function stepOf<T extends { readonly keys?: string | undefined }>(
  commands: readonly T[],
  typed: string,
  stroke: string,
): Step<T> {
  const now = typed === '' ? stroke : `${typed} ${stroke}`;
  const command = commands.find(({ keys }) => keys === now);
  if (command) return { kind: 'run', command };
  if (commands.some(({ keys }) => keys?.startsWith(`${now} `) === true)) return { kind: 'wait', typed: now };
  // A sequence that leads nowhere: its last key counts by itself.
  return typed === '' ? { kind: 'none' } : stepOf(commands, '', stroke);
}

/** Where the keyboard is: what has it besides the page's commands. */
export interface KeyPlace {
  /** Somebody types into a field. */
  readonly isField: boolean;
  /** A menu, a list of choices or a popover is open: plain keys are its own. */
  readonly isOverlaid: boolean;
  /** A dialog is open: it has the keyboard to itself. */
  readonly isModal: boolean;
}

/** Whether a command answers to its keys where the keyboard is. */
export function isWithinReach({ isGlobal }: { readonly isGlobal?: boolean | undefined }, place: KeyPlace): boolean {
  if (place.isModal) return false;
  return isGlobal === true || !(place.isField || place.isOverlaid);
}
