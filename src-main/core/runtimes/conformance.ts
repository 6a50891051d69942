/**
 * What every runtime must do, as one suite. A runtime's own test file calls `describeRuntime` and adds what only it has.
 * Everything runs on real processes in a scratch folder; each test ends what it started.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { isRunning, listProcesses, readProcess, RUN_VARIABLE } from './process-table.ts';
import { pidInside, pidOnHost } from './testing/boxed-pids.ts';
import type { LaunchSpec, Run, Runtime } from './runtime.ts';
import {
  agentId,
  collect,
  launchSpec,
  processesWith,
  removeFolder,
  scratchFolder,
  waitFor,
  waitForScreen,
} from './testing/support.ts';

/** More shows nothing new here, and a screen mirror on a busy machine takes long for it; the terminals' own tests flood harder. */
const FLOOD_BYTES = Math.min(effort.floodBytes, 16 * 2 ** 20);

/** How the suite makes and cleans up a runtime. */
export interface RuntimeUnderTest {
  readonly name: string;
  readonly create: (folder: string) => Runtime;
  /** Ends whatever the runtime keeps outside the core (a server). */
  readonly cleanUp?: (folder: string) => Promise<void>;
  /** For a runtime that contains: what differs with it. */
  readonly contained?: {
    /** Once, before all: what containers are made from. */
    readonly prepare: () => Promise<void>;
    /** Puts a launch into a box that sees its `cwd` at the same path, writable for the agent. */
    readonly box: (spec: LaunchSpec) => LaunchSpec;
    /** Where Node is inside. */
    readonly node: string;
    /** What the box itself has running beside the agent, at most. */
    readonly ownProcesses: number;
    /** The agent's own process, where the run's first one is the box's; by default it is the run's. */
    readonly agentPid?: (pid: number) => number;
  };
}

/** Counts in a file, one number every few milliseconds. */
const COUNTER = 'i=0; while :; do i=$((i+1)); echo $i > counter.tmp; mv counter.tmp counter; sleep 0.01; done';

