import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import { BOX, kitCommand } from '#shared/box/places.ts';
import type { BoxSpec, Run, Runtime } from '../runtime.ts';
import { HostLimits } from '../limits/host-limits.ts';
import { PtyRuntime } from '../pty/pty-runtime.ts';
import { TmuxRuntime } from '../tmux/tmux-runtime.ts';
import { LIMITS, processesWith, removeFolder, scratchFolder, waitFor, waitForScreen } from '../testing/support.ts';
import type { BoxFacts } from './testing/bench.ts';
import { boxedSpec } from './testing/bench.ts';
import { BUBBLEWRAP_MISSING } from './testing/find-bubblewrap.ts';

/** Ends the tmux server in a folder. */
const killServer = (socketDir: string): Promise<void> =>
  new Promise((resolve) => {
    execFile('tmux', ['-S', join(socketDir, 'tmux.sock'), 'kill-server'], () => resolve());
  });

let folder: string;
let facts: BoxFacts;
let runtime: Runtime;
const runs: Run[] = [];

describe.skipIf(BUBBLEWRAP_MISSING !== undefined).each(['pty', 'tmux'] as const)('an agent in bubblewrap over %s', (kind) => {
  beforeEach(() => {
    folder = scratchFolder();
    facts = { checks: [], outside: [], tookMs: 0 };
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
    // The same from outside, from what the kernel says of the box's own process.
    expect(facts.outside?.filter(({ outcome, from }) => outcome !== 'held' || from !== 'outside')).toEqual([]);
    expect(facts.outside?.map(({ id }) => id)).toEqual([
      'bubblewrap-version',
      'kernel-capabilities',
      'kernel-no-new-privileges',
      'kernel-seccomp',
      'kernel-user',
      'kernel-namespaces',
    ]);
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

  it('shows outside what holds its limits, as far as something of the kernel does', async () => {
    const limits = new HostLimits({ instanceId: 'test', env: process.env, log: () => undefined });
    const socketDir = join(folder, 'own');
    await runtime.close();
    runtime =
      kind === 'pty'
        ? new PtyRuntime({ log: () => undefined, socketDir, limits })
        : new TmuxRuntime({ log: () => undefined, socketDir, instanceId: 'test', limits });
    try {
      const run = await launch('read -r go', { limits: { ...LIMITS, memory: '300MB', processes: 200, openFiles: 1000 } });
      const check = (id: string): ProofCheck | undefined => facts.outside?.find((one) => one.id === id);
      expect(check('process-limits')).toMatchObject({ outcome: 'held', found: 'at most 1000 of 1000' });
      const isHeld = ['cgroup', 'systemd'].includes(run.limits.mechanism);
      const [outcome, word] = isHeld ? ['held', 'processes 200'] : ['unknown', 'watched'];
      expect(check('cgroup-limits')?.outcome).toBe(outcome);
      expect(check('cgroup-limits')?.found).toContain(word);
      await run.stop(0);
    } finally {
      await limits.sweep();
      limits.dispose();
    }
  });

  it('leaves no file behind, however it ends', async () => {
    const left = (): string[] => readdirSync(join(folder, 'own')).filter((name) => name.startsWith('exit-'));
    const run = await launch('echo up; read -r go');
    await waitForScreen(run, 'up');
    expect(left()).toEqual([]);
    await run.stop(0);
    expect(left()).toEqual([]);
  });

  it('starts nothing where the boundary does not hold, and leaves nothing behind', async () => {
    const hole = join(folder, 'hole');
    mkdirSync(join(hole), { recursive: true });
    const mounts = [{ source: hole, target: '/etc/hole', isWritable: false }];
    const spec = boxedSpec(folder, ['/bin/sh', '-c', 'touch /workspace/started'], facts, { mounts, user: { uid: 0, gid: 4 } });
    // Its group is another one than that of the files it was made for.
    const box = { ...spec.box, user: { uid: 0, gid: 0 } } as BoxSpec;
    await expect(runtime.launch({ ...spec, box })).rejects.toThrow(/boundary does not hold: Run as somebody else/);
    expect(existsSync(join(folder, 'started'))).toBe(false);
    await waitFor('its processes to go', () => processesWith(hole).length === 0);
  });
});

describe.skipIf(BUBBLEWRAP_MISSING !== undefined)('the box that bubblewrap makes', () => {
  beforeEach(() => {
    folder = scratchFolder();
    facts = { checks: [], outside: [], tookMs: 0 };
    runtime = new PtyRuntime({ log: () => undefined, socketDir: join(folder, 'own') });
  });
  afterEach(async () => {
    await runtime.close();
    removeFolder(folder);
  });

  const outputOf = async (argv: readonly string[], changes: Parameters<typeof boxedSpec>[3] = {}): Promise<string> => {
    const run = await runtime.launch(boxedSpec(folder, argv, facts, { size: { cols: 200, rows: 50 }, ...changes }));
    await run.ended;
    return (await run.capture({ historyLines: 1000, ansi: false })).lines.join('\n').trim();
  };

  it('has the operator’s programs, and none of the operator’s files, processes and variables', async () => {
    process.env['QD_TEST_SECRET'] = 'a-secret-of-the-operator';
    const script = [
      'git --version',
      'for f in / /home /root /run /var; do echo "$f:" $(ls -A $f 2>&1); done',
      'cat /proc/*/environ | tr "\\0" "\\n" | grep -c QD_TEST',
    ].join('; ');
    const text = await outputOf(['/bin/sh', '-c', script], { hiddenTexts: ['a-secret-of-the-operator'] });
    delete process.env['QD_TEST_SECRET'];
    expect(text.split('\n').map((line) => line.trim())).toEqual([
      expect.stringMatching(/^git version/),
      expect.stringMatching(/^\/: bin dev etc home .*workspace$/),
      '/home: agent',
      expect.stringContaining('No such file'),
      '/run: quarterdeck',
      expect.stringContaining('No such file'),
      '0',
    ]);
  });

  it('lets nobody type into the terminal it shares, make a namespace, or mount', async () => {
    const calls = process.arch === 'x64' ? { unshare: 272, clone: 56 } : { unshare: 97, clone: 220 };
    const script = [
      '$| = 1; $x = "x"; print "tiocsti ", (ioctl(STDIN, 0x5412, $x) ? "typed" : 0+$!), "\\n";',
      `print "unshare ", (syscall(${calls.unshare}, 0x10000000) == -1 ? 0+$! : "made"), "\\n";`,
      `print "clone ", (syscall(${calls.clone}, 0x10000011, 0, 0, 0, 0) == -1 ? 0+$! : "made"), "\\n";`,
      'print "clone3 ", (syscall(435, 0, 0) == -1 ? 0+$! : "made"), "\\n";',
      'print "x32 ", (syscall(0x40000000 + 39) == -1 ? 0+$! : "answered"), "\\n";',
      'print "fork ", (fork // exit(1)) >= 0 ? "ok" : "no", "\\n";',
    ].join(' ');
    const text = await outputOf(['/usr/bin/perl', '-e', script]);
    expect(text).toContain('tiocsti 1\nunshare 1\nclone 1\nclone3 38\nx32 38\n');
    expect(text).toContain('ok');
  });

  it('has no network but the relay, which says that its gateway is away', async () => {
    const script = `
      const { connect } = require('node:net');
      const ask = (host, port) => new Promise((done) => {
        const socket = connect(port, host, () => socket.write('GET / HTTP/1.1\\r\\n\\r\\n'));
        let said = '';
        socket.on('data', (chunk) => { said += chunk; });
        socket.on('error', (error) => done(error.code));
        socket.on('end', () => done(said.split('\\r\\n')[0]));
      });
      (async () => { for (const [host, port] of [['127.0.0.1', 3100], ['127.0.0.1', 3128], ['127.0.0.1', 3129], ['1.1.1.1', 80], ['127.0.0.1', 22]])
        console.log(port, await ask(host, port)); })();`;
    const text = await outputOf([...kitCommand('x64', 'node', ['-e', script])]);
    expect(text.split('\n').map((line) => line.trim())).toEqual([
      '3100 HTTP/1.1 502 Bad Gateway',
      '3128 HTTP/1.1 502 Bad Gateway',
      '3129 HTTP/1.1 502 Bad Gateway',
      '80 ENETUNREACH',
      '22 ECONNREFUSED',
    ]);
  });

  it('runs a set-up script first, in the same terminal, and nothing after one that fails', async () => {
    expect(await outputOf(['/bin/sh', '-c', 'echo then'], { setup: 'echo first\ntouch made' })).toMatch(/^first\s+then$/);
    expect(existsSync(join(folder, 'made'))).toBe(true);
    expect(await outputOf(['/bin/sh', '-c', 'echo then'], { setup: 'echo first\nfalse\necho not this' })).toBe('first');
  });

  it('does not wait for a box that ended without a word', async () => {
    const spec = boxedSpec(folder, ['true'], facts);
    const mounts = spec.box?.mounts.filter(({ target }) => target !== BOX.guests) ?? [];
    const broken = { ...spec, box: { ...spec.box, mounts } as BoxSpec };
    await expect(runtime.launch(broken)).rejects.toThrow(/given up/);
    const tmux = new TmuxRuntime({ log: () => undefined, socketDir: join(folder, 'own'), instanceId: 'test' });
    await expect(tmux.launch(broken)).rejects.toThrow(/given up/);
    await tmux.close();
    await killServer(join(folder, 'own'));
  });

  it('says what is missing instead of starting', async () => {
    await expect(outputOf(['no-such-program'])).rejects.toThrow(/"no-such-program" is in none of the folders/);
  });

  it('lowers itself to the owner of the files where the core is root, and refuses where it is not', async () => {
    const isRoot = process.getuid?.() === 0;
    const user = { uid: 4242, gid: 4242 };
    for (const path of isRoot ? [folder, join(folder, '.box-home'), join(folder, '.box-sockets')] : []) {
      mkdirSync(path, { recursive: true });
      chownSync(path, user.uid, user.gid);
    }
    const script = 'id -u; touch mine; stat -c %u mine; grep -E "Cap(Eff|Bnd)|NoNew|Seccomp:" /proc/self/status';
    const said = await outputOf(['/bin/sh', '-c', script], { user }).catch(messageOf);
    const status = ['CapEff:', '0000000000000000', 'CapBnd:', '0000000000000000', 'NoNewPrivs:', '1', 'Seccomp:', '2'];
    const refusal = expect.arrayContaining(['only', 'root', 'could']) as unknown;
    expect(said.split(/\s+/)).toEqual(isRoot ? ['4242', '4242', ...status] : refusal);
  });
});
