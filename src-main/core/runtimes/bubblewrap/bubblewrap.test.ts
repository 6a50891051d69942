import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Run, Runtime } from '../runtime.ts';
import { PtyRuntime } from '../pty/pty-runtime.ts';
import { TmuxRuntime } from '../tmux/tmux-runtime.ts';
import { removeFolder, scratchFolder, waitForScreen } from '../testing/support.ts';
import type { BoxFacts } from './testing/bench.ts';
import { boxedSpec } from './testing/bench.ts';

/** Ends the tmux server in a folder. */
const killServer = (socketDir: string): Promise<void> =>
  new Promise((resolve) => {
    execFile('tmux', ['-S', join(socketDir, 'tmux.sock'), 'kill-server'], () => resolve());
  });

let folder: string;
let facts: BoxFacts;
let runtime: Runtime;
const runs: Run[] = [];

describe.each(['pty', 'tmux'] as const)('an agent in bubblewrap over %s', (kind) => {
  beforeEach(() => {
    folder = scratchFolder();
    facts = { checks: [], tookMs: 0 };
    const socketDir = join(folder, 'own');
    runtime =
      kind === 'pty'
        ? new PtyRuntime({ log: () => undefined, socketDir })
        : new TmuxRuntime({ log: () => undefined, socketDir, instanceId: 'test' });
  });
  afterEach(async () => {
    await Promise.all(runs.splice(0).map((run) => run.stop(0)));
    await runtime.close();
    if (kind === 'tmux') await killServer(join(folder, 'own'));
    removeFolder(folder);
  });

  const launch = async (script: string, changes: Parameters<typeof boxedSpec>[3] = {}): Promise<Run> => {
    const run = await runtime.launch(boxedSpec(folder, ['/bin/sh', '-c', script], facts, changes));
    runs.push(run);
    return run;
  };

  it('shows that its boundary holds, runs, and ends with its code', async () => {
    const run = await launch('echo in the box; pwd; id -u; while [ ! -e go ]; do sleep 0.01; done; exit 42');
    expect(facts.checks.filter(({ outcome }) => outcome !== 'held')).toEqual([]);
    await waitForScreen(run, '/workspace');
    writeFileSync(join(folder, 'go'), '');
    expect(await run.ended).toEqual({ kind: 'exited', exit: { code: 42 } });
  });

  it('ends by the signal that its program ended by, and passes on what it is asked', async () => {
    const crash = await launch('kill -SEGV $$');
    expect(await crash.ended).toEqual({ kind: 'exited', exit: { signal: 'SIGSEGV' } });
    await crash.discard();
    const run = await launch(`trap 'exit 7' TERM; echo up; while :; do sleep 0.02; done`);
    await waitForScreen(run, 'up');
    expect(await run.stop(10_000)).toEqual({ kind: 'exited', exit: { code: 7 } });
  });
});
