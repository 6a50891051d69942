/** One xterm on the page, fed by one view of one window of an agent's terminal. Owns both; `dispose` ends both. */
import type { Terminal } from '@xterm/xterm';
import type { StoreApi } from 'zustand/vanilla';
import { createStore } from 'zustand/vanilla';
import type { TerminalLink } from '#renderer/connection/terminal-link.ts';
import type { TerminalSize, TerminalView } from '#renderer/connection/terminal-view.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { DisposableStack, toDisposable } from '#shared/kernel/disposable.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { MAX_HISTORY_LINES } from '#shared/terminals/frames.ts';
import type { ControlPayload } from '#shared/terminals/frames.ts';
import { keepSpare, takeTerminal } from './bare-terminal.ts';
import { isSole, isTakenAway } from './control-words.ts';
import { copyOnSelect, copySelection } from './copy-on-select.ts';
import type { Pixels } from './fit-size.ts';
import { fittingSize, isWhole, shrunkPx, smallerPx } from './fit-size.ts';
import { ScrollPlace } from './scroll-place.ts';
import type { SearchDirection, SearchWish } from './screen-search.ts';
import { SCROLL_BAR_PX, ScreenSearch } from './screen-search.ts';
import type { ScreenAsks, ScreenState } from './screen-state.ts';
import { hasKeyboard, OPENING } from './screen-state.ts';
import type { KeyUse } from './terminal-keys.ts';
import { keyUse } from './terminal-keys.ts';
import { followLinks } from './terminal-links.ts';
import { drawFastOnFocus } from './terminal-renderer.ts';
import { onThemeChange, xtermTheme } from './xterm-theme.ts';

/** A resize is passed on once the box has rested for so long, in milliseconds: each one redraws the agent's screen. */
const RESIZE_REST_MS = 120;
/** Of a terminal whose box could not be measured. */
const USUAL_SIZE: TerminalSize = { cols: 80, rows: 24 };
/** Of a terminal that has the size of another viewer's box. */
const FOREIGN_EDGE = 'border-r border-b border-dashed border-hair-strong';

interface ScreenOptions {
  readonly box: HTMLElement;
  readonly link: TerminalLink;
  readonly agentId: AgentId;
  readonly window: string;
  /** Pixels. */
  readonly fontSize: number;
  readonly isForScreenReader: boolean;
  /** Takes control at once if nobody else has it. */
  readonly takesControl: boolean;
  readonly asks: ScreenAsks;
}

/** A terminal on the page. */
export class TerminalScreen implements Disposable {
  readonly state: StoreApi<ScreenState> = createStore(() => OPENING);
  readonly #terminal: Terminal;
  readonly #search: ScreenSearch;
  readonly #owned = new DisposableStack();
  readonly #view: TerminalView;
  readonly #box: HTMLElement;
  readonly #holder: HTMLElement;
  readonly #asks: ScreenAsks;
  readonly #place: ScrollPlace;
  #fontSize: number;
  /** What is searched for; undefined or empty while nothing is. */
  #wish: SearchWish | undefined;

