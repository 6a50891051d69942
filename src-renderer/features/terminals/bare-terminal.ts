/**
 * An xterm with the looks of this window, drawn into an element of its own. Making one, and measuring its characters when it first
 * draws them, takes tens of milliseconds, which who opens a terminal would wait for: one is made ahead, when nothing else happens.
 */
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { Terminal } from '@xterm/xterm';
import { MAX_HISTORY_LINES } from '#shared/terminals/frames.ts';
import { xtermTheme } from './xterm-theme.ts';

/** One xterm. Whoever takes it owns both. */
export interface BareTerminal {
  readonly terminal: Terminal;
  /** What it is drawn in; may be moved. */
  readonly holder: HTMLElement;
}

/** The printable characters of ASCII, as they are and bold: what is drawn most. */
const USUAL_TEXT = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
const WARM_UP = `${USUAL_TEXT}\r\n\u001b[1m${USUAL_TEXT}\u001b[0m`;
/** Within sight, or xterm would not draw it; of no size, and nothing to anybody. */
const OUT_OF_THE_WAY = 'font-code fixed right-0 bottom-0 size-px overflow-hidden opacity-0 pointer-events-none';

interface Spare extends BareTerminal {
  readonly place: HTMLElement;
  readonly theme: string;
  /** What it drew to measure characters is drawn. */
  isWarm: boolean;
}

let spare: Spare | undefined;
let isComing = false;

function make(box: HTMLElement, fontSize: number): BareTerminal {
  const holder = box.ownerDocument.createElement('div');
  box.append(holder);
  const terminal = new Terminal({
    allowProposedApi: true,
    disableStdin: true,
    cursorInactiveStyle: 'outline',
    scrollback: MAX_HISTORY_LINES,
    fontFamily: getComputedStyle(box).fontFamily,
    fontSize,
    lineHeight: 1.08,
    fontWeight: 400,
    fontWeightBold: 700,
    letterSpacing: 0,
    minimumContrastRatio: 4.5,
    theme: xtermTheme(box),
  });
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  terminal.open(holder);
  return { terminal, holder };
}

/** An xterm in `box`: the one that was made ahead, if there is one. */
export function takeTerminal(box: HTMLElement, fontSize: number): BareTerminal {
  const found = spare;
  spare = undefined;
  if (found === undefined) return make(box, fontSize);
  const { terminal, holder, place } = found;
  box.append(holder);
  place.remove();
  if (!found.isWarm) terminal.reset();
  terminal.options.fontSize = fontSize;
  const theme = xtermTheme(box);
  // Each change draws everything anew, also one to the same.
  if (JSON.stringify(theme) !== found.theme) terminal.options.theme = theme;
  return { terminal, holder };
}

/** Makes one ahead for the next, with text of this size, as soon as the page has nothing else to do. */
export function keepSpare(fontSize: number): void {
  if (isComing || spare !== undefined) return;
  isComing = true;
  requestIdleCallback(() => {
    isComing = false;
    if (spare !== undefined) return;
    const place = document.createElement('div');
    place.className = OUT_OF_THE_WAY;
    place.ariaHidden = 'true';
    place.inert = true;
    document.body.append(place);
    const made: Spare = { ...make(place, fontSize), place, theme: JSON.stringify(xtermTheme(place)), isWarm: false };
    spare = made;
    const drawn = made.terminal.onRender(() => {
      drawn.dispose();
      if (spare !== made) return;
      made.terminal.reset();
      made.isWarm = true;
    });
    made.terminal.write(WARM_UP);
  });
}
