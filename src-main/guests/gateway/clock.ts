/** Time, given from outside so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs it once after so many milliseconds, unless what is returned was called before. Keeps no process alive. */
  after(ms: number, run: () => void): () => void;
}

/** The machine's own time. */
export const MACHINE_CLOCK: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
