/** Whether the keyboard is an Apple one: there Ctrl of a command is ⌘. */
const isApple = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

const NAMES: Readonly<Record<string, string>> = {
  ctrl: isApple ? '⌘' : 'Ctrl',
  alt: isApple ? '⌥' : 'Alt',
  shift: isApple ? '⇧' : 'Shift',
  escape: 'Esc',
  arrowup: '↑',
  arrowdown: '↓',
  arrowleft: '←',
  arrowright: '→',
};

/** The keys of a command as people read them: "ctrl+k" is "Ctrl K", "g f" is "G F". */
export function readableKeys(keys: string): string {
  return keys
    .split(/\+(?!$)|\s+/)
    .map((key) => NAMES[key.toLowerCase()] ?? key.charAt(0).toUpperCase() + key.slice(1))
    .join(' ');
}

/** The same for `aria-keyshortcuts`: "Control+K". A sequence cannot be said there, so it has none. */
export function ariaKeys(keys: string | undefined): string | undefined {
  if (keys === undefined || /\s/.test(keys)) return undefined;
  return keys
    .split(/\+(?!$)/)
    .map((key) => (key.toLowerCase() === 'ctrl' ? (isApple ? 'Meta' : 'Control') : key.charAt(0).toUpperCase() + key.slice(1)))
    .join('+');
}
