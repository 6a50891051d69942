/** Lines from above a screen as terminal output that is sent piece by piece. */
import { AnsiLines, ansiOf } from './ansi-lines.ts';

/** History goes out in slices of about this size, in bytes: other channels come in between. */
const HISTORY_SLICE_BYTES = 64 * 1024;

/** History as terminal output in slices. The last one ends with as many line feeds as push all of it off the screen. */
export function* historySlices(lines: readonly string[], rows: number): Generator<Uint8Array> {
  const reader = new AnsiLines();
  let text = '';
  for (const line of lines) {
    text += `${ansiOf(reader.read(line))}\r\n`;
    if (text.length >= HISTORY_SLICE_BYTES) {
      yield Buffer.from(text);
      text = '';
    }
  }
  if (lines.length > 0) yield Buffer.from(text + '\n'.repeat(rows - 1));
}
