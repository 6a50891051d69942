/** Agents on this machine that take all they can get: what holds them is real, and the limits are small. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ResourceLimits } from '#shared/agents/model.ts';
import { isRunning, readProcess } from '../process-table.ts';
import { PtyRuntime } from '../pty/pty-runtime.ts';
import type { LaunchSpec, Run, Runtime } from '../runtime.ts';
import { agentId, launchSpec, removeFolder, scratchFolder, waitFor, waitForScreen } from '../testing/support.ts';
import { TmuxRuntime } from '../tmux/tmux-runtime.ts';
import { findBase } from './cgroups.ts';
import { HostLimits } from './host-limits.ts';

const LIMITS = ResourceLimits.parse({ memory: '64MB', cpu: '0.2', processes: 30, openFiles: 256 });
const notes: string[] = [];
const log = (message: string, facts?: Readonly<Record<string, unknown>>): void => {
  notes.push(`${message} ${JSON.stringify(facts ?? {})}`);
};
const instanceId = `hogs-${process.pid}`;
/** Whether this machine lets cgroups be made. Where not, agents are watched, and that is what the specs then show. */
const { mechanism } = await new HostLimits({ instanceId, log }).describe();
const base = await findBase();

/** Takes memory, a little more each time, and keeps it. */
const MEMORY_HOG =
  'const kept = []; setInterval(() => { if (kept.length < 4000) kept.push(Buffer.alloc(1 << 20, kept.length + 1)); }, 2)';
/** Starts a process that starts another and so on, at most 400 of them: without a limit the machine must live, too. */
const FORK_BOMB = 'i=0; while [ $i -lt 400 ]; do sleep 1000 & i=$((i+1)); echo $i > forks; done; while :; do sleep 1; done';

function cgroupOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
}

for (const kind of ['tmux', 'pty'] as const) {
  for (const forced of [undefined, 'watchdog'] as const) {
    const isHeld = forced === undefined && mechanism === 'cgroup';
    describe(`limits over ${kind}, ${forced === undefined ? `as this machine has it (${mechanism})` : 'watched'}`, () => {
      let folder: string;
      let limits: HostLimits;
      let runtime: Runtime;
      const runs: Run[] = [];

      const create = (): void => {
        limits = new HostLimits({ instanceId, log, ...(forced === undefined ? {} : { mechanism: forced }) });
        runtime =
          kind === 'tmux' ? new TmuxRuntime({ socketDir: folder, instanceId, log, limits }) : new PtyRuntime({ log, limits });
      };
      beforeEach(() => {
        folder = scratchFolder();
        create();
      });
      afterEach(async () => {
        await Promise.all(runs.splice(0).map((run) => run.stop(0)));
        await runtime.close();
        limits.dispose();
        if (existsSync(join(folder, 'tmux.sock')))
          execFileSync('tmux', ['-S', join(folder, 'tmux.sock'), 'kill-server'], { stdio: 'ignore' });
        removeFolder(folder);
        // Nothing that could not be made, ended or removed.
        expect(notes.splice(0)).toEqual([]);
      });

      const launch = async (argv: readonly string[], changes: Partial<LaunchSpec> = {}): Promise<Run> => {
        const run = await runtime.launch(launchSpec(argv, { cwd: folder, limits: LIMITS, ...changes }));
        runs.push(run);
        return run;
      };
      const read = (name: string): string =>
        existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim() : '';

      it('ends one that takes too much memory, and says so', async () => {
        const run = await launch([process.execPath, '-e', MEMORY_HOG]);
        const end = await run.ended;
        expect(end).toMatchObject({
          kind: 'exited',
          exit: { signal: 'SIGKILL' },
          cause: expect.stringMatching(/^out of memory: .*its limit is 64 ?MB/) as unknown,
        });
      });

      const verdict = isHeld ? /refused .* new process.*limit is 30/ : /^too many processes: .* its limit is 30/;
      it('holds a fork bomb, and the machine stays usable', async () => {
        const run = await launch(['/bin/sh', '-c', FORK_BOMB]);
        // A shell that cannot fork gives up; one that is only watched is ended.
        expect(await run.ended).toMatchObject({ kind: 'exited', cause: expect.stringMatching(verdict) as unknown });
        expect(Number(read('forks'))).toBeLessThan(isHeld ? 30 : 401);
        expect(execFileSync('echo', ['usable'], { encoding: 'utf8' })).toBe('usable\n');
      });

      it('lowers what each process may open', async () => {
        const run = await launch(['/bin/sh', '-c', 'echo soft $(ulimit -Sn) hard $(ulimit -Hn).; exec sleep 1000']);
        await waitForScreen(run, 'soft 256 hard 256.');
        expect(run.limits.mechanism).toBe(forced ?? mechanism);
      });

      if (!isHeld) return;

      it('gives a CPU hog its share and no more', async () => {
        const run = await launch(['/bin/sh', '-c', 'while :; do :; done']);
        const used = (): number => readProcess(run.pid)?.cpuMs ?? 0;
        await waitFor('some use of CPU', () => used() > 100);
        const [from, start] = [used(), performance.now()];
        await waitFor('half a second more of it', () => used() - from > 500, 30_000);
        // 0.2 of a processor takes 2500 ms for that; the kernel counts in rounds of 100 ms.
        expect(performance.now() - start).toBeGreaterThan(1800);
      });

      it('puts everything it starts into one cgroup, and removes it at the end', async () => {
        const run = await launch(['/bin/sh', '-c', 'setsid sleep 1000 & echo $! > child; wait']);
        const child = Number(await waitFor('the child', () => read('child') || undefined));
        const name = `/quarterdeck/${instanceId}/agent-1.run_1`;
        expect(cgroupOf(run.pid)).toContain(name);
        expect(cgroupOf(child)).toContain(name);
        const path = join(base?.pids ?? '', name + (kind === 'pty' ? '.pty' : ''));
        expect(readFileSync(join(path, 'pids.max'), 'utf8').trim()).toBe('30');
        await run.stop(0);
        await run.discard();
        expect(existsSync(path)).toBe(false);
        expect(isRunning(child)).toBe(false);
      });

      it('changes limits while it runs, and says what waits for the next start', async () => {
        const run = await launch(['sleep', '1000']);
        const path = join(
          base?.pids ?? '',
          'quarterdeck',
          instanceId,
          `agent-1.run_1${kind === 'pty' ? '.pty' : ''}`,
          'pids.max',
        );
        expect(await run.changeLimits({ ...LIMITS, processes: 50, memory: '128MB', cpu: '0.5' })).toMatchObject({ mechanism });
        expect(readFileSync(path, 'utf8').trim()).toBe('50');
        await expect(run.changeLimits({ ...LIMITS, processes: 40, openFiles: 1024 })).rejects.toThrow(
          /open files only from its next start/,
        );
        expect(readFileSync(path, 'utf8').trim()).toBe('40');
      });

      if (kind === 'pty') return;

      it('goes on holding a run that the next core adopts, and tells why it ended', async () => {
        const first = await launch([
          process.execPath,
          '-e',
          `require('fs').watch('.', () => { ${MEMORY_HOG} }); setInterval(() => {}, 1000); console.log('up')`,
        ]);
        await waitForScreen(first, 'up');
        runs.length = 0;
        await runtime.close();
        create();
        const [run] = await runtime.adopt(new Set([agentId('agent-1')]));
        if (run === undefined) throw new Error('nothing was adopted');
        runs.push(run);
        await limits.sweep();
        expect(run.limits.mechanism).toBe(mechanism);
        execFileSync('touch', [join(folder, 'go')]);
        expect(await run.ended).toMatchObject({ cause: 'out of memory: its limit is 64MB' });
      });
    });
  }
}

