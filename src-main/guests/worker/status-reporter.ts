/** Tells the core what the worker is at: at once when that changes, and not more often than twice a second. */
import type { AgentInterface } from './agent-interface.ts';

/** Least time between two reports, in milliseconds. */
const MIN_INTERVAL_MS = 500;

/** What is told. */
export interface Status {
  /** At most 200 characters. */
  readonly doing: string;
  /** 0 to 1. */
  readonly progress?: number;
}

/** Sends the newest status; those that are overtaken are left out, and failures are passed over: the next one tells it again. */
export class StatusReporter {
  readonly #door: Pick<AgentInterface, 'reportStatus'>;
  readonly #signal: AbortSignal;
  #wanted: Status | undefined;
  #sentText = '';
  #isRunning = false;

  constructor(door: Pick<AgentInterface, 'reportStatus'>, signal: AbortSignal) {
    this.#door = door;
    this.#signal = signal;
  }

  /** Asks for this to be told. */
  update(status: Status): void {
    this.#wanted = status;
    if (this.#isRunning) return;
    this.#isRunning = true;
    // It does not fail: whatever a report meets is passed over.
    this.#run().catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (this.#wanted !== undefined && !this.#signal.aborted) {
      const status = this.#wanted;
      this.#wanted = undefined;
      const text = JSON.stringify(status);
      if (text === this.#sentText) continue;
      const sentAt = performance.now();
      try {
        await this.#door.reportStatus(status, this.#signal);
        this.#sentText = text;
      } catch {
        // Away or refused: nothing depends on it.
      }
      const restMs = MIN_INTERVAL_MS - (performance.now() - sentAt);
      if (restMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, restMs).unref());
    }
    this.#isRunning = false;
  }
}
