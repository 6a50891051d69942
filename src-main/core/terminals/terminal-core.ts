/**
 * The inside of @xterm/headless, as far as a screen cannot be read through its public interface: cursor attributes, scroll
 * region, hidden cursor, character sets, mouse encoding. addon-serialize reaches in the same way for the attributes alone.
 * Both packages are pinned to exact versions; `coreOf` says at once, in every test, when an upgrade has moved something.
 */
import type { IBufferCell, Terminal } from '@xterm/headless';

/** Colours and flags of a cell or of the cursor; equal `fg`, `bg` and `extended.ext` mean equal looks. */
export interface Attributes extends Omit<IBufferCell, 'getWidth' | 'getChars' | 'getCode'> {
  readonly fg: number;
  readonly bg: number;
  readonly extended: { readonly ext: number };
  hasExtendedAttrs(): number;
  /** 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed. */
  getUnderlineStyle(): number;
  getUnderlineColor(): number;
  isUnderlineColorRGB(): boolean;
  isUnderlineColorPalette(): boolean;
}

/** One of the two screens. */
export interface CoreBuffer {
  readonly ybase: number;
  /** Region that scrolls, first and last row. */
  readonly scrollTop: number;
  readonly scrollBottom: number;
  readonly savedX: number;
  readonly savedY: number;
  readonly savedCurAttrData: Attributes;
  readonly savedCharset?: Charset;
}

/** Characters and what is shown for them; undefined for ASCII. */
export type Charset = Readonly<Record<string, string>> | undefined;

/** What is read of the terminal's inside. */
export interface TerminalCore {
  readonly buffers: { readonly normal: CoreBuffer; readonly alt: CoreBuffer };
  readonly coreService: {
    readonly isCursorHidden: boolean;
    readonly decPrivateModes: { readonly cursorStyle?: string | undefined; readonly cursorBlink?: boolean | undefined };
  };
  readonly coreMouseService: { readonly activeEncoding: string };
  readonly _charsetService: { readonly glevel: number; readonly charset?: Charset; readonly _charsets: readonly Charset[] };
  readonly _inputHandler: { readonly _curAttrData: Attributes };
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let inner = value;
  for (const key of path) inner = typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined;
  return inner;
}

function isCore(value: unknown): value is TerminalCore {
  return (
    ['normal', 'alt'].every((name) =>
      ['ybase', 'scrollTop', 'scrollBottom', 'savedX', 'savedY'].every(
        (key) => typeof at(value, 'buffers', name, key) === 'number',
      ),
    ) &&
    typeof at(value, 'coreService', 'isCursorHidden') === 'boolean' &&
    typeof at(value, 'coreService', 'decPrivateModes') === 'object' &&
    typeof at(value, 'coreMouseService', 'activeEncoding') === 'string' &&
    typeof at(value, '_charsetService', 'glevel') === 'number' &&
    Array.isArray(at(value, '_charsetService', '_charsets')) &&
    isAttributes(at(value, '_inputHandler', '_curAttrData')) &&
    isAttributes(at(value, 'buffers', 'normal', 'savedCurAttrData'))
  );
}

/** Whether a cell carries its raw attributes. */
export function isAttributes(value: unknown): value is Attributes {
  return (
    typeof at(value, 'fg') === 'number' && typeof at(value, 'bg') === 'number' && typeof at(value, 'extended', 'ext') === 'number'
  );
}

/** The inside of a terminal. Throws when it does not look as expected. */
export function coreOf(terminal: Terminal): TerminalCore {
  const core = at(terminal, '_core');
  if (!isCore(core))
    throw new Error('@xterm/headless looks different inside: adapt core/terminals/terminal-core.ts to the new version.');
  return core;
}
