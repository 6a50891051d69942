/**
 * Writes a terminal's whole state as terminal output: what a terminal of the same size, in whatever state, has to be fed to
 * show the same and to understand what follows in the same way.
 *
 * addon-serialize is not used, because what it leaves out makes the output that *follows* come out wrong: the scroll region
 * (tmux sets it once and relies on it), the pending wrap at the end of a line with content below it, a hidden cursor, line
 * drawing characters, mouse encoding, saved cursor. Hyperlinks are not kept.
 */
import type { IBuffer, Terminal } from '@xterm/headless';
import type { Attributes, Charset, CoreBuffer, TerminalCore } from './terminal-core.ts';
import { isAttributes } from './terminal-core.ts';

const CSI = '\x1b[';

/**
 * Puts any terminal into a known state and clears the screen, without touching its scrollback: abort a started sequence,
 * leave the alternate screen, soft reset, default modes that a soft reset leaves, clear.
 */
export const RESET = `\x18${CSI}?1049l${CSI}!p${CSI}?6;9;1000;1002;1003;1004;1005;1006;1015;1016;2004;2026l${CSI}?7;25h${CSI}4l${CSI}?1;45;66l${CSI}r\x1b(B\x1b)B\x0f${CSI}0m${CSI}0 q${CSI}H${CSI}2J`;

/** Moves the cursor; counted from 0. */
function moveTo(x: number, y: number): string {
  return `${CSI}${y + 1};${x + 1}H`;
}

function colour(value: number, isRgb: boolean, base: 30 | 40): string {
  if (isRgb) return `${base + 8};2;${(value >> 16) & 255};${(value >> 8) & 255};${value & 255}`;
  if (value >= 16) return `${base + 8};5;${value}`;
  return String(value >= 8 ? base + 60 + (value & 7) : base + value);
}

/** The SGR sequence that sets exactly these attributes; `underline` is the style of the underline, 0 for none. */
function sgrOf(look: Attributes, underline: number = look.getUnderlineStyle()): string {
  const codes = ['0'];
  if (look.isBold()) codes.push('1');
  if (look.isDim()) codes.push('2');
  if (look.isItalic()) codes.push('3');
  if (underline > 0) codes.push(underline === 1 ? '4' : `4:${underline}`);
  if (look.isBlink()) codes.push('5');
  if (look.isInverse()) codes.push('7');
  if (look.isInvisible()) codes.push('8');
  if (look.isStrikethrough()) codes.push('9');
  if (look.isOverline()) codes.push('53');
  if (!look.isFgDefault()) codes.push(colour(look.getFgColor(), look.isFgRGB(), 30));
  if (!look.isBgDefault()) codes.push(colour(look.getBgColor(), look.isBgRGB(), 40));
  if (underline > 0 && look.hasExtendedAttrs()) {
    const value = look.getUnderlineColor();
    if (look.isUnderlineColorRGB()) codes.push(`58:2::${(value >> 16) & 255}:${(value >> 8) & 255}:${value & 255}`);
    else if (look.isUnderlineColorPalette()) codes.push(`58:5:${value}`);
  }
  return `${CSI}${codes.join(';')}m`;
}

function hasLines(cell: Attributes): boolean {
  return cell.isInverse() > 0 || cell.isUnderline() > 0 || cell.isStrikethrough() > 0 || cell.isOverline() > 0;
}

/** Paints rows, and remembers which attributes the terminal that reads it has by now. */
class Painter {
  output = '';
  readonly #buffer: IBuffer;
  readonly #cols: number;
  readonly #cell: ReturnType<IBuffer['getNullCell']>;
  readonly #waitsInRow: number | undefined;
  #fg = 0;
  #bg = 0;
  #ext = 0;

  /** `waitsInRow`: the row at whose end the cursor waits for the next character, which will wrap. */
  constructor(buffer: IBuffer, cols: number, waitsInRow: number | undefined) {
    this.#buffer = buffer;
    this.#cols = cols;
    this.#waitsInRow = waitsInRow;
    this.#cell = buffer.getNullCell();
  }