/** Runs the suite over one runtime. */
export function describeRuntime(subject: RuntimeUnderTest): void {
  describe(`the runtime port over ${subject.name}`, () => {
    let folder: string;
    let runtime: Runtime;
    const runs: Run[] = [];

    const { contained } = subject;
    const node = contained?.node ?? process.execPath;
    const agentPid = ({ pid }: Run): number => contained?.agentPid?.(pid) ?? pid;
    beforeAll(async () => contained?.prepare(), 180_000);

    beforeEach(() => {
      folder = scratchFolder();
      runtime = subject.create(folder);
    });

    afterEach(async () => {
      await Promise.all(runs.splice(0).map((run) => run.stop(0)));
      await runtime.close();
      await subject.cleanUp?.(folder);
      removeFolder(folder);
    });

    async function launch(argv: readonly string[], changes: Partial<LaunchSpec> = {}): Promise<Run> {
      const spec = launchSpec(argv, { cwd: folder, ...changes });
      const run = await runtime.launch(contained?.box(spec) ?? spec);
      runs.push(run);
      return run;
    }
    const sh = (script: string, changes: Partial<LaunchSpec> = {}): Promise<Run> => launch(['/bin/sh', '-c', script], changes);
    const read = (name: string): string | undefined => {
      const path = join(folder, name);
      return existsSync(path) ? readFileSync(path, 'utf8').trim() || undefined : undefined;
    };
    const code = (value: number): unknown => ({ kind: 'exited', exit: { code: value } });
    const signal = (name: string): unknown => ({ kind: 'exited', exit: { signal: name } });

    it('is there', async () => {
      expect(await runtime.probe()).toMatchObject({ kind: runtime.kind, isAvailable: true });
    });

    it('runs a program, keeps its output and reports its exit code', async () => {
      const before = Date.now();
      const run = await sh('echo hello from $$; while [ ! -e go ]; do sleep 0.01; done; echo goodbye; exit 42');
      expect(await waitForScreen(run, 'hello from')).toContain(`hello from ${pidInside(agentPid(run))}`);
      writeFileSync(join(folder, 'go'), '');
      expect(await run.ended).toEqual(code(42));
      await waitForScreen(run, 'goodbye');
      expect(run.startedAt).toBeGreaterThanOrEqual(before);
      expect(run.startedAt).toBeLessThanOrEqual(Date.now());
      expect(await run.windows()).toEqual(['main']);
      expect(await run.stop(0)).toEqual(code(42));
    });

    it('reports codes above 128 as codes', async () => {
      expect(await (await sh('exit 143')).ended).toEqual(code(143));
    });

    it('reports a crash by its signal', async () => {
      const run = await sh('kill -SEGV $$');
      expect(await run.ended).toEqual(signal('SIGSEGV'));
    });

    it('reports a kill from outside', async () => {
      const run = await launch(['sleep', '1000']);
      expect(isRunning(run.pid)).toBe(true);
      process.kill(run.pid, 'SIGKILL');
      expect(await run.ended).toEqual(signal('SIGKILL'));
    });

    it('passes arguments as they are, without a shell', async () => {
      const odd = [
        '',
        ' ',
        'a b',
        "it's",
        '"quoted"',
        '$HOME ${x} $(id)',
        '`id`',
        '#{pane_id} #(id)',
        ';',
        'a;',
        '{',
        '~',
        '\\',
        '\\n',
        '-x',
        '--',
        '*',
        'ünï→漢字🚀',
        'tab\there',
        'line\nbreak\n',
        '%s%d',
        '!',
        '\u0001\u007f',
      ];
      const script = 'require("fs").writeFileSync("args.json", JSON.stringify(process.argv.slice(1)))';
      const run = await launch([node, '-e', script, '--', ...odd]);
      expect(await run.ended).toEqual(code(0));
      expect(JSON.parse(read('args.json') ?? '')).toEqual(odd);
    });

    it('runs a program without arguments', async () => {
      const run = await launch(['true']);
      expect(await run.ended).toEqual(code(0));
    });

    it('gives the environment exactly, and shows it to nobody', async () => {
      const secret = `secret-${process.pid}-${Math.random()}`;
      const env = {
        PATH: process.env['PATH'] ?? '',
        TOKEN: secret,
        EMPTY: '',
        ODD: `'"$x\`\\;#{pid}\n~ü→`,
        SHELL: '/bin/odd',
        PERL5OPT: '-Mno_such_module',
      };
      let isWatching = true;
      const seen = new Set<number>();
      const watch = (async () => {
        while (isWatching) {
          for (const pid of processesWith(secret)) seen.add(pid);
          await sleep(1);
        }
      })();
      const script = 'require("fs").writeFileSync("env.json", JSON.stringify(process.env)); setInterval(() => {}, 1000)';
      const run = await launch([node, '-e', script], { env });
      const got: unknown = JSON.parse(await waitFor('the environment', () => read('env.json')));
      isWatching = false;
      await watch;
      expect(got).toEqual({ ...env, PWD: folder, TERM: expect.stringMatching(/256color$/) as unknown });
      expect([...seen]).toEqual([]);
      await run.stop(0);
    });

    it('takes large environments', async () => {
      const env = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`BIG_${index}`, `${index}`.repeat(1500)]));
      const script = 'require("fs").writeFileSync("env.json", JSON.stringify(process.env))';
      const run = await launch([node, '-e', script], { env });
      expect(await run.ended).toEqual(code(0));
      expect(JSON.parse(read('env.json') ?? '')).toMatchObject(env);
    });

    it('runs in the given folder, whatever its name', async () => {
      const cwd = join(folder, "odd #{pane_id} #(id) %d 'ü' $x");
      mkdirSync(cwd);
      const run = await launch(
        [node, '-e', 'require("fs").writeFileSync("here.json", JSON.stringify([process.cwd(), process.env.PWD]))'],
        { cwd },
      );
      expect(await run.ended).toEqual(code(0));
      expect(JSON.parse(readFileSync(join(cwd, 'here.json'), 'utf8'))).toEqual([cwd, cwd]);
    });

    it('says what is missing instead of starting', async () => {
      await expect(launch(['no-such-program-at-all'])).rejects.toThrow(/"no-such-program-at-all".*PATH/s);
      await expect(launch(['./nothing'])).rejects.toThrow(/\.\/nothing/);
      const missing = launch(['true'], { cwd: join(folder, 'nowhere') });
      await expect(missing).rejects.toThrow(/no folder .*nowhere/);
      await expect(missing).rejects.toBeInstanceOf(AppError);
      await expect(missing).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: false });
      await expect(launch([])).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      await expect(launch(['true', 'a\0b'])).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    });

    it('shows output live, and types', async () => {
      const run = await sh('stty -echo; echo ready; while read -r line; do echo "got <$line>"; done');
      await waitForScreen(run, 'ready');
      const stream = await run.attach({ cols: 80, rows: 24 });
      const seen = collect(stream);
      await waitFor('the first screen', () => seen.text().includes('ready'));
      stream.write(Buffer.from('grüße\r'));
      await waitFor('the answer', () => seen.text().includes('got <grüße>'));
      stream.dispose();
      stream.dispose();
      expect(run.isPaused()).toBe(false);
      expect(isRunning(run.pid)).toBe(true);
    });

    it('serves several viewers, and none of them slows the agent', async () => {
      const run = await sh(
        `echo first; read -r go; head -c ${FLOOD_BYTES} /dev/zero | tr '\\0' 'x' | fold -w 79; echo; echo the-end; read -r go`,
      );
      await waitForScreen(run, 'first');
      const size = { cols: 80, rows: 24 };
      const idle = await run.attach(size); // Never listens.
      const throwing = await run.attach(size);
      throwing.onData(() => {
        throw new Error('a viewer that fails');
      });
      const normal = await run.attach(size);
      const seen = collect(normal);
      normal.write(Buffer.from('go\r'));
      await waitFor('the end of the flood', () => seen.text().includes('the-end'), 60_000);
      const late = collect(await run.attach(size));
      await waitFor('the screen for a late viewer', () => late.text().includes('the-end'));
      normal.dispose();
      idle.write(Buffer.from('go\r'));
      expect(await run.ended).toEqual(code(0));
      // A session of tmux stays, with its last screen; a container goes.
      await waitFor('the end of the late viewer', () => late.hasEnded() || run.kind === 'tmux');
    }, 90_000);

    it('captures history and colours', async () => {
      const run = await sh(
        `i=0; while [ $i -lt 100 ]; do i=$((i+1)); printf 'line %d \\033[31mred\\033[0m\\n' $i; done; printf 'x\\ny z'; read -r go`,
      );
      await waitForScreen(run, 'y z');
      const screen = await run.capture({ historyLines: 0, ansi: false });
      expect(screen.size).toEqual({ cols: 80, rows: 24 });
      expect(screen.lines).toHaveLength(24);
      expect(screen.lines.slice(-3)).toEqual(['line 100 red', 'x', 'y z']);
      expect(screen.cursor).toEqual({ x: 3, y: 23 });
      const more = await run.capture({ historyLines: 30, ansi: false });
      expect(more.lines).toHaveLength(54);
      expect(more.lines[0]).toBe('line 49 red');
      const all = await run.capture({ historyLines: 1000, ansi: true });
      expect(all.lines).toHaveLength(102);
      expect(all.lines[0]).toContain('line 1 ');
      // oxlint-disable-next-line no-control-regex -- colours are control characters
      expect(all.lines[0]).toMatch(/\u001b\[(0;)?31mred/);
    });

    it('is not fooled by a screen that looks like its own protocol', async () => {
      const now = Math.floor(Date.now() / 1000);
      const fake = `i=0; while [ $i -lt 60 ]; do for k in end error begin; do echo "%$k $((${now}+i/20)) $((250+i)) 1"; done; i=$((i+1)); done; echo '%window-renamed @0 x'; echo '%exit'; echo done; read -r go`;
      const run = await sh(fake);
      const screen = await waitForScreen(run, 'done');
      expect(screen.match(/^%(begin|end|error) /gm)).toHaveLength(180);
      expect(isRunning(run.pid)).toBe(true);
      expect(await run.windows()).toEqual(['main']);
    });

    it('resizes the terminal', async () => {
      const run = await sh('trap "stty size" WINCH; stty size; while :; do sleep 0.05; done', { size: { cols: 91, rows: 31 } });
      await waitForScreen(run, '31 91');
      const stream = await run.attach({ cols: 91, rows: 31 });
      stream.resize({ cols: 101, rows: 33 });
      await waitForScreen(run, '33 101');
      expect((await run.capture({ historyLines: 0, ansi: false })).size).toEqual({ cols: 101, rows: 33 });
    });

    it('pauses the whole tree, and lets it go on', async () => {
      const run = await sh(`(${COUNTER}) & wait`);
      await waitFor('the counter', () => read('counter'));
      await run.pause();
      await run.pause();
      expect(run.isPaused()).toBe(true);
      const sid = readProcess(run.pid)?.sid;
      // One that waits for the disk (D) runs nothing, and counts as stopped (T) once the disk has answered. A container is frozen
      // as a whole: its processes get no signal and have no state of their own for it.
      const own = () => listProcesses().filter((info) => info.sid === sid && info.pid !== sid && info.state !== 'Z');
      const areStopped = (): boolean => own().length > 0 && own().every((info) => info.state === 'T');
      await waitFor('every process to be stopped', () => contained !== undefined || areStopped());
      const stood = read('counter');
      await sleep(400); // Long enough for forty more, and for tmux to have its way (see agent-shim.ts).
      expect(read('counter')).toBe(stood);
      expect(run.isPaused()).toBe(true);
      await run.resume();
      expect(run.isPaused()).toBe(false);
      await waitFor('the counter to go on', () => read('counter') !== stood);
    });

    it('lets an agent end in good order, with its own exit code', async () => {
      const run = await sh(`trap 'echo bye > bye; exit 7' TERM; echo up > up; while :; do sleep 0.02; done`);
      await waitFor('the agent', () => read('up'));
      expect(await run.stop(10_000)).toEqual(code(7));
      expect(read('bye')).toBe('bye');
      expect(isRunning(run.pid)).toBe(false);
    });

    it('stops while paused', async () => {
      const run = await sh(`trap 'exit 9' TERM; echo up > up; while :; do sleep 0.02; done`);
      await waitFor('the agent', () => read('up'));
      await run.pause();
      expect(await run.stop(10_000)).toEqual(code(9));
    });

    it('forces a paused agent', async () => {
      const run = await sh(`trap '' TERM; ${COUNTER}`);
      await waitFor('the counter', () => read('counter'));
      await run.pause();
      expect(await run.stop(100)).toEqual(signal('SIGKILL'));
    });

    it('leaves nothing of a tree that does not want to end', async () => {
      // A child, a grandchild in a session of its own, and an orphan of the first session; all of them ignore SIGTERM.
      const script = `
        const { spawn } = require('node:child_process');
        const { appendFileSync } = require('node:fs');
        process.on('SIGTERM', () => {});
        const stubborn = (name) => ['-c', "trap '' TERM HUP INT; echo $$ >> pids; : " + name + "; while :; do sleep 0.1; done"];
        spawn('/bin/sh', stubborn('child'), { stdio: 'ignore' });
        spawn('/bin/sh', stubborn('own session'), { stdio: 'ignore', detached: true });
        spawn('/bin/sh', ['-c', '/bin/sh "$@" & :', 'sh', ...stubborn('orphan')], { stdio: 'ignore' });
        appendFileSync('pids', process.pid + '\\n');
        setInterval(() => {}, 1000);`;
      const run = await launch([node, '-e', script]);
      const pids = await waitFor('four processes', () => {
        const lines = (read('pids') ?? '').split('\n');
        return lines.length === 4 && lines.map(Number);
      });
      expect(pids).toContain(pidInside(agentPid(run)));
      const hostPids = pids.map((pid) => pidOnHost(run.pid, pid));
      const start = performance.now();
      expect(await run.stop(300)).toEqual(signal('SIGKILL'));
      expect(performance.now() - start).toBeGreaterThanOrEqual(299);
      expect(hostPids.filter(isRunning)).toEqual([]);
    });

    it('ends also what cut every tie before anybody looked: by the run in its environment', async () => {
      // Forked twice, in a session of its own, its parents gone: nothing but its environment tells where it came from.
      writeFileSync(join(folder, 'stray.sh'), 'trap : TERM HUP; echo $$ > stray; while :; do sleep 0.1; done');
      const script = "setsid sh -c 'sh stray.sh >/dev/null 2>&1 </dev/null &'; read -r go";
      const runId = `run_${randomUUID()}`;
      const run = await sh(script, { runId, env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', [RUN_VARIABLE]: runId } });
      const stray = pidOnHost(run.pid, Number(await waitFor('the stray', () => read('stray'))));
      expect(isRunning(stray)).toBe(true);
      await run.stop(300);
      expect(isRunning(stray)).toBe(false);
    });

    it('ends what an agent left behind when it ended by itself', async () => {
      const run = await sh(
        `/bin/sh -c 'trap "" HUP TERM; echo $$ > left; while :; do sleep 0.1; done' >/dev/null 2>&1 </dev/null & while [ ! -e go ]; do sleep 0.01; done; exit 3`,
      );
      const left = pidOnHost(run.pid, Number(await waitFor('what is left', () => read('left'))));
      writeFileSync(join(folder, 'go'), '');
      expect(await run.ended).toEqual(code(3));
      await run.stop(0);
      expect(isRunning(left)).toBe(false);
      await run.discard();
    });

    it('ends although what the agent left behind goes on reading from the terminal', async () => {
      // The signal goes to the shell alone; cat stays in front, and takes whatever the terminal sends: first the answer to a
      // question that nobody has read yet.
      const run = await sh(`printf '\\033[c'; echo ready; cat; true`);
      await waitForScreen(run, 'ready');
      expect(await run.stop(5000)).toEqual(signal('SIGTERM'));
      expect(await run.ended).toEqual(signal('SIGTERM'));
    });

    it('shortens the grace when asked again', async () => {
      const run = await sh(`trap '' TERM; echo up > up; while :; do sleep 0.02; done`);
      await waitFor('the agent', () => read('up'));
      const patient = run.stop(600_000);
      expect(await run.stop(0)).toEqual(signal('SIGKILL'));
      expect(await patient).toEqual(signal('SIGKILL'));
    });

    it('measures the tree', async () => {
      const run = await sh('(while :; do :; done) & echo up > up; wait');
      await waitFor('the agent', () => read('up'));
      const busy = await waitFor('some CPU time', async () => {
        const stats = await run.stats();
        return stats !== undefined && stats.cpuMs >= 50 && stats;
      });
      expect(busy.processes).toBeGreaterThanOrEqual(2);
      expect(busy.processes).toBeLessThanOrEqual(2 + (contained?.ownProcesses ?? 0));
      expect(busy.memoryBytes).toBeGreaterThan(100_000);
      expect(busy.memoryBytes).toBeLessThan(contained === undefined ? 100_000_000 : 300_000_000);
      await run.stop(0);
      await waitFor('no more figures', async () => (await run.stats()) === undefined);
    });

    it('uses a name again after discarding', async () => {
      const first = await sh('echo one; exit 1', { agentId: agentId('a.b_c-d') });
      expect(await first.ended).toEqual(code(1));
      await first.discard();
      const second = await sh('echo two; read -r go', { agentId: agentId('a.b_c-d'), runId: 'run_2' });
      expect(await waitForScreen(second, 'two')).not.toContain('one');
      await expect(second.discard()).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(second.runId).toBe('run_2');
    });

    it('keeps apart names that differ only in signs', async () => {
      const names = ['a.b', 'a_b', 'a-b', 'ab', 'a..b'];
      const started = await Promise.all(names.map((name) => sh(`echo "I am ${name}."; read -r go`, { agentId: agentId(name) })));
      const screens = await Promise.all(started.map((run) => waitForScreen(run, 'I am')));
      expect(screens.map((screen) => screen.trim())).toEqual(names.map((name) => `I am ${name}.`));
    });

    it(
      `starts ${effort.fleet} agents at once`,
      async () => {
        const names = Array.from({ length: effort.fleet }, (_, index) => `fleet-${index}`);
        const started = await Promise.all(
          names.map((name, index) => sh(`echo "${name} is up"; exit ${index}`, { agentId: agentId(name) })),
        );
        const ends = await Promise.all(started.map((run) => run.ended));
        expect(ends).toEqual(names.map((_, index) => code(index)));
        await Promise.all(started.map((run) => waitForScreen(run, `${run.agentId} is up`)));
        expect(new Set(started.map((run) => run.pid)).size).toBe(names.length);
      },
      3_000 * effort.fleet,
    );

    it('adopts only what can outlive the core', async () => {
      await sh('sleep 1000');
      await runtime.close();
      const next = subject.create(folder);
      const adopted = await next.adopt(new Set([agentId('agent-1')]));
      expect(adopted.map((run) => run.agentId)).toEqual(runtime.isAdoptable ? ['agent-1'] : []);
      for (const run of adopted) await run.stop(0);
      await next.close();
    });
  });
}
