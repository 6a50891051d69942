/** What keys in a terminal do besides going to the agent. Pure. */
import type { KeyPress } from '#renderer/commands/keys.ts';
import { strokeOf } from '#renderer/commands/keys.ts';

/** What a key does. agent: xterm makes bytes of it. page: nothing here, the page may have a use for it. */
export type KeyUse =
  | 'agent'
  | 'page'
  | 'toggle-control'
  | 'search'
  | 'copy'
  | 'zoom-in'
  | 'zoom-out'
  | 'zoom-usual'
  | 'page-up'
  | 'page-down'
  | 'line-up'
  | 'line-down'
  | 'to-start'
  | 'to-end'
  | 'stray';

/** In both: what terminals everywhere keep for themselves, and the one key that gives the keyboard back. */
const ALWAYS: Readonly<Record<string, KeyUse>> = {
  'ctrl+enter': 'toggle-control',
  'ctrl+shift+f': 'search',
  'ctrl+shift+c': 'copy',
  'ctrl+=': 'zoom-in',
  'ctrl++': 'zoom-in',
  'ctrl+shift++': 'zoom-in',
  'ctrl+-': 'zoom-out',
  'ctrl+0': 'zoom-usual',
  'shift+pageup': 'page-up',
  'shift+pagedown': 'page-down',
};

const WATCHING: Readonly<Record<string, KeyUse>> = {
  pageup: 'page-up',
  pagedown: 'page-down',
  arrowup: 'line-up',
  arrowdown: 'line-down',
  home: 'to-start',
  end: 'to-end',
  'ctrl+home': 'to-start',
  'ctrl+end': 'to-end',
  enter: 'stray',
  backspace: 'stray',
  space: 'stray',
};

/**
 * What a key that was pressed in the terminal does. While one only watches, plain keys go nowhere: not to the agent, and not
 * to the page either, where "x" could be a command.
 */
export function keyUse(press: KeyPress, hasKeyboard: boolean): KeyUse {
  const stroke = strokeOf(press);
  if (stroke === undefined) return hasKeyboard ? 'agent' : 'page';
  const always = ALWAYS[stroke];
  if (always !== undefined) return always;
  if (hasKeyboard) return 'agent';
  const watching = WATCHING[stroke];
  if (watching !== undefined) return watching;
  return [...press.key].length === 1 && !press.ctrlKey && !press.metaKey && !press.altKey ? 'stray' : 'page';
}
