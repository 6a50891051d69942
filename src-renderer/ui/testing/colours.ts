/** Sums about colours for the tests of the tokens. A colour is linear red, green and blue, 0 to 1. */
export type Colour = readonly [number, number, number];

/** Both themes of a token. */
export interface Pair {
  readonly light: Colour;
  readonly dark: Colour;
}

/** "#rrggbb" as a colour. Throws for anything else: the tokens are written so. */
export function parseHex(hex: string): Colour {
  const parts = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex)?.slice(1);
  if (parts === undefined) throw new Error(`${hex} is no colour #rrggbb`);
  const [red = 0, green = 0, blue = 0] = parts.map((part) => {
    const channel = Number.parseInt(part, 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return [red, green, blue];
}

/** The opaque colour tokens of tokens.css by name ("tx-1"), both themes. */
export function parseTokens(css: string): ReadonlyMap<string, Pair> {
  const declared = css.matchAll(/--color-([a-z0-9-]+):\s*light-dark\(\s*(#[0-9a-f]{6})\s*,\s*(#[0-9a-f]{6})\s*\)/gi);
  return new Map(
    [...declared].map(
      ([, name = '', light = '', dark = '']) => [name, { light: parseHex(light), dark: parseHex(dark) }] as const,
    ),
  );
}

const luminance = ([red, green, blue]: Colour): number => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

/** WCAG 2.2's contrast ratio, 1 to 21. */
export function contrast(one: Colour, other: Colour): number {
  const [a, b] = [luminance(one) + 0.05, luminance(other) + 0.05];
  return Math.max(a, b) / Math.min(a, b);
}

/** The full dichromacies of Machado, Oliveira and Fernandes 2009 (table 1, severity 1.0), for linear colours. */
export const COLOUR_BLINDNESS = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
} as const;

/** A colour as such eyes see it. */
export function seenWith(kind: keyof typeof COLOUR_BLINDNESS, [red, green, blue]: Colour): Colour {
  const channel = ([r, g, b]: readonly [number, number, number]): number =>
    Math.min(Math.max(r * red + g * green + b * blue, 0), 1);
  const [first, second, third] = COLOUR_BLINDNESS[kind];
  return [channel(first), channel(second), channel(third)];
}

/** The distance of two colours in OKLab (Ottosson 2020) times 100: about 2 is just noticed, 10 is plainly another colour. */
export function distance(one: Colour, other: Colour): number {
  const [a, b] = [oklab(one), oklab(other)];
  return 100 * Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function oklab([r, g, b]: Colour): Colour {
  const long = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const middle = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const short = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short,
  ];
}
