/** What a page asks of one terminal, and what it hears. src-renderer/connection/terminal-link.ts does it. */
import type { AgentId } from '#shared/kernel/ids.ts';
import type { ControlPayload, TilePayload } from '#shared/terminals/frames.ts';

/** Columns and rows of a terminal. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** Why a view ended, or why something was refused: what happened and what to do. */
export interface ViewReason {
  readonly code: string;
  readonly message: string;
}

/** What a view receives. */
export interface ViewListener {
  /** The view stands, with a terminal of this size; everything drawn before belongs to an earlier view. */
  onOpened(size: TerminalSize): void;
  /** Terminal output. `drawn` is to be called once it is on the screen: more comes only then. */
  onBytes(bytes: Uint8Array, drawn: () => void): void;
  /** Who has control and how many look: after `onOpened`, and at every change. */
  onControl(control: ControlPayload): void;
  /** The terminal has another size from here on: all who look at it share one. */
  onResized(size: TerminalSize): void;
  /** Something that was typed or asked for was refused; the view goes on. */
  onRefused(reason: ViewReason): void;
  /** The core ended the view, or did not open it. It is not opened again. */
  onEnd(reason: ViewReason): void;
  /** The pipe was lost; the view is opened again when it is back. */
  onLost(): void;
}

/** One terminal on the screen. */
export interface TerminalView {
  /** Types text or bytes, as xterm hands them over. Refused (`onRefused`, CONFLICT) without control. */
  input(text: string): void;
  resize(size: TerminalSize): void;
  /**
   * Asks for control. `onControl` tells when it is there; `onRefused` (CONFLICT) who else has it. `force` takes it from them.
   * A view that has it takes it again by itself after the pipe was lost, unless somebody else has taken it meanwhile.
   */
  take(force?: boolean): void;
  /** Gives control back. Closing the view does, too. */
  release(): void;
  /**
   * Asks for what stands above the screen now, at most `lines` lines. It comes as one piece of `onBytes` that replaces all that
   * the terminal holds, its scrollback included. `drawn` is called when that is on the screen: the place to scroll back to
   * where the reader was. Never called when the view ends or is lost first; a second call before that replaces the first.
   */
  history(lines: number, drawn: () => void): void;
  close(): void;
}

/** What a tile is told. */
export interface TileListener {
  /** The last lines of the screen, at once and whenever they changed. */
  onTile(tile: TilePayload): void;
  /** Nothing more comes: the agent ended, or there is no terminal to be shown. What was told last stays true. */
  onEnd(reason: ViewReason): void;
}

/** Which tile is wanted. */
export interface TileRequest {
  readonly agentId: AgentId;
  /** By default the main one. */
  readonly window?: string;
  /** The most lines, from the last one with content upwards: 2 to 300. 300 is the whole screen. */
  readonly rows: number;
}
