/** Agents on pseudoterminals in the core's own process: the last resort, where there is no tmux. They end with the core. */
import type { AgentId } from '#shared/kernel/ids.ts';
import type { RuntimeAvailability } from '#shared/runtimes/model.ts';
import { checkLaunch, refuseBox } from '../launch-check.ts';
import type { LaunchSpec, Run, Runtime } from '../runtime.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { PtyRun } from './pty-run.ts';

/** How the runtime is set up. */
export interface PtyRuntimeOptions {
  readonly log: RuntimeLog;
  /** How long agents get to end in good order when the core closes, in milliseconds. */
  readonly closeGraceMs?: number;
}

const CLOSE_GRACE_MS = 2000;

/** Agents on pseudoterminals. */
export class PtyRuntime implements Runtime {
  readonly kind = 'pty';
  readonly isAdoptable = false;
  readonly #options: PtyRuntimeOptions;
  readonly #runs = new Set<PtyRun>();

  constructor(options: PtyRuntimeOptions) {
    this.#options = options;
  }

  /** Always there: the native part comes with the app, and `import` would have failed without it. */
  probe(): Promise<RuntimeAvailability> {
    return Promise.resolve({ kind: 'pty', isAvailable: true });
  }

  async launch(spec: LaunchSpec): Promise<Run> {
    refuseBox(spec, 'a pseudoterminal');
    const path = await checkLaunch(spec);
    const run = new PtyRun(spec, path, { log: this.#options.log, onGone: (gone) => this.#runs.delete(gone) });
    this.#runs.add(run);
    return run;
  }

  /** No agent outlives the core here. */
  adopt(_known: ReadonlySet<AgentId>): Promise<readonly Run[]> {
    return Promise.resolve([]);
  }

  /** Ends all agents: without the core they would lose their terminal. */
  async close(): Promise<void> {
    await Promise.all([...this.#runs].map((run) => run.stop(this.#options.closeGraceMs ?? CLOSE_GRACE_MS)));
  }
}
