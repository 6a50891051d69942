/**
 * The worker in a person's hand: Ctrl C in its terminal interrupts what it does, Enter lets it go on, Ctrl C again ends it.
 * Without a terminal SIGINT ends it at once, as it does any program.
 */
import type { TerminalView } from './terminal-view.ts';
import type { Worker } from './worker.ts';

/** With nothing to interrupt, a second Ctrl C within this time ends the worker, in milliseconds. */
const AGAIN_MS = 3_000;

/** What a hand does. */
export interface Keyboard {
  /** Whether there is a terminal at all. */
  readonly isTerminal: boolean;
  /** SIGINT: Ctrl C in a terminal. */
  onInterrupt(listener: () => void): void;
  onText(listener: (text: string) => void): void;
}

/** The keyboard of this process. */
export function ownKeyboard(): Keyboard {
  return {
    isTerminal: process.stdin.isTTY === true,
    onInterrupt: (listener) => void process.on('SIGINT', listener),
    onText: (listener) => {
      // The terminal may go before the worker does.
      process.stdin.on('error', () => undefined);
      process.stdin.on('data', (chunk: Buffer) => listener(chunk.toString()));
    },
  };
}

/** What a hand reaches. */
interface InHand {
  readonly worker: Pick<Worker, 'hold' | 'goOn' | 'isHeld'>;
  readonly view: Pick<TerminalView, 'line'>;
  readonly keyboard: Keyboard;
  readonly end: () => void;
  readonly now?: () => number;
}

/** Listens from now on. */
export function listenToHand({ worker, view, keyboard, end, now = Date.now }: InHand): void {
  let askedAt = Number.NEGATIVE_INFINITY;
  keyboard.onInterrupt(() => {
    if (!keyboard.isTerminal || worker.isHeld || now() - askedAt < AGAIN_MS) {
      end();
      return;
    }
    if (worker.hold()) {
      view.line('away', 'interrupted by hand: Enter goes on where it was, Ctrl C again ends this worker');
      return;
    }
    askedAt = now();
    view.line('info', 'nothing to interrupt: Ctrl C again ends this worker');
  });
  if (!keyboard.isTerminal) return;
  keyboard.onText((text) => {
    if (!worker.isHeld || !text.includes('\n')) return;
    view.line('back', 'goes on');
    worker.goOn();
  });
}
