/** For tests: all that can be told of a terminal, to compare two of them. */
import type { Terminal } from '@xterm/headless';
import { coreOf, isAttributes } from '../terminal-core.ts';
import type { Attributes } from '../terminal-core.ts';

// Not the raw bits: xterm.js leaves some of a colour behind when another kind of colour follows.
function colourOf(value: number, isRgb: boolean, isPalette: boolean): string {
  return isRgb ? `#${value.toString(16)}` : isPalette ? String(value & 0xff) : '';
}

function backgroundOf(look: Attributes): string {
  return colourOf(look.getBgColor(), look.isBgRGB(), look.isBgPalette());
}

function lookOf(look: Attributes): string {
  const flags = [
    look.isBold(),
    look.isDim(),
    look.isItalic(),
    look.isBlink(),
    look.isInverse(),
    look.isInvisible(),
    look.isStrikethrough(),
    look.isOverline(),
  ];
  const underline = look.getUnderlineStyle();
  return [
    colourOf(look.getFgColor(), look.isFgRGB(), look.isFgPalette()),
    backgroundOf(look),
    flags.map((flag) => (flag > 0 ? 1 : 0)).join(''),
    underline === 0
      ? ''
      : `${underline}:${colourOf(look.getUnderlineColor(), look.isUnderlineColorRGB(), look.isUnderlineColorPalette())}`,
  ].join('/');
}

/** What a cell without a character shows: its background, and lines in the colour of text. */
function blankOf(cell: Attributes): string {
  const lines = [
    cell.isUnderline() > 0 ? cell.getUnderlineStyle() : 0,
    cell.isStrikethrough() > 0,
    cell.isOverline() > 0,
    cell.isInverse() > 0,
  ];
  return lines.some((one) => one !== 0 && one !== false) ? ` ${lookOf(cell)}` : ` ${backgroundOf(cell)}`;
}

/** Screen cell by cell, cursor, modes: plain data, equal when two terminals show and do the same. */
export function stateOf(terminal: Terminal): unknown {
  const core = coreOf(terminal);
  const { active } = terminal.buffer;
  const raw = active.type === 'alternate' ? core.buffers.alt : core.buffers.normal;
  const rows = Array.from({ length: terminal.rows }, (_, y) => {
    const line = active.getLine(active.baseY + y);
    return Array.from({ length: terminal.cols }, (__, x) => {
      const isAfterWide = x > 0 && line?.getCell(x - 1)?.getWidth() === 2;
      const cell = line?.getCell(x);
      if (!cell || !isAttributes(cell)) return 'none';
      const chars = cell.getChars();
      // xterm.js leaves the second half of a wide character behind when the first is cut off: it shows as a blank.
      if (cell.getWidth() === 0 && isAfterWide) return '';
      return chars === '' || chars === ' ' ? blankOf(cell) : `${chars} ${lookOf(cell)}`;
    }).join('|');
  });
  return {
    type: active.type,
    rows,
    cursor: [active.cursorX, active.cursorY],
    look: lookOf(core._inputHandler._curAttrData),
    region: [raw.scrollTop, raw.scrollBottom],
    modes: terminal.modes,
    isCursorHidden: core.coreService.isCursorHidden,
    mouse: core.coreMouseService.activeEncoding,
    glevel: core._charsetService.glevel,
  };
}
