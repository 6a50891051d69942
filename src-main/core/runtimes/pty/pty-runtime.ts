/** Agents on pseudoterminals in the core's own process: the last resort, where there is no tmux. They end with the core. */
import type { AgentId } from '#shared/kernel/ids.ts';
import type { RuntimeAvailability } from '#shared/runtimes/model.ts';
import { BOX_LAST_WORDS_MS, boxPidBehind, openBubblewrap } from '../bubblewrap/bubblewrap.ts';
import { checkLaunch, refuseBox } from '../launch-check.ts';
import type { HostLimits } from '../limits/host-limits.ts';
import { NO_LIMITS } from '../limits/run-limits.ts';
import type { BoxSpec, LaunchSpec, Run, Runtime } from '../runtime.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { PtyRun } from './pty-run.ts';

/** How the runtime is set up. */
export interface PtyRuntimeOptions {
  readonly log: RuntimeLog;
  /** Holds agents to their limits; without it nothing does. */
  readonly limits?: HostLimits;
  /** How long agents get to end in good order when the core closes, in milliseconds. */
  readonly closeGraceMs?: number;
  /** A folder of our own, 0700, for what bubblewrap needs; without one no agent is put into it. */
  readonly socketDir?: string;
  /** Node for what runs in bubblewrap; by default the one this runs on. */
  readonly node?: string;
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
    if (spec.box !== undefined) return this.#launchInBox(spec, spec.box);
    const path = await checkLaunch(spec);
    return this.#start(spec, path);
  }

  async #launchInBox(spec: LaunchSpec, boxSpec: BoxSpec): Promise<Run> {
    const { socketDir, node } = this.#options;
    if (socketDir === undefined) refuseBox(spec, 'a pseudoterminal without a folder for it');
    const box = await openBubblewrap(spec, boxSpec, { folder: socketDir ?? '', node });
    try {
      const run = await this.#start({ ...spec, argv: [box.path, ...box.args], cwd: box.cwd, env: box.env }, box.path);
      // A box that ended without a word has nobody at the desk any more. What it said is read before.
      let lastWords: NodeJS.Timeout | undefined;
      run.ended.then(
        () => {
          lastWords = setTimeout(() => box.dispose(), BOX_LAST_WORDS_MS);
        },
        () => undefined,
      );
      try {
        await box.admit(run.pid, run.limits.mechanism);
      } catch (error) {
        await run.stop(0);
        await run.discard();
        throw error;
      } finally {
        clearTimeout(lastWords);
      }
      run.watch(boxPidBehind(run.pid));
      return run;
    } finally {
      box.dispose();
    }
  }

  async #start(spec: LaunchSpec, path: string): Promise<PtyRun> {
    const limits = (await this.#options.limits?.open(spec, { isShortLived: true })) ?? NO_LIMITS;
    const run = new PtyRun(spec, path, { log: this.#options.log, onGone: (gone) => this.#runs.delete(gone), limits });
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
