/** What somebody who watches a terminal may do to it, and in which order what they do takes effect. */
import { refusalFor } from '#shared/auth/authorise.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { ProcedureMeta } from '#shared/kernel/procedure.ts';
import { terminalsContract } from '#shared/terminals/contract.ts';
import type { ControlPayload } from '#shared/terminals/frames.ts';
import type { Caller } from '#core/caller.ts';
import type { TerminalSize } from '#core/runtimes/runtime.ts';
import type { ControlSeat, LeaveReason, Place } from './control-leases.ts';
import type { HubSeat, TerminalHub } from './terminal-hub.ts';
import type { ViewSink } from './view-ports.ts';
import type { TileSink } from './tile-feed.ts';
import type { TypingLog } from './typing-log.ts';

/** Where all that a viewer gets goes. */
export interface ViewerSink extends ViewSink, TileSink {
  control(control: ControlPayload): void;
  /** Something that was asked for was refused. */
  refused(error: unknown): void;
}

/** Somebody who watches a terminal. */
export interface Viewer {
  /** See `TerminalView.acknowledge`. */
  acknowledge(bytes: number): void;
  /** See `TerminalView.recheck`. */
  recheck(): void;
  /** Types bytes, in order. FORBIDDEN, CONFLICT (without control), also by a rejection when the journal had to be written first. */
  type(bytes: Uint8Array): Promise<void> | undefined;
  /** The viewer's size has changed. FORBIDDEN. */
  resize(size: TerminalSize): void;
  /** See `ControlSeat.take`. FORBIDDEN. */
  take(isForced: boolean): Promise<void>;
  /** Gives control back. */
  release(): void;
  /** See `TerminalView.restore`. */
  restore(lines: number): void;
  /** Ends it: the viewer or the agent has, or the connection was lost. */
  leave(reason: LeaveReason): void;
}

const TYPE = terminalsContract.write['~orpc'].meta;
/** Who may change the size of a terminal. */
export const RESIZE = terminalsContract.resize['~orpc'].meta;

/** Refuses (FORBIDDEN) a caller whose role does not allow it; `what` begins the sentence that says so. */
export function demand(caller: Caller, meta: ProcedureMeta, what: string): void {
  const refusal = refusalFor(caller.role, meta);
  if (refusal) throw new AppError('FORBIDDEN', `${what} ${refusal.reason}.`, { data: { role: caller.role } });
}

/** What nothing comes of where nobody can do anything. */
export const INERT = { resize: () => undefined, release: () => undefined, restore: () => undefined };

/** What a viewer of a running terminal is made of. */
export interface LiveViewerParts {
  readonly hub: TerminalHub;
  readonly seat: HubSeat;
  readonly control: ControlSeat;
  readonly place: Place;
  readonly caller: Caller;
  readonly typing: TypingLog;
  /** Called before anything is typed. */
  readonly onTyped: () => void;
  /** Called once, when the viewer leaves. */
  readonly leave: (reason: LeaveReason) => void;
}

/** A viewer of a running terminal. Nothing is typed before the journal says that somebody types. */
export function liveViewer({ hub, seat, control, place, caller, typing, onTyped, leave }: LiveViewerParts): Viewer {
  let hasLeft = false;
  /** What has to be in the journal before anything more is typed. */
  let turn: Promise<void> | undefined;
  const afterJournal = <T>(work: Promise<T>, then: () => void): Promise<void> => {
    const mine: Promise<void> = Promise.all([turn, work])
      .then(then)
      .finally(() => {
        if (turn === mine) turn = undefined;
      });
    turn = mine;
    return mine;
  };
  return {
    acknowledge: (bytes) => seat.view.acknowledge(bytes),
    recheck: () => seat.view.recheck(),
    type: (bytes) => {
      demand(caller, TYPE, 'Typing into a terminal');
      control.demand();
      onTyped();
      const noted = typing.note(place, caller);
      if (noted === undefined && turn === undefined) {
        hub.type(bytes);
        return undefined;
      }
      return afterJournal(Promise.resolve(noted), () => {
        // It may have been taken away meanwhile.
        control.demand();
        hub.type(bytes);
      });
    },
    resize: (size) => {
      demand(caller, RESIZE, 'Changing the size of a terminal');
      seat.wish = size;
      if (!control.isSubject) seat.applySize();
    },
    take: async (isForced) => {
      demand(caller, TYPE, 'Taking control of a terminal');
      const taken = control.take(isForced);
      if (control.hasControl) seat.applySize();
      await afterJournal(taken, () => undefined);
    },
    release: () => control.release(),
    restore: (lines) => seat.view.restore(lines),
    leave: (reason) => {
      if (hasLeft) return;
      hasLeft = true;
      leave(reason);
    },
  };
}