  look(look: Attributes): void {
    const ext = look.hasExtendedAttrs() ? look.extended.ext : 0;
    if (look.fg === this.#fg && look.bg === this.#bg && ext === this.#ext) return;
    this.#fg = look.fg;
    this.#bg = look.bg;
    this.#ext = ext;
    this.output += sgrOf(look);
  }

  /**
   * Sets the attributes that go with a saved cursor, and saves it. A terminal saves that there is an underline, but not its
   * style: when the cursor is restored, the style is the one in force then.
   */
  save(saved: Attributes, charset: Charset): void {
    this.output += sgrOf(saved, saved.isUnderline() > 0 ? 1 : 0);
    this.output += isDrawing(charset) ? `\x1b(0\x1b7\x1b(B${CSI}0m` : `\x1b7${CSI}0m`;
    this.#fg = 0;
    this.#bg = 0;
    this.#ext = 0;
  }

  /** Paints one row. `isContinued`: the cursor waits at the end of the row above, and this one follows by wrapping. Returns whether the last cell was written. */
  row(y: number, isContinued: boolean): boolean {
    const line = this.#buffer.getLine(this.#buffer.baseY + y);
    if (!line) return false;
    let isPlaced = isContinued;
    let isLastWritten = false;
    for (let x = 0; x < this.#cols; x += 1) {
      const cell = line.getCell(x, this.#cell);
      if (!cell || !isAttributes(cell) || cell.getWidth() === 0) continue;
      // A cell may be empty and still have a line or a reversed background; and the cursor waits only behind a written one.
      const isWaitedAt = x === this.#cols - 1 && y === this.#waitsInRow;
      const chars = cell.getChars() === '' && (isWaitedAt || hasLines(cell)) ? ' ' : cell.getChars();
      if (chars === '' && cell.isBgDefault()) {
        isPlaced = false;
        continue;
      }
      // Only a character wraps: erasing has to be sent to the row.
      if (!isPlaced || (chars === '' && x === 0)) this.output += moveTo(x, y);
      this.look(cell);
      if (chars === '') {
        const width = this.#erasedRun(x, y);
        this.output += `${CSI}${width}X`;
        x += width - 1;
        isPlaced = false;
      } else {
        this.output += chars;
        isPlaced = true;
        isLastWritten = x + cell.getWidth() >= this.#cols;
      }
    }
    return isLastWritten;
  }

  /** How many cells from `x` on are erased with the background that was set last. */
  #erasedRun(x: number, y: number): number {
    const line = this.#buffer.getLine(this.#buffer.baseY + y);
    let end = x + 1;
    while (end < this.#cols) {
      const cell = line?.getCell(end, this.#cell);
      if (
        !cell ||
        !isAttributes(cell) ||
        cell.getWidth() !== 1 ||
        cell.getChars() !== '' ||
        cell.bg !== this.#bg ||
        cell.fg !== this.#fg
      )
        break;
      if (end === this.#cols - 1 && y === this.#waitsInRow) break;
      end += 1;
    }
    return end - x;
  }

  /** Whether a row goes on from the one above. */
  isWrapped(y: number): boolean {
    return this.#buffer.getLine(this.#buffer.baseY + y)?.isWrapped === true;
  }
}

interface Cursor {
  readonly x: number;
  readonly y: number;
  readonly look: Attributes;
}

function paintBuffer(
  buffer: IBuffer,
  core: CoreBuffer,
  size: { cols: number; rows: number },
  cursor: Cursor,
  isActive: boolean,
): string {
  const painter = new Painter(buffer, size.cols, cursor.x < size.cols ? undefined : cursor.y);
  const hasRegion = core.scrollTop !== 0 || core.scrollBottom !== size.rows - 1;
  if (hasRegion) painter.output += `${CSI}${core.scrollTop + 1};${core.scrollBottom + 1}r`;
  const savedY = Math.max(0, core.savedY - core.ybase);
  const saved = core.savedCurAttrData;
  if (isActive && (core.savedX > 0 || savedY > 0 || saved.fg !== 0 || saved.bg !== 0 || isDrawing(core.savedCharset))) {
    painter.output += moveTo(core.savedX, savedY);
    painter.save(saved, core.savedCharset);
  }
  // The cursor's row comes last: where it waits at the end of a full row, only writing that row brings it there.
  for (let y = cursor.y + 1; y < size.rows; y += 1) painter.row(y, false);
  let isFull = false;
  for (let y = 0; y <= cursor.y; y += 1) {
    // Rows that were one line stay one line for selection; in a scroll region wrapping could scroll.
    isFull = painter.row(y, isFull && !hasRegion && painter.isWrapped(y));
  }
  if (cursor.x < size.cols || !isFull) painter.output += moveTo(Math.min(cursor.x, size.cols - 1), cursor.y);
  painter.look(cursor.look);
  return painter.output;
}

const MOUSE_TRACKING: Readonly<Record<string, string>> = { x10: '9', vt200: '1000', drag: '1002', any: '1003' };
const MOUSE_ENCODING: Readonly<Record<string, string>> = { SGR: '1006', SGR_PIXELS: '1016' };
const CURSOR_STYLES = ['block', 'underline', 'bar'];

/** Of all character sets only the one for line drawing is in use today; it is known by its horizontal line. */
function isDrawing(charset: Charset): boolean {
  return charset?.['q'] === '─';
}

function charsets(core: TerminalCore): string {
  const { glevel, charset, _charsets } = core._charsetService;
  // A restored cursor brings its set along without its being designated.
  const shown = [0, 1].map((index) => isDrawing(index === glevel ? charset : _charsets[index]));
  return `${shown[0] === true ? '\x1b(0' : ''}${shown[1] === true ? '\x1b)0' : ''}${glevel === 1 ? '\x0e' : ''}`;
}

function modes(terminal: Terminal, core: TerminalCore): string {
  const on = terminal.modes;
  const set: string[] = [];
  if (on.applicationCursorKeysMode) set.push('1');
  if (on.applicationKeypadMode) set.push('66');
  if (on.bracketedPasteMode) set.push('2004');
  if (on.reverseWraparoundMode) set.push('45');
  if (on.sendFocusMode) set.push('1004');
  const tracking = MOUSE_TRACKING[on.mouseTrackingMode];
  if (tracking !== undefined) set.push(tracking);
  const encoding = MOUSE_ENCODING[core.coreMouseService.activeEncoding];
  if (encoding !== undefined) set.push(encoding);
  let output = set.map((mode) => `${CSI}?${mode}h`).join('');
  if (on.insertMode) output += `${CSI}4h`;
  if (!on.wraparoundMode) output += `${CSI}?7l`;
  const style = CURSOR_STYLES.indexOf(core.coreService.decPrivateModes.cursorStyle ?? '');
  if (style >= 0) output += `${CSI}${style * 2 + (core.coreService.decPrivateModes.cursorBlink === false ? 2 : 1)} q`;
  if (core.coreService.isCursorHidden) output += `${CSI}?25l`;
  return output;
}

/** Setting it moves the cursor home, and positions count from the region's first row from then on. */
function originMode(buffer: IBuffer, core: CoreBuffer, cols: number, cursor: Cursor): string {
  const y = Math.max(0, cursor.y - core.scrollTop);
  const set = `${CSI}?6h`;
  if (cursor.x < cols) return set + moveTo(cursor.x, y);
  // It waits behind the last character for the next one: only writing that character again brings it there.
  const line = buffer.getLine(buffer.baseY + cursor.y);
  const isWide = line?.getCell(cols - 2)?.getWidth() === 2;
  const x = isWide ? cols - 2 : cols - 1;
  const cell = line?.getCell(x);
  if (!cell || !isAttributes(cell)) return set + moveTo(cols - 1, y);
  return `${set}${moveTo(x, y)}${sgrOf(cell)}${cell.getChars() || ' '}${sgrOf(cursor.look)}`;
}

/** The state of `terminal` as terminal output, `RESET` included. */
export function paintScreen(terminal: Terminal, core: TerminalCore): string {
  const size = { cols: terminal.cols, rows: terminal.rows };
  const { active, normal } = terminal.buffer;
  let output = RESET;
  if (active.type === 'alternate') {
    // Entering the alternate screen saves the cursor: stand where the program's was saved. It also fills it with the background.
    const saved = core.buffers.normal;
    const cursor = { x: saved.savedX, y: Math.max(0, saved.savedY - saved.ybase), look: saved.savedCurAttrData };
    const charset = isDrawing(saved.savedCharset) ? '\x1b(0' : '';
    output += `${paintBuffer(normal, saved, size, cursor, false)}${charset}${CSI}?1049h${CSI}0m${CSI}2J\x1b(B`;
  }
  const raw = active.type === 'alternate' ? core.buffers.alt : core.buffers.normal;
  const cursor = { x: active.cursorX, y: active.cursorY, look: core._inputHandler._curAttrData };
  output += paintBuffer(active, raw, size, cursor, true);
  if (terminal.modes.originMode) output += originMode(active, raw, size.cols, cursor);
  return output + modes(terminal, core) + charsets(core);
}