  constructor({ box, link, agentId, window, fontSize, isForScreenReader, takesControl, asks }: ScreenOptions) {
    this.#box = box;
    this.#asks = asks;
    this.#fontSize = fontSize;
    const { terminal, holder } = takeTerminal(box, fontSize);
    this.#holder = holder;
    this.#owned.add(
      toDisposable(() => {
        holder.remove();
        keepSpare(this.#fontSize);
      }),
    );
    this.#terminal = this.#owned.add(terminal);
    terminal.options.screenReaderMode = isForScreenReader;
    this.#search = this.#owned.add(new ScreenSearch(terminal, box, (search) => this.#set({ search })));
    followLinks(terminal, (address) => this.#set({ link: address }));
    terminal.textarea?.setAttribute('aria-label', `Terminal of ${agentId}`);
    this.#owned.add(drawFastOnFocus(terminal));
    terminal.attachCustomKeyEventHandler((event) => this.#onKey(event));
    const onTheme = (): void => {
      terminal.options.theme = xtermTheme(box);
      this.#search.markAnew();
    };
    this.#owned.add(toDisposable(onThemeChange(onTheme)));
    this.#layOut();
    this.#place = this.#owned.add(
      new ScrollPlace({
        terminal,
        holder: this.#holder,
        fetchHistory: (drawn) => this.#view.history(MAX_HISTORY_LINES, drawn),
        onNewLines: (newLines) => {
          if (newLines !== this.state.getState().newLines) this.#set({ newLines });
        },
      }),
    );

    this.#view = link.open(
      {
        agentId,
        window,
        ...(this.state.getState().fitting ?? USUAL_SIZE),
        historyLines: MAX_HISTORY_LINES,
        control: takesControl ? 'take' : 'watch',
      },
      {
        onOpened: (size) => {
          terminal.reset();
          this.#place.reset();
          this.#set({ kind: 'live', end: undefined, refusal: undefined, control: undefined });
          this.#takeSize(size);
        },
        onBytes: (bytes, drawn) => {
          this.#place.printed();
          terminal.write(bytes, drawn);
        },
        onControl: (control) => this.#takeControl(control),
        onResized: (size) => this.#takeSize(size),
        onRefused: (refusal) => this.#set({ refusal }),
        onEnd: (end) => {
          this.#set({ kind: 'ended', end, control: undefined });
          this.#followControl();
          // Nothing stands there any more to be typed at.
          terminal.options.cursorInactiveStyle = 'none';
          terminal.write('\u001b[?25l');
          this.#layOut();
        },
        onLost: () => {
          this.#set({ kind: 'lost', control: undefined, takenBy: undefined, refusal: undefined });
          this.#followControl();
        },
      },
    );
    this.#owned.add(toDisposable(() => this.#view.close()));
    this.#owned.add(
      terminal.onData((data) => {
        if (hasKeyboard(this.state.getState())) this.#view.input(data);
      }),
    );
    this.#owned.add(copyOnSelect(terminal, this.#holder, () => this.#countCopy()));
    this.#watchSize();
  }

  /** Asks for the keyboard; `isForced` takes it from whoever has it. */
  take(isForced: boolean): void {
    this.#set({ refusal: undefined, takenBy: undefined });
    this.#view.take(isForced);
    this.#terminal.focus();
  }

  /** Gives the keyboard back. */
  release(): void {
    this.#view.release();
  }

  /** Puts the keyboard's focus into the terminal, to scroll and select. */
  focus(): void {
    this.#terminal.focus();
  }

  /** Sets the size of text, in pixels. */
  setFontSize(px: number): void {
    if (px === this.#fontSize) return;
    this.#fontSize = px;
    this.#refit();
  }

  /** Whether a screen reader is told what the terminal prints. */
  setForScreenReader(isOn: boolean): void {
    this.#terminal.options.screenReaderMode = isOn;
  }

  /** Makes the terminal as large as this box, for all who look at it. */
  fit(): void {
    const { fitting } = this.state.getState();
    if (fitting) this.#view.resize(fitting);
  }

  /** Looks for a text in all that tmux keeps. An empty text ends the search. */
  search(wish: SearchWish, direction: SearchDirection): void {
    this.#wish = wish;
    if (wish.text === '') {
      this.#search.end();
      return;
    }
    this.#place.withHistory(() => {
      // More may have been written while history came.
      if (this.#wish?.text) this.#search.find(this.#wish, direction);
    });
  }

  /** Takes the marks of a search away. */
  endSearch(): void {
    this.#wish = undefined;
    this.#search.end();
  }

  /** Goes to what came last. */
  scrollToEnd(): void {
    this.#terminal.scrollToBottom();
    this.#place.moved();
  }

  /** The text of the whole buffer, history included; for tests. */
  text(): string {
    const buffer = this.#terminal.buffer.active;
    return Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? '').join('\n');
  }

  /** The lines that are on the screen now; for tests. */
  shown(): string {
    const { active } = this.#terminal.buffer;
    return Array.from(
      { length: this.#terminal.rows },
      (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '',
    ).join('\n');
  }

  dispose(): void {
    this.#owned.dispose();
  }

  #set(changes: Partial<ScreenState>): void {
    this.state.setState(changes);
  }

  #takeControl(control: ControlPayload): void {
    const before = this.state.getState();
    const isTaken = isTakenAway(before.control, control);
    const isStillTheirs = control.holder !== null && !control.holder.isYou;
    this.#set({
      control,
      refusal: undefined,
      takenBy: isTaken && control.holder !== null ? control.holder : isStillTheirs ? before.takenBy : undefined,
    });
    this.#followControl();
    // Who looks alone, or has the keyboard, decides the size from then on: also after a reload, when the view of the page
    // before is counted for a moment longer.
    const isLeftAlone = isSole(control) && (before.control === undefined || !isSole(before.control));
    const isGained = before.control?.holder?.isYou !== true && control.holder?.isYou === true;
    if ((isLeftAlone || isGained) && !this.#isFitting()) this.fit();
  }

  /** xterm takes keys only while they go somewhere. */
  #followControl(): void {
    const isTyping = hasKeyboard(this.state.getState());
    // The cursor does not blink: with an animation on the page the browser draws a frame after each key before it lets the
    // echo in, which is then a frame later on the screen (measured: 34 ms against 10).
    this.#terminal.options.disableStdin = !isTyping;
  }

  #onKey(event: KeyboardEvent): boolean {
    const use = keyUse(event, hasKeyboard(this.state.getState()));
    if (use === 'agent') return true;
    if (use === 'page') return false;
    // Nothing else may take it for a command of the page.
    event.preventDefault();
    event.stopPropagation();
    if (event.type === 'keydown') this.#act(use);
    return false;
  }

  #act(use: Exclude<KeyUse, 'agent' | 'page'>): void {
    const terminal = this.#terminal;
    const acts: Readonly<Record<typeof use, () => void>> = {
      'toggle-control': () => this.#asks.onToggleControl(),
      search: () => this.#asks.onSearch(),
      copy: () => copySelection(terminal, () => this.#countCopy()),
      'zoom-in': () => this.#asks.onZoom(1),
      'zoom-out': () => this.#asks.onZoom(-1),
      'zoom-usual': () => this.#asks.onZoom(0),
      'page-up': () => this.#place.withHistory(() => terminal.scrollPages(-1)),
      'page-down': () => terminal.scrollPages(1),
      'line-up': () => this.#place.withHistory(() => terminal.scrollLines(-1)),
      'line-down': () => terminal.scrollLines(1),
      'to-start': () => this.#place.withHistory(() => terminal.scrollToTop()),
      'to-end': () => terminal.scrollToBottom(),
      stray: () => this.state.setState(({ strayKeys }) => ({ strayKeys: strayKeys + 1 })),
    };
    acts[use]();
    this.#place.moved();
  }

  #countCopy(): void {
    this.state.setState(({ copies }) => ({ copies: copies + 1 }));
  }

  /** The size of a cell with the text that is set now. */
  #cell(): Pixels {
    const drawn = this.#holder.querySelector('.xterm-screen')?.getBoundingClientRect();
    const { cols, rows } = this.#terminal;
    return { width: (drawn?.width ?? 0) / cols, height: (drawn?.height ?? 0) / rows };
  }

  #room(): Pixels {
    return { width: this.#box.clientWidth - SCROLL_BAR_PX, height: this.#box.clientHeight };
  }

  #isFitting(): boolean {
    const { size, fitting } = this.state.getState();
    return size === undefined || (size.cols === fitting?.cols && size.rows === fitting.rows);
  }

  /** The terminal has this size. It may be another viewer's: all share one. */
  #takeSize(size: TerminalSize): void {
    this.#terminal.resize(size.cols, size.rows);
    this.#set({ size });
    this.#layOut();
    this.#search.markAnew();
  }

  /** Shows the terminal whole: with text as it is set if it fits the box, else with smaller text. Sets what would fill the box. */
  #layOut(): void {
    const terminal = this.#terminal;
    const { size } = this.state.getState();
    const room = this.#room();
    // Not laid out, as while another screen is loaded in its place: nobody looks, so it keeps the size that it has.
    if (room.width <= 0 || room.height <= 0) return;
    terminal.options.fontSize = this.#fontSize;
    let cell = this.#cell();
    this.#set({ fitting: fittingSize(room, cell) });
    if (size === undefined) return;
    let px: number | undefined = isWhole(size, room, cell) ? this.#fontSize : shrunkPx(size, room, cell, this.#fontSize);
    while (px !== undefined && !isWhole(size, room, cell)) {
      terminal.options.fontSize = px;
      cell = this.#cell();
      px = smallerPx(px);
    }
    // What is left of the box belongs to no terminal: an edge says where it ends.
    const isForeign = this.state.getState().kind === 'live' && !this.#isFitting();
    this.#holder.className = isForeign ? FOREIGN_EDGE : '';
    const edge = isForeign ? 1 : 0;
    this.#holder.style.width = `${Math.ceil(size.cols * cell.width) + SCROLL_BAR_PX + edge}px`;
    this.#holder.style.height = `${Math.ceil(size.rows * cell.height) + edge}px`;
  }

  /** The box or the text has another size: the terminal follows, unless it has the size of another viewer. */
  #refit(): void {
    const before = this.state.getState();
    const isOurs = this.#isFitting();
    this.#layOut();
    const { fitting, control, kind } = this.state.getState();
    const hasChanged = fitting?.cols !== before.fitting?.cols || fitting?.rows !== before.fitting?.rows;
    if (kind !== 'live' || !hasChanged) return;
    if (isOurs || control?.holder?.isYou === true || (control?.holder === null && control.viewers === 1)) this.fit();
  }

  #watchSize(): void {
    let rest: ReturnType<typeof setTimeout> | undefined;
    const observer = new ResizeObserver(() => {
      clearTimeout(rest);
      rest = setTimeout(() => this.#refit(), RESIZE_REST_MS);
    });
    observer.observe(this.#box);
    this.#owned.add(
      toDisposable(() => {
        clearTimeout(rest);
        observer.disconnect();
      }),
    );
  }
}
