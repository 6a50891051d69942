import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { LIMITS, agentId, collect, launchSpec, removeFolder, scratchFolder, waitFor, waitForScreen } from '../testing/support.ts';
import type { BoxSpec, LaunchSpec, Run } from '../runtime.ts';
import { isRunning } from '../process-table.ts';
import { containerNameOf } from './container-options.ts';
import type { DockerRuntime } from './docker-runtime.ts';
import { ensureAgentImage } from './testing/agent-image.ts';
import { ContainerBench } from './testing/container-bench.ts';

const execute = promisify(execFile);
const COUNTER = 'i=0; while :; do i=$((i+1)); echo $i > counter.tmp; mv counter.tmp counter; sleep 0.01; done';

describe('DockerRuntime', () => {
  let bench: ContainerBench;
  let runtime: DockerRuntime;
  let folder: string;
  const images: string[] = [];

  beforeAll(async () => new ContainerBench().prepare(), 180_000);
  beforeEach(() => {
    bench = new ContainerBench();
    runtime = bench.runtime();
    folder = scratchFolder();
  });
  afterEach(async () => {
    await bench.cleanUp();
    removeFolder(folder);
    for (const image of images.splice(0)) await bench.docker.getImage(image).remove({ force: true });
  });

  function sh(script: string, changes: Partial<LaunchSpec> = {}, box: Partial<BoxSpec> = {}, on = runtime): Promise<Run> {
    return on.launch(bench.boxed(launchSpec(['/bin/sh', '-c', script], { cwd: folder, ...changes }), box));
  }
  const nameOf = (id: string): string => containerNameOf(bench.instanceId, agentId(id));
  const known = new Set([agentId('agent-1')]);
  const mine = async (): Promise<string[]> => {
    const label = [`app.quarterdeck.instance=${bench.instanceId}`];
    const listed = await bench.docker.listContainers({ all: true, filters: { label } });
    return listed.flatMap((one) => one.Names);
  };
  /** Makes an image from the agent image with other settings. */
  async function imageWith(changes: string): Promise<string> {
    const container = await bench.docker.createContainer({ Image: await ensureAgentImage() });
    const tag = `t${images.length}-${process.pid}`;
    await container.commit({ repo: 'quarterdeck-test', tag, changes });
    await container.remove();
    images.push(`quarterdeck-test:${tag}`);
    return `quarterdeck-test:${tag}`;
  }
  async function only(runs: readonly Run[]): Promise<Run> {
    expect(runs).toHaveLength(1);
    const [run] = runs;
    if (run === undefined) throw new Error('no run');
    return Promise.resolve(run);
  }

  it('proves the box from inside and outside, and puts nothing of the environment into the configuration', async () => {
    const secret = `secret-${Math.random()}`;
    const run = await sh('echo up; read -r go', { env: { PATH: '/usr/bin:/bin', TOKEN: secret } });
    await waitForScreen(run, 'up');
    const [proof] = bench.proofs;
    expect(proof?.problem).toBeNull();
    expect(proof?.outside.filter(({ outcome }) => outcome !== 'held')).toEqual([]);
    expect(proof?.outside.map(({ id }) => id)).toContain('cgroup-limits');
    const info = await bench.docker.getContainer(nameOf('agent-1')).inspect();
    expect(JSON.stringify(info)).not.toContain(secret);
  });

  it('removes a container that does not hold, and says what', async () => {
    const spec = bench.boxed(launchSpec(['true'], { cwd: folder }));
    const { box } = spec;
    if (box === undefined) throw new Error('no box');
    // Mounted writable behind the back of whoever judges: what was asked for is not what is proved.
    const lying: BoxSpec = {
      ...box,
      openDesk: async () => {
        const desk = await box.openDesk();
        return {
          dispose: () => desk.dispose(),
          admit: (outside, options) =>
            desk.admit([...outside, { ...(outside[0] ?? fail()), id: 'x', outcome: 'broken', found: 'it is open' }], options),
        };
      },
    };
    await expect(runtime.launch({ ...spec, box: lying })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('it is open') as unknown,
    });
    expect(await mine()).toEqual([]);
  });

  it('starts nothing without a box', async () => {
    const spec = launchSpec(['true'], { cwd: folder });
    await expect(runtime.launch(spec)).rejects.toMatchObject({ code: 'INTERNAL' });
    const { box } = bench.boxed(spec);
    if (box === undefined) throw new Error('no box');
    await expect(runtime.launch({ ...spec, box: { ...box, boundary: 'bubblewrap' } })).rejects.toThrow(/"bubblewrap"/);
    expect(await mine()).toEqual([]);
  });

  it('is not misled by an image: its variables, volumes, check and entry', async () => {
    const changes = [
      'ENV LD_PRELOAD=/nowhere/evil.so',
      'ENV NODE_OPTIONS=--require=/nowhere/evil.js',
      'VOLUME /data',
      'ENTRYPOINT ["/bin/false"]',
      'USER 0',
    ].join('\n');
    const run = await sh(
      'touch /data/x; echo "data $?"; echo "preload <$LD_PRELOAD>"; id -u; read -r go',
      {},
      { image: await imageWith(changes) },
    );
    const screen = await waitForScreen(run, '1000');
    expect(screen).toContain('data 1');
    expect(screen).toContain('preload <>');
    expect(bench.proofs.at(-1)?.problem).toBeNull();
    const info = await bench.docker.getContainer(nameOf('agent-1')).inspect();
    expect(info.Mounts.filter((mount) => mount.Type === 'volume').map((mount) => mount.Destination)).toEqual(['/opt/qd']);
  });

  it('says what is wrong with an image, and with a name', async () => {
    await expect(sh('true', {}, { image: 'no-such-image:1' })).rejects.toThrow(
      /no-such-image:1 is not there.*quarterdeck image pull/,
    );
    const other = await bench.docker.createContainer({ Image: await ensureAgentImage(), name: nameOf('agent-1') });
    await expect(sh('true')).rejects.toThrow(/not Quarterdeck's/);
    await other.remove();
    const run = await sh('echo first; exit 3');
    expect(await run.ended).toEqual({ kind: 'exited', exit: { code: 3 } });
    // Never discarded: it makes room.
    const second = await sh('echo second; read -r go', { runId: 'run_2' });
    await expect(sh('true', { runId: 'run_3' })).rejects.toThrow(/still runs/);
    expect(isRunning(second.pid)).toBe(true);
  });

  it('says that there is no engine', async () => {
    const { default: Docker } = await import('dockerode');
    const away = bench.runtime({ connect: () => new Docker({ socketPath: join(folder, 'none.sock') }) });
    expect(await away.probe()).toMatchObject({ kind: 'docker', isAvailable: false });
    await expect(sh('true', {}, {}, away)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await away.adopt(known)).toEqual([]);
  });

  it('shows the terminal of a paused agent, and goes on with it', async () => {
    const run = await sh(
      `for i in $(seq 50); do echo "line $i"; done; stty -echo; while read -r line; do echo "got <$line>"; done`,
    );
    await waitForScreen(run, 'line 50');
    await run.pause();
    const info = await bench.docker.getContainer(nameOf('agent-1')).inspect();
    expect(info.State.Paused).toBe(true);
    const still = await run.capture({ historyLines: 1000, ansi: false });
    expect(still.lines.filter((line) => line.startsWith('line'))).toHaveLength(50);
    expect(await run.windows()).toEqual(['main']);
    const view = await run.attach({ cols: 80, rows: 24 });
    const seen = collect(view);
    expect(seen.text()).toContain('line 50');
    await run.resume();
    await waitFor('the live screen', () => seen.text().includes('\u001b[?1049h'));
    view.write(Buffer.from('again\r'));
    await waitFor('the answer', () => seen.text().includes('got <again>'));
  });

  it('notices that somebody else paused it and let it go on', async () => {
    const run = await sh(COUNTER);
    const container = bench.docker.getContainer(nameOf('agent-1'));
    await container.pause();
    await waitFor('the pause', () => run.isPaused());
    await container.unpause();
    await waitFor('the end of the pause', () => !run.isPaused());
    expect(await run.windows()).toEqual(['main']);
  });

  it('says that memory ran out, whether the agent or something in it was killed', async () => {
    const seen: string[] = [];
    const watched = bench.runtime({ onOom: (id) => seen.push(id) });
    const limits = { ...LIMITS, memory: '128MB' };
    const hog = `node -e 'const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1))'`;
    const agent = await sh(`exec ${hog}`, { limits }, {}, watched);
    expect(await agent.ended).toEqual({
      kind: 'exited',
      exit: { signal: 'SIGKILL' },
      cause: 'out of memory: its limit is 128MB',
    });
    const lives = await sh(`${hog}; echo survived; read -r go`, { limits, agentId: agentId('lives') }, {}, watched);
    await waitForScreen(lives, 'survived');
    await waitFor('word of it', () => seen.includes('lives'));
    expect(await lives.stop(0)).toEqual({ kind: 'exited', exit: { signal: 'SIGKILL' } });
  }, 60_000);

  it('changes limits while it runs, and says what only a restart changes', async () => {
    const run = await sh('echo up; read -r go');
    await waitForScreen(run, 'up');
    const limits = { ...LIMITS, memory: '1GB', cpu: '0.5', processes: 100 };
    expect(await run.changeLimits(limits)).toMatchObject({ mechanism: 'container' });
    const { HostConfig: host } = await bench.docker.getContainer(nameOf('agent-1')).inspect();
    expect([host.Memory, host.NanoCpus, host.PidsLimit]).toEqual([2 ** 30, 5e8, 100]);
    await expect(run.changeLimits({ ...limits, tmp: '1GB', openFiles: 99 })).rejects.toMatchObject({
      data: { restart: ['the number of open files', 'the size of /tmp'] },
    });
  });

  it('runs the set-up first, and not the agent when that fails', async () => {
    const run = await sh('echo the agent', { setup: 'echo preparing; false; echo never' });
    expect(await run.ended).toMatchObject({
      kind: 'exited',
      exit: { code: 1 },
      cause: expect.stringContaining('set-up') as unknown,
    });
    const { lines } = await run.capture({ historyLines: 100, ansi: false });
    expect(lines.join('\n')).toContain('preparing');
    expect(lines.join('\n')).not.toContain('the agent');
  });

  it('gives a command that attaches', async () => {
    const run = await sh(`stty -echo; echo ready; while read -r line; do echo "got <$line>"; done`);
    await waitForScreen(run, 'ready');
    // script(1) is the terminal of a person.
    const person = spawn('script', ['-qec', run.attachCommand ?? '', '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let seen = '';
    person.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString('utf8');
    });
    await waitFor('the screen', () => seen.includes('ready'));
    person.stdin.write('hello\r');
    await waitFor('the answer', () => seen.includes('got <hello>'));
    person.kill('SIGKILL');
    expect(isRunning(run.pid)).toBe(true);
  });

  describe('after the core', () => {
    const Started = z.object({ pid: z.number(), runId: z.string(), startedAt: z.number() });

    /** Starts a core that starts an agent, and kills it. */
    async function killedCore(script: string): Promise<z.infer<typeof Started>> {
      const program = new URL('./testing/docker-host.ts', import.meta.url).pathname;
      const core = spawn(process.execPath, [program, bench.instanceId, folder, '/bin/sh', '-c', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      core.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
      });
      await waitFor('the core', () => said.includes('\n'), 30_000);
      core.kill('SIGKILL');
      return Started.parse(JSON.parse(said));
    }

    it('finds a running agent with its history, and sweeps what the core left in it', async () => {
      const started = await killedCore(`echo before; ${COUNTER}`);
      const run = await only(await runtime.adopt(known));
      expect({ pid: run.pid, runId: run.runId, startedAt: run.startedAt }).toEqual(started);
      expect(await waitForScreen(run, 'before')).toContain('before');
      const clients = async (): Promise<number> => {
        const { stdout } = await execute('docker', [
          ...['exec', '-e', 'LC_ALL=C.UTF-8', nameOf('agent-1'), '/opt/qd/lib/ld-linux-x86-64.so.2', '--library-path'],
          ...['/opt/qd/lib', '/opt/qd/bin/tmux', '-S', '/tmp/.quarterdeck/tmux.sock', 'list-clients'],
        ]);
        return stdout.split('\n').filter(Boolean).length;
      };
      await waitFor('only the new core’s client', async () => (await clients()) === 1);
      const counted = readFileSync(join(folder, 'counter'), 'utf8');
      await waitFor('it goes on', () => readFileSync(join(folder, 'counter'), 'utf8') !== counted);
      expect(await run.stop(0)).toEqual({ kind: 'exited', exit: { signal: 'SIGKILL' } });
    }, 60_000);

    it('finds one that has ended, with its exit code and last screen', async () => {
      await killedCore('echo last words; while [ ! -e go ]; do sleep 0.01; done; exit 5');
      writeFileSync(join(folder, 'go'), '');
      await waitFor('the end', async () => !(await bench.docker.getContainer(nameOf('agent-1')).inspect()).State.Running);
      const run = await only(await runtime.adopt(known));
      expect(await run.ended).toEqual({ kind: 'exited', exit: { code: 5 } });
      expect((await run.capture({ historyLines: 10, ansi: false })).lines.join('\n')).toContain('last words');
      await run.discard();
      expect(await mine()).toEqual([]);
    }, 60_000);

    it('finds a paused one, and lets it go on', async () => {
      await killedCore(`echo hello; ${COUNTER}`);
      await bench.docker.getContainer(nameOf('agent-1')).pause();
      const run = await only(await runtime.adopt(known));
      expect(run.isPaused()).toBe(true);
      await expect(run.capture({ historyLines: 0, ansi: false })).rejects.toThrow(/while its container is paused/);
      await run.resume();
      expect(await waitForScreen(run, 'hello')).toContain('hello');
    }, 60_000);

    it('shows what a paused one showed before, until it goes on', async () => {
      const pictureFile = (): string => join(folder, 'paused-screen.json');
      const first = bench.runtime({ pictureFile });
      const paused = await sh(`echo hello; ${COUNTER}`, {}, {}, first);
      await waitForScreen(paused, 'hello');
      await paused.pause();
      expect(existsSync(pictureFile())).toBe(true);
      await first.close();
      const run = await only(await bench.runtime({ pictureFile }).adopt(known));
      expect(run.isPaused()).toBe(true);
      expect((await run.capture({ historyLines: 0, ansi: false })).lines.join('\n')).toContain('hello');
      expect(await run.windows()).toEqual(['main']);
      await run.resume();
      expect(await waitForScreen(run, 'hello')).toContain('hello');
      await waitFor('the picture to go', () => !existsSync(pictureFile()));
    }, 60_000);

    it('doubts one that somebody gave more to meanwhile', async () => {
      await killedCore('sleep 1000');
      const { Id } = await bench.docker.getContainer(nameOf('agent-1')).inspect();
      const held = await only(await bench.runtime().adopt(known));
      expect(held.doubt).toBeUndefined();
      held.release();
      // In the kernel itself: of what the engine was asked to change, it tells.
      const limits = ['/sys/fs/cgroup/pids/docker', '/sys/fs/cgroup/docker', '/sys/fs/cgroup/system.slice'].flatMap((parent) =>
        [join(parent, Id, 'pids.max'), join(parent, `docker-${Id}.scope`, 'pids.max')].filter((path) => existsSync(path)),
      );
      expect(limits).toHaveLength(1);
      for (const file of limits) writeFileSync(file, '12345');
      const run = await only(await runtime.adopt(known));
      expect(run.doubt).toMatch(/limits.*12345/);
    }, 60_000);

    it('removes containers of agents that nobody knows, and leaves other instances alone', async () => {
      await killedCore('sleep 1000');
      const other = new ContainerBench();
      expect(await other.runtime().adopt(known)).toEqual([]);
      expect(await mine()).toHaveLength(1);
      expect(await runtime.adopt(new Set())).toEqual([]);
      expect(await mine()).toEqual([]);
      await other.cleanUp();
    }, 60_000);
  });
});

function fail(): never {
  throw new Error('nothing was read back');
}
