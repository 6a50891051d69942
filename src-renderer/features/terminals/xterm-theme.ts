import type { ISearchDecorationOptions } from '@xterm/addon-search';
import type { ITheme } from '@xterm/xterm';

/** The tokens that a terminal's colours come from. */
const TOKENS = {
  background: '--color-t-bg',
  foreground: '--color-t-fg',
  cursor: '--color-t-fg',
  cursorAccent: '--color-t-bg',
  selectionBackground: '--color-t-sel',
  black: '--color-t-bg',
  red: '--color-t-red',
  green: '--color-t-green',
  yellow: '--color-t-yellow',
  blue: '--color-t-blue',
  magenta: '--color-t-magenta',
  cyan: '--color-t-cyan',
  white: '--color-t-fg',
  brightBlack: '--color-t-dim',
  brightRed: '--color-t-red',
  brightGreen: '--color-t-green',
  brightYellow: '--color-t-yellow',
  brightBlue: '--color-t-blue',
  brightMagenta: '--color-t-magenta',
  brightCyan: '--color-t-cyan',
  brightWhite: '--color-t-bold',
  overviewRulerBorder: '--color-t-bg',
  scrollbarSliderBackground: '--color-hair',
  scrollbarSliderHoverBackground: '--color-hair-strong',
  scrollbarSliderActiveBackground: '--color-hair-strong',
} as const satisfies ITheme;

/** The terminal's colours in the theme that `element` stands in. xterm wants colours, not variables. */
export function xtermTheme(element: HTMLElement): ITheme {
  const probe = element.ownerDocument.createElement('span');
  probe.hidden = true;
  element.append(probe);
  const theme = Object.fromEntries(
    Object.entries(TOKENS).map(([name, token]) => {
      probe.style.color = `var(${token})`;
      return [name, getComputedStyle(probe).color];
    }),
  );
  probe.remove();
  return theme;
}

/** Calls back when the theme may have changed: by the system, or by data-theme. Returns how to stop. */
export function onThemeChange(callback: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', callback);
  const override = new MutationObserver(callback);
  override.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  return () => {
    system.removeEventListener('change', callback);
    override.disconnect();
  };
}

/** A colour token as `#rrggbb`, which is all that the search understands. */
function hexOf(element: HTMLElement, token: string): string {
  const probe = element.ownerDocument.createElement('span');
  probe.hidden = true;
  probe.style.color = `var(${token})`;
  element.append(probe);
  const channels = getComputedStyle(probe).color.match(/\d+(\.\d+)?/g) ?? [];
  probe.remove();
  const hex = channels.slice(0, 3).map((channel) => Math.round(Number(channel)).toString(16).padStart(2, '0'));
  return `#${hex.join('')}`;
}

/** How what a search found is marked, in the theme that `element` stands in. */
export function searchColours(element: HTMLElement): ISearchDecorationOptions {
  const mark = hexOf(element, '--color-t-sel');
  const current = hexOf(element, '--color-focus');
  return {
    matchBackground: mark,
    matchOverviewRuler: hexOf(element, '--color-t-dim'),
    activeMatchBackground: mark,
    activeMatchBorder: current,
    activeMatchColorOverviewRuler: current,
  };
}
