/** A terminal's rows as plain elements: what the core sends for small pictures of a screen, in the window's own colours. */
import type { TileColour, TileRow, TileStyle } from '#shared/terminals/frames.ts';

/** The tokens of the sixteen colours that programs name. Black is the ground, white the text, in both themes. */
const NAMED = [
  '--color-t-bg',
  '--color-t-red',
  '--color-t-green',
  '--color-t-yellow',
  '--color-t-blue',
  '--color-t-magenta',
  '--color-t-cyan',
  '--color-t-fg',
  '--color-t-dim',
  '--color-t-red',
  '--color-t-green',
  '--color-t-yellow',
  '--color-t-blue',
  '--color-t-magenta',
  '--color-t-cyan',
  '--color-t-bold',
] as const;

type Rgb = readonly [number, number, number];

/** The grounds of both themes, and the contrast that text must have on them. */
const DARK_GROUND: Rgb = [9, 11, 13];
const LIGHT_GROUND: Rgb = [250, 250, 248];
const LEAST_CONTRAST = 4.5;

const LEVELS = [0, 95, 135, 175, 215, 255] as const;

/** The red, green and blue of a colour beyond the named ones: the cube of 6 by 6 by 6, the greys, or any. */
function rgbOf(colour: number | string): Rgb {
  if (typeof colour === 'string') {
    const value = Number.parseInt(colour.slice(1), 16);
    return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
  }
  if (colour >= 232) {
    const grey = 8 + (colour - 232) * 10;
    return [grey, grey, grey];
  }
  const cube = colour - 16;
  const level = (at: number): number => LEVELS[at % 6] ?? 0;
  return [level(Math.floor(cube / 36)), level(Math.floor(cube / 6)), level(cube)];
}

/** Relative luminance, as WCAG defines it. */
function luminance(rgb: Rgb): number {
  const [r = 0, g = 0, b = 0] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: Rgb, b: Rgb): number {
  const [la, lb] = [luminance(a), luminance(b)];
  return (Math.max(la, lb) + 0.05) / (Math.min(la, lb) + 0.05);
}

function hex(rgb: Rgb): string {
  return `#${rgb.map((value) => Math.round(value).toString(16).padStart(2, '0')).join('')}`;
}

/** The colour moved towards black or white until it can be read on the ground. */
function readable(colour: Rgb, ground: Rgb, towards: 0 | 255): string {
  let [r, g, b] = colour;
  for (let step = 0; step < 20 && contrast([r, g, b], ground) < LEAST_CONTRAST; step += 1) {
    r += (towards - r) * 0.15;
    g += (towards - g) * 0.15;
    b += (towards - b) * 0.15;
  }
  return hex([r, g, b]);
}

const known = new Map<TileColour, string>();

/** A text colour, as CSS; one beyond the named sixteen is made readable on the ground of each theme. */
export function textColour(colour: TileColour): string {
  const named = typeof colour === 'number' ? NAMED[colour] : undefined;
  if (named !== undefined) return `var(${named})`;
  const cached = known.get(colour);
  if (cached !== undefined) return cached;
  const rgb = rgbOf(colour);
  const css = `light-dark(${readable(rgb, LIGHT_GROUND, 0)}, ${readable(rgb, DARK_GROUND, 255)})`;
  known.set(colour, css);
  return css;
}

/** A ground colour, as CSS: exactly what the program asked for. */
export function groundColour(colour: TileColour): string {
  const named = typeof colour === 'number' ? NAMED[colour] : undefined;
  return named === undefined ? hex(rgbOf(colour)) : `var(${named})`;
}

/** Text and ground of a run, as CSS; undefined where they are the terminal's own. */
export function coloursOf(style: TileStyle): { readonly fg: string | undefined; readonly bg: string | undefined } {
  const { fg, bg, inverse, bold, dim } = style;
  const plain = bold === true ? 'var(--color-t-bold)' : 'var(--color-t-fg)';
  if (inverse === true) {
    const ground = fg === undefined ? plain : groundColour(fg);
    return { fg: bg === undefined ? 'var(--color-t-bg)' : groundColour(bg), bg: ground };
  }
  if (bg !== undefined) {
    const isNamedGround = typeof bg === 'number' && ((bg > 0 && bg < 7) || (bg > 8 && bg < 15));
    const isPlainText = fg === undefined || fg === 0 || fg === 7 || fg === 15;
    // The named grounds are text colours of the theme: what is readable on all of them is the theme's own ground.
    if (isNamedGround && isPlainText) return { fg: 'var(--color-t-bg)', bg: groundColour(bg) };
    if (typeof bg === 'string' || bg > 15) {
      const ground = rgbOf(bg);
      const isDark = luminance(ground) < 0.18;
      const text = fg === undefined || (typeof fg === 'number' && fg < 16) ? undefined : rgbOf(fg);
      const shown = text === undefined ? (isDark ? '#eef0f2' : '#0e1114') : readable(text, ground, isDark ? 255 : 0);
      return { fg: shown, bg: groundColour(bg) };
    }
    return { fg: fg === undefined ? plain : textColour(fg), bg: groundColour(bg) };
  }
  if (fg !== undefined) {
    const colour = textColour(fg);
    return { fg: dim === true ? `color-mix(in oklab, ${colour} 72%, var(--color-t-bg))` : colour, bg: undefined };
  }
  if (dim === true) return { fg: 'var(--color-t-dim)', bg: undefined };
  return { fg: bold === true ? plain : undefined, bg: undefined };
}

/** One row. Text of the usual look is a text node, everything else a span. */
export function rowElement(row: TileRow, document: Document): HTMLElement {
  const line = document.createElement('div');
  for (const [text, style] of row) {
    if (style === undefined) {
      line.append(text);
      continue;
    }
    const span = document.createElement('span');
    span.textContent = text;
    const { fg, bg } = coloursOf(style);
    if (fg !== undefined) span.style.color = fg;
    if (bg !== undefined) span.style.backgroundColor = bg;
    if (style.bold === true) span.style.fontWeight = '600';
    if (style.italic === true) span.style.fontStyle = 'italic';
    const lines = [style.underline === true ? 'underline' : '', style.strike === true ? 'line-through' : ''].filter(
      (one) => one !== '',
    );
    if (lines.length > 0) span.style.textDecorationLine = lines.join(' ');
    line.append(span);
  }
  return line;
}

/** The characters of a row, without their looks. */
export function rowText(row: TileRow): string {
  return row.map(([text]) => text).join('');
}
