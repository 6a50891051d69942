/** Copies out of a terminal. */
import type { Terminal } from '@xterm/xterm';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';

/** Copies what is selected, if anything is. A browser that refuses leaves the selection, to be copied by its own ways. */
export function copySelection(terminal: Terminal, onCopied: () => void): void {
  const text = terminal.getSelection();
  if (text === '') return;
  navigator.clipboard.writeText(text).then(onCopied, () => undefined);
}

/** Copies what is selected in `holder` with the pointer when the pointer is let go. */
export function copyOnSelect(terminal: Terminal, holder: HTMLElement, onCopied: () => void): Disposable {
  let isPressed = false;
  const onDown = (): void => {
    isPressed = true;
  };
  const onUp = (): void => {
    if (!isPressed) return;
    isPressed = false;
    // xterm hears of the same event, and may do so later.
    setTimeout(() => copySelection(terminal, onCopied));
  };
  holder.addEventListener('pointerdown', onDown, { capture: true });
  document.addEventListener('mouseup', onUp);
  return toDisposable(() => {
    holder.removeEventListener('pointerdown', onDown, { capture: true });
    document.removeEventListener('mouseup', onUp);
  });
}
