import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeRuntime } from '../conformance.ts';
import { HostLimits } from '../limits/host-limits.ts';
import { isRunning, readProcess } from '../process-table.ts';
import type { LaunchSpec, Run } from '../runtime.ts';
import { sideWindowsFor } from '../side-windows.ts';
import {
  agentId,
  collect,
  launchSpec,
  processesWith,
  removeFolder,
  scratchFolder,
  waitFor,
  waitForScreen,
} from '../testing/support.ts';
import { TmuxRuntime } from './tmux-runtime.ts';
import { isRecentEnough } from './tmux-server.ts';

const log = (): void => undefined;

/** Runs an ordinary tmux client on the socket in `folder`. */
function tmux(folder: string, ...args: string[]): string {
  return execFileSync('tmux', ['-u', '-S', join(folder, 'tmux.sock'), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd();
}

function killServer(folder: string): Promise<void> {
  try {
    tmux(folder, 'kill-server');
  } catch {
    // It was never started, or the test has killed it.
  }
  return Promise.resolve();
}

const instanceId = `test-${process.pid}`;

describeRuntime({
  name: 'tmux',
  create: (folder) =>
    new TmuxRuntime({ socketDir: folder, instanceId: 'test', log, limits: new HostLimits({ instanceId, log }) }),
  cleanUp: async (folder) => {
    await killServer(folder);
    // What a run without its server left.
    await new HostLimits({ instanceId, log }).sweep();
  },
});

describe('TmuxRuntime', () => {
  let folder: string;
  const runtimes: TmuxRuntime[] = [];
  const notes: string[] = [];

  beforeEach(() => {
    folder = scratchFolder();
    notes.length = 0;
  });
  afterEach(async () => {
    for (const runtime of runtimes.splice(0)) await runtime.close();
    await killServer(folder);
    removeFolder(folder);
  });

  function create(instanceId = 'test'): TmuxRuntime {
    const runtime = new TmuxRuntime({ socketDir: folder, instanceId, log: (message) => notes.push(message) });
    runtimes.push(runtime);
    return runtime;
  }
  const sh = (runtime: TmuxRuntime, script: string, changes: Partial<LaunchSpec> = {}): Promise<Run> =>
    runtime.launch(launchSpec(['/bin/sh', '-c', script], { cwd: folder, ...changes }));
  const known = (...names: string[]): ReadonlySet<ReturnType<typeof agentId>> => new Set(names.map(agentId));
  const sessions = (): string[] =>
    tmux(folder, 'list-sessions', '-F', '#{session_name}')
      .split('\n')
      .filter((name) => name !== 'Quarterdeck');
  async function only(runs: readonly Run[]): Promise<Run> {
    expect(runs).toHaveLength(1);
    const [run] = runs;
    if (run === undefined) throw new Error('no run');
    await Promise.resolve();
    return run;
  }

  it('hands its agents over to the next core, with history', async () => {
    const first = create();
    const run = await sh(first, 'for i in 1 2 3; do echo "line $i"; done; read -r go; echo "read $go"; exit 5');
    await waitForScreen(run, 'line 3');
    await first.close();

    const second = create();
    const adopted = await only(await second.adopt(known('agent-1')));
    expect(adopted).toMatchObject({ agentId: 'agent-1', runId: 'run_1', pid: run.pid, startedAt: run.startedAt });
    expect(await waitForScreen(adopted, 'line 3')).toContain('line 1');
    expect(await adopted.stats()).toMatchObject({ processes: 1 });
    await adopted.pause();
    expect(adopted.isPaused()).toBe(true);
    await adopted.resume();
    const stream = await adopted.attach({ cols: 80, rows: 24 });
    stream.write(Buffer.from('this\r'));
    expect(await adopted.ended).toEqual({ kind: 'exited', exit: { code: 5 } });
    expect(await waitForScreen(adopted, 'read this')).toContain('line 1');
    await adopted.discard();
    expect(sessions()).toEqual([]);
  });

  it('survives a killed core, and leaves nothing of it behind', async () => {
    const script = 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "line $i"; done; while read -r go; do echo "read $go"; done';
    const host = spawn(
      process.execPath,
      [join(import.meta.dirname, '../testing/tmux-host.ts'), folder, 'test', folder, '/bin/sh', '-c', script],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const facts = await new Promise<{ pid: number; startedAt: number }>((resolve) => {
      host.stdout.once('data', (chunk: Buffer) => resolve(JSON.parse(chunk.toString()) as { pid: number; startedAt: number }));
    });
    const clients = (): string => tmux(folder, 'list-clients', '-F', '#{client_pid} #{session_name}');
    await waitFor('the view', () => clients().includes('View'));
    const gone = new Promise((resolve) => host.once('exit', resolve));
    host.kill('SIGKILL');
    await gone;
    await waitFor('no more clients', () => clients() === '');
    await waitFor('no more views', () => sessions().join() === 'agent-1');
    expect(processesWith(folder).filter((pid) => readProcess(pid)?.ppid === host.pid)).toEqual([]);

    const run = await only(await create().adopt(known('agent-1')));
    expect(run).toMatchObject(facts);
    expect(isRunning(run.pid)).toBe(true);
    expect(await waitForScreen(run, 'line 300')).toContain('line 1\n');
    const stream = await run.attach({ cols: 80, rows: 24 });
    const seen = collect(stream);
    stream.write(Buffer.from('on\r'));
    await waitFor('an answer', () => seen.text().includes('read on'));
    expect(await run.stop(0)).toEqual({ kind: 'exited', exit: { signal: 'SIGKILL' } });
    await run.discard();
  });

  it('knows the exit code of an agent that ended while nobody watched', async () => {
    const first = create();
    const run = await sh(first, 'echo last words; read -r go; exit 23');
    await first.close();
    tmux(folder, 'send-keys', '-t', '=agent-1:', 'go', 'Enter');
    await waitFor('the end', () => !isRunning(run.pid));
    const adopted = await only(await create().adopt(known('agent-1')));
    expect(await adopted.ended).toEqual({ kind: 'exited', exit: { code: 23 } });
    expect(await waitForScreen(adopted, 'last words')).not.toContain('dead');
    expect(adopted.startedAt).toBe(run.startedAt);
  });

  it('sweeps dead sessions of unknown agents, and leaves the living alone', async () => {
    const first = create();
    const dead = await sh(first, 'exit 0', { agentId: agentId('dead') });
    await dead.ended;
    const alive = await sh(first, 'sleep 1000', { agentId: agentId('alive') });
    await first.close();
    tmux(folder, 'new-session', '-d', '-s', 'of-a-person', 'sleep', '1000');

    const other = create('another');
    expect(await other.adopt(known('dead', 'alive'))).toEqual([]);
    expect(sessions().toSorted()).toEqual(['alive', 'dead', 'of-a-person']);
    await other.close();

    notes.length = 0;
    const second = create();
    expect(await second.adopt(known())).toEqual([]);
    expect(sessions().toSorted()).toEqual(['alive', 'of-a-person']);
    expect(notes).toEqual(
      expect.arrayContaining([expect.stringContaining('left alone'), expect.stringContaining('was removed')]),
    );
    await (await only(await second.adopt(known('alive')))).stop(0);
    expect(isRunning(alive.pid)).toBe(false);
  });

  it('starts no server only to look for agents', async () => {
    expect(await create().adopt(known('agent-1'))).toEqual([]);
    expect(() => tmux(folder, 'list-sessions')).toThrow(/no server running|error connecting/);
  });

  it('reports agents as lost when the tmux server is killed', async () => {
    const runtime = create();
    const plain = await sh(runtime, 'echo up; sleep 1000', { agentId: agentId('plain') });
    const deaf = await sh(runtime, 'trap "" HUP; echo $$ > deaf; while :; do sleep 0.1; done', { agentId: agentId('deaf') });
    await waitFor('the deaf agent', () => processesWith('echo $$ > deaf').includes(deaf.pid) && readSafely(join(folder, 'deaf')));
    process.kill(Number(tmux(folder, 'display-message', '-p', '#{pid}')), 'SIGKILL');
    expect(await plain.ended).toMatchObject({
      kind: 'lost',
      reason: expect.stringMatching(/tmux server ended.*is gone/) as string,
    });
    expect(await deaf.ended).toMatchObject({
      kind: 'lost',
      reason: expect.stringMatching(/still runs without a terminal/) as string,
    });
    expect(isRunning(deaf.pid)).toBe(true);
    await deaf.stop(100);
    expect(isRunning(deaf.pid)).toBe(false);
    await deaf.discard();
    await plain.discard();
    const again = await sh(runtime, 'echo again; exit 4', { agentId: agentId('plain') });
    expect(await again.ended).toEqual({ kind: 'exited', exit: { code: 4 } });
  });

  it('reports an agent as lost when somebody removes its session, and the others not', async () => {
    const runtime = create();
    const one = await sh(runtime, 'sleep 1000', { agentId: agentId('one') });
    const two = await sh(runtime, 'sleep 1000', { agentId: agentId('two') });
    tmux(folder, 'kill-session', '-t', '=one');
    expect(await one.ended).toMatchObject({ kind: 'lost', reason: expect.stringContaining('session is gone') as string });
    await expect(one.capture({ historyLines: 0, ansi: false })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(one.attach({ cols: 80, rows: 24 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await one.discard();
    expect(await two.stop(0)).toEqual({ kind: 'exited', exit: { signal: 'SIGKILL' } });
  });

  it('keeps its agents when only its control client is killed', async () => {
    const runtime = create();
    const run = await sh(runtime, 'echo up; read -r go; exit 6');
    await waitForScreen(run, 'up');
    process.kill(Number(tmux(folder, 'list-clients', '-F', '#{client_pid}')), 'SIGKILL');
    const stream = await run.attach({ cols: 80, rows: 24 });
    stream.write(Buffer.from('go\r'));
    expect(await run.ended).toEqual({ kind: 'exited', exit: { code: 6 } });
  });

  it('keeps its agents when something removes its socket, and makes it anew', async () => {
    const runtime = create();
    const run = await sh(runtime, 'exec sleep 1000');
    let end: unknown;
    run.ended.then((how) => (end = how)).catch(() => undefined);
    removeFolder(folder);
    await waitFor('the socket', () => existsSync(join(folder, 'tmux.sock')));
    expect(sessions()).toEqual([run.agentId]);
    expect(end).toBeUndefined();
    expect(await run.stop(5000)).toEqual({ kind: 'exited', exit: { signal: 'SIGTERM' } });
  });

  it('notices a killed shim, and does not take its end for the agent', async () => {
    const runtime = create();
    const run = await sh(runtime, 'trap "" HUP; echo up; while :; do sleep 0.1; done');
    await waitForScreen(run, 'up');
    process.kill(readProcess(run.pid)?.ppid ?? 0, 'SIGKILL');
    expect(await run.ended).toMatchObject({ kind: 'lost', reason: expect.stringMatching(/still runs/) as string });
    await run.stop(0);
    expect(isRunning(run.pid)).toBe(false);
  });

  it('learns of the end of an interactive shell at once, though it had the terminal to itself', async () => {
    const run = await sh(create(), "PS1='ready> ' exec bash --norc --noprofile -i");
    await waitForScreen(run, 'ready>');
    const startedAt = performance.now();
    expect(await run.stop(0)).toEqual({ kind: 'exited', exit: { signal: 'SIGKILL' } });
    // Where the shim stays in the background it waits five seconds for an answer that it cannot read.
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    await run.discard();
  });

  it('lets a person attach without getting into the way of the app, and the other way round', async () => {
    const runtime = create();
    const run = await sh(runtime, 'echo main; while read -r line; do echo "main got $line"; done', {
      sideWindows: [{ name: 'side', argv: ['/bin/sh', '-c', 'echo side; read -r x'] }],
    });
    expect(run.attachCommand).toBe(`tmux -S ${folder}/tmux.sock attach -t '=agent-1'`);
    expect(await run.windows()).toEqual(['main', 'side']);
    const main = await run.attach({ cols: 80, rows: 24 });
    const side = await run.attach({ cols: 80, rows: 24 }, 'side');
    const seenMain = collect(main);
    const seenSide = collect(side);
    await waitFor('both', () => seenMain.text().includes('main') && seenSide.text().includes('side'));
    expect(seenSide.text()).not.toContain('main');
    // The person turns to the other window; what is typed in the app still goes where it was meant.
    tmux(folder, 'select-window', '-t', '=agent-1:side');
    main.write(Buffer.from('\u0002text\r')); // Ctrl-B is tmux's prefix elsewhere; here it belongs to the agent.
    await waitForScreen(run, 'main got');
    expect(await waitForScreen(run, 'side', 'side')).not.toContain('text');
    await expect(run.attach({ cols: 80, rows: 24 }, 'nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    main.dispose();
    side.dispose();
    await waitFor('the views to go', () => sessions().join() === 'agent-1');
    expect(isRunning(run.pid)).toBe(true);
  });

  it('shows what the agent uses and its queue in side windows', async () => {
    const script = join(import.meta.dirname, '../../../../assets/scripts/agent-window.sh');
    const queueFile = join(folder, 'queue file.txt');
    const runtime = create();
    const run = await sh(runtime, '(while :; do :; done) & read -r go', {
      sideWindows: sideWindowsFor({ scriptPath: script, queueFile }),
    });
    expect(await run.windows()).toEqual(['main', 'monitor', 'queue']);
    await waitForScreen(run, 'has not written its queue yet', 'queue');
    writeFileSync(queueFile, '1  job ü\u001b[31m\n2  last');
    expect(await waitForScreen(run, 'last', 'queue')).toContain('1  job ü [31m');
    const screen = await waitForScreen(run, 'Processes  2', 'monitor');
    const cpu = Number(/CPU +([\d.]+) %/.exec(screen)?.[1]);
    const memory = Number(/Memory +([\d.]+) MB/.exec(screen)?.[1]);
    expect(cpu).toBeGreaterThan(5);
    expect(cpu).toBeLessThan(130);
    expect(memory).toBeGreaterThan(0.3);
    expect(memory).toBeLessThan(50);
    expect(screen).toContain(`Process ${run.pid} is running`);
    const serverPid = Number(tmux(folder, 'display-message', '-p', '#{pid}'));
    const helpers = processesWith(script).filter((pid) => readProcess(pid)?.ppid === serverPid);
    expect(helpers).toHaveLength(2);
    for (const pid of helpers) expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('HOME=' + folder);
    await run.stop(0);
    expect(helpers.filter(isRunning)).toEqual([]);
    await waitForScreen(run, 'Process', 'monitor');
  });

  it('keeps the environment of agents out of the session', async () => {
    const runtime = create();
    const run = await sh(runtime, 'echo up; sleep 1000', { env: { PATH: process.env['PATH'] ?? '', TOKEN: 'hidden-value' } });
    await waitForScreen(run, 'up');
    expect(tmux(folder, 'show-environment', '-t', '=agent-1')).not.toContain('hidden-value');
    expect(tmux(folder, 'show-environment', '-g')).not.toMatch(/hidden-value|SSH_|npm_/);
    expect(tmux(folder, 'show-options', '-v', '-t', '=agent-1:', '@qd-agent')).toBe('agent-1');
    expect(tmux(folder, 'show-options', '-v', '-t', '=agent-1:', '@qd-run')).toBe('run_1');
    expect(tmux(folder, 'show-options', '-v', '-t', '=agent-1:', '@qd-instance')).toBe('test');
    await run.stop(0);
  });

  it('takes the place of a dead session that nobody discarded, not of a live one', async () => {
    const runtime = create();
    await (
      await sh(runtime, 'exit 0')
    ).ended;
    const second = await sh(runtime, 'sleep 1000', { runId: 'run_2' });
    await expect(sh(runtime, 'true', { runId: 'run_3' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('still runs') as string,
    });
    await second.stop(0);
  });

  it('works without Perl', async () => {
    const runtime = new TmuxRuntime({ socketDir: folder, instanceId: 'test', log, shim: 'sh' });
    runtimes.push(runtime);
    const odd = ["it's", '$x', '', 'a\nb'];
    const run = await runtime.launch(launchSpec(['printf', '<%s>', ...odd], { cwd: folder }));
    expect(await run.ended).toEqual({ kind: 'exited', exit: { code: 0 } });
    expect((await run.capture({ historyLines: 0, ansi: false })).lines.slice(0, 2)).toEqual(["<it's><$x><><a", 'b>']);
    await run.discard();
    const killed = await runtime.launch(launchSpec(['sleep', '1000'], { cwd: folder }));
    await killed.pause();
    expect(killed.isPaused()).toBe(true);
    expect(await killed.stop(10_000)).toEqual({ kind: 'exited', exit: { signal: 'SIGTERM' } });
    await killed.discard();
    const env = await sh(runtime, 'env; exit 3', { env: { PATH: '/usr/bin:/bin', A: 'b c' } });
    expect(await env.ended).toEqual({ kind: 'exited', exit: { code: 3 } });
    expect(await waitForScreen(env, 'A=b c')).not.toMatch(/TMUX/);
  });

  it('says what is wrong with tmux or its socket', async () => {
    const missing = new TmuxRuntime({ socketDir: folder, instanceId: 'test', log, tmuxPath: '/nowhere/tmux' });
    runtimes.push(missing);
    expect(await missing.probe()).toMatchObject({
      isAvailable: false,
      problem: 'tmux was not found',
      remedy: expect.stringMatching(/install tmux/) as string,
    });
    await expect(sh(missing, 'true')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('tmux was not found') as string,
    });
    const far = new TmuxRuntime({ socketDir: join(folder, 'x'.repeat(100)), instanceId: 'test', log });
    runtimes.push(far);
    await expect(sh(far, 'true')).rejects.toThrow(/at most \d+ are possible/);
    expect(await create().probe()).toMatchObject({
      isAvailable: true,
      version: expect.stringMatching(/^\d+\.\d+/) as string,
      path: expect.stringContaining('tmux') as string,
    });
    expect(['3.2', '3.3a', '3.10', '4.0', 'next-3.6'].map(isRecentEnough)).toEqual([true, true, true, true, true]);
    expect(['2.9', '3.1c', 'master'].map(isRecentEnough)).toEqual([false, false, false]);
  });

  it('is ready less than 100 ms after a bare tmux would be', async () => {
    const runtime = create();
    await (
      await sh(runtime, 'exit 0', { agentId: agentId('warm') })
    ).ended;
    const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
    const bare: number[] = [];
    const ours: number[] = [];
    for (let round = 0; round < 15; round += 1) {
      let start = performance.now();
      tmux(folder, 'new-session', '-d', '-s', `bare-${round}`, 'sleep', '1000');
      bare.push(performance.now() - start);
      start = performance.now();
      const run = await runtime.launch(launchSpec(['sleep', '1000'], { cwd: folder, agentId: agentId(`ours-${round}`) }));
      ours.push(performance.now() - start);
      await run.stop(0);
    }
    process.stdout.write(`tmux agent ready p50 ${median(ours).toFixed(1)} ms; bare new-session ${median(bare).toFixed(1)} ms\n`);
    expect(median(ours) - median(bare)).toBeLessThan(100);
  });
});

function readSafely(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
