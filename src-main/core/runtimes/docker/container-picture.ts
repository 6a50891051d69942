/** What the windows of an agent showed at one moment: for the time when they cannot be asked, paused or ended. */
import { AppError } from '#shared/kernel/errors.ts';
import type { TerminalCapture } from '../runtime.ts';

/** Windows by name, `main` first; lines with ANSI colours. */
export type ContainerPicture = ReadonlyMap<string, TerminalCapture>;

/** What `capture-pane -e` writes besides text: colours, links, and the shift to line drawing and back. */
// oxlint-disable-next-line no-control-regex -- these are control characters
const SEQUENCES = /\u001b\[[0-9;:]*m|\u001b\]8;[^\u001b\u0007]*(?:\u001b\\|\u0007)|[\u000e\u000f]/g;

/** A line without colours. */
export function plainLine(line: string): string {
  return line.replaceAll(SEQUENCES, '');
}

/** The part of a picture that was asked for. Fails with NOT_FOUND where it has no such window. */
export function captureOf(
  picture: ContainerPicture,
  options: { historyLines: number; ansi: boolean; window?: string },
): TerminalCapture {
  const name = options.window ?? 'main';
  const whole = picture.get(name);
  if (whole === undefined) throw new AppError('NOT_FOUND', `The agent has no window "${name}"`, { data: { window: name } });
  const history = Math.max(0, whole.lines.length - whole.size.rows);
  const lines = whole.lines.slice(Math.max(0, history - Math.max(0, Math.trunc(options.historyLines))));
  return { lines: options.ansi ? lines : lines.map(plainLine), size: whole.size, cursor: whole.cursor };
}
