/** Tells the core what the worker is at: at once when that changes, and not more often than twice a second. */
import { CallError } from './agent-interface.ts';
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

/** Least time before one that did not get through is told again, in milliseconds. */
const RETRY_MS = 2_000;

/** Sends the newest status: those that are overtaken are left out, the last one gets through in the end. */
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
      let intervalMs = MIN_INTERVAL_MS;
      try {
        await this.#door.reportStatus(status, this.#signal);
        this.#sentText = text;
      } catch (error) {
        // Refused: the same again would be, too. Away: unless there is news by then, it is still to be told.
        if (!(error instanceof CallError) || error.kind === 'away') {
          this.#wanted ??= status;
          intervalMs = RETRY_MS;
        }
      }
      const restMs = intervalMs - (performance.now() - sentAt);
      if (restMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, restMs).unref());
    }
    this.#isRunning = false;
  }
}