describe('HostLimits', () => {
  it.runIf(mechanism === 'cgroup')(
    'needs no more than a shell to hold a run, and gives arguments and environment through',
    async () => {
      const folder = scratchFolder();
      const limits = new HostLimits({ instanceId, log, env: { PATH: '/nowhere' } });
      const runtime = new PtyRuntime({ log, limits });
      const script = 'echo "$1|$ODD|$(ulimit -n)|" > told; cat /proc/self/cgroup > cgroup; exec sleep 1000';
      const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ODD: "it's $HOME" };
      const run = await runtime.launch(
        launchSpec(['/bin/sh', '-c', script, 'sh', 'a "b" $(c)'], { cwd: folder, limits: LIMITS, env }),
      );
      const told = (): string => readFileSync(join(folder, 'told'), 'utf8');
      await waitFor(
        'the cgroup of the run',
        () => existsSync(join(folder, 'cgroup')) && cgroupOf(run.pid).includes('/quarterdeck/'),
      );
      expect(told()).toBe(`a "b" $(c)|it's $HOME|256|\n`);
      await run.stop(0);
      await runtime.close();
      removeFolder(folder);
    },
  );

  it.runIf(mechanism === 'cgroup')('removes what an earlier core left empty, and leaves alone what runs', async () => {
    const earlier = new HostLimits({ instanceId, log });
    const [left, used] = [agentId('left'), agentId('used')];
    await earlier.open({ agentId: left, runId: 'run_1', limits: LIMITS }, { isShortLived: false });
    const held = await earlier.open({ agentId: used, runId: 'run_1', limits: LIMITS }, { isShortLived: false });
    const command = held.command({ path: '/bin/sleep', args: ['1000'] });
    const { spawn } = await import('node:child_process');
    const child = spawn(command.path, [...command.args], { stdio: 'ignore' });
    const folder = join(base?.pids ?? '', 'quarterdeck', instanceId);
    await waitFor('the process in its cgroup', () => cgroupOf(child.pid ?? 0).includes('/used.run_1'));
    await new HostLimits({ instanceId, log }).sweep();
    expect(existsSync(join(folder, 'left.run_1'))).toBe(false);
    expect(existsSync(join(folder, 'used.run_1'))).toBe(true);
    expect(notes.splice(0)).toEqual([expect.stringMatching(/^A cgroup of no known run is in use and is left alone/)]);
    const adopted = await new HostLimits({ instanceId, log }).adopt(used, held.saved ?? '');
    await adopted.discard();
    expect(existsSync(join(folder, 'used.run_1'))).toBe(false);
    await waitFor('its end', () => child.signalCode === 'SIGKILL');
  });
});
