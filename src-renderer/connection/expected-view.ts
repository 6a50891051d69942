/** A view of a terminal that was asked for before the page that shows it was made: it comes while the page does. */
import type { AgentId } from '#shared/kernel/ids.ts';
import type { ControlPayload, OpenPayload } from '#shared/terminals/frames.ts';
import type { TerminalSize, TerminalView, ViewListener, ViewReason } from './terminal-view.ts';

/** Keeps what a view hears until somebody listens, then hands it over in order. */
export class EarlyListener implements ViewListener {
  #listener: ViewListener | undefined;
  #calls: ((listener: ViewListener) => void)[] | undefined = [];

  /** Lets `listener` hear everything, soon and from then on. */
  handOver(listener: ViewListener): void {
    this.#listener = listener;
    // Not at once: who opens a view does not expect to hear from it before it has it.
    queueMicrotask(() => {
      const calls = this.#calls ?? [];
      this.#calls = undefined;
      for (const call of calls) call(listener);
    });
  }

  onOpened(size: TerminalSize): void {
    this.#tell((listener) => listener.onOpened(size));
  }

  onBytes(bytes: Uint8Array, drawn: () => void): void {
    this.#tell((listener) => listener.onBytes(bytes, drawn));
  }

  onControl(control: ControlPayload): void {
    this.#tell((listener) => listener.onControl(control));
  }

  onResized(size: TerminalSize): void {
    this.#tell((listener) => listener.onResized(size));
  }

  onRefused(reason: ViewReason): void {
    this.#tell((listener) => listener.onRefused(reason));
  }

  onEnd(reason: ViewReason): void {
    this.#tell((listener) => listener.onEnd(reason));
  }

  onLost(): void {
    this.#tell((listener) => listener.onLost());
  }

  #tell(call: (listener: ViewListener) => void): void {
    if (this.#calls) this.#calls.push(call);
    else if (this.#listener) call(this.#listener);
  }
}

/** A view that waits for its page. */
export interface ExpectedView {
  readonly agentId: AgentId;
  /** What it was opened with. A page that has another size changes it here, for when the pipe is lost. */
  readonly open: OpenPayload;
  readonly early: EarlyListener;
  readonly view: TerminalView;
  /** Ends the waiting. */
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Whether a page that asks for `open` is the one that was expected. */
export function isExpected({ open: expected }: ExpectedView, open: OpenPayload): boolean {
  return (
    expected.agentId === open.agentId &&
    (expected.window ?? 'main') === (open.window ?? 'main') &&
    expected.historyLines === open.historyLines &&
    (open.control ?? 'watch') === 'watch'
  );
}
