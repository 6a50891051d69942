import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '#shared/agents/model.ts';
import { ResourceLimits } from '#shared/agents/model.ts';
import type { BoxProbe } from '#shared/box/model.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { CORE } from '#core/caller.ts';
import { agentId } from '#core/runtimes/testing/support.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import type { BoxLaunch } from './boundary-service.ts';
import { BoundaryService } from './boundary-service.ts';
import { heldCheck, heldChecks } from './testing/proofs.ts';
import type { Twin, TwinResult } from './twin.ts';

const ADA = agentId('ada');
const outside = [heldCheck('engine-network', 'outside')];
const GOOD: TwinResult = {
  exit: { code: 0 },
  oomKills: 0,
  peakMemoryBytes: 100 << 20,
  peakProcesses: 60,
  cpuMs: 500,
  ranMs: 1000,
  throttledPeriods: 9,
  output: '',
  logBytes: 1 << 20,
};
/** What happens to each attack in a twin whose limits hold. */
const HELD: Readonly<Record<string, Partial<TwinResult>>> = {
  memory: { exit: { code: 137 }, oomKills: 1 },
  processes: { output: 'started 59\n' },
  disk: { output: 'tmp 67108864 ENOSPC root EROFS\n' },
};

let test: TestStore;
let boundary: 'container' | 'host';
let results: Readonly<Record<string, Partial<TwinResult>>>;
let attacks: string[];
let service: BoundaryService;

const twin: Twin = {
  subject: 'sha256:image options engine',
  limits: { memoryBytes: 256 << 20, processes: 64, cpus: 0.5, tmpBytes: 64 << 20, logBytes: 2 << 20 },
  run: ([, name = '']) => {
    attacks.push(name);
    return Promise.resolve({ ...GOOD, ...results[name] });
  },
};

beforeEach(() => {
  test = openTestStore();
  boundary = 'container';
  results = HELD;
  attacks = [];
  service = new BoundaryService({
    store: test.store,
    now: Date.now,
    agentOf: (id) => (id === ADA ? ({ id, projectId: SYSTEM_PROJECT_ID, boundary } as unknown as Agent) : undefined),
    hiddenFrom: () => ({ paths: ['/data'], addresses: [], texts: ['short', 'a-token-that-is-long-enough'] }),
    limitsOf: () => ({ mechanism: 'container', note: 'by its cgroup' }),
    boxOf: () =>
      Promise.resolve({ mounts: [{ source: '/w', target: '/workspace', isWritable: true }], user: { uid: 7, gid: 7 } }),
    twinOf: () => Promise.resolve(twin),
  });
});
afterEach(() => test.dispose());

const launchOf = (changes: Partial<BoxLaunch> = {}): BoxLaunch => ({
  agentId: ADA,
  projectId: SYSTEM_PROJECT_ID,
  runId: 'run_1',
  boundary: 'container',
  socketDir: test.dir,
  user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  mounts: [
    { source: '/w', target: '/workspace', isWritable: true },
    { source: '/g', target: '/opt/qd/guests', isWritable: false },
  ],
  limits: ResourceLimits.parse({ memory: '256MB', cpu: '0.5', processes: 64 }),
  start: { argv: ['x'], cwd: '/', env: {}, size: { cols: 80, rows: 24 }, sideWindows: [], setup: null, keptLines: 10 },
  ...changes,
});

/** A box at the desk that says what `change` makes of a proof that holds; resolves to the probe. */
function playBox(change: (checks: ReturnType<typeof heldChecks>) => void = () => undefined): Promise<BoxProbe> {
  return new Promise((resolve) => {
    const socket = connect(join(test.dir, 'launch.sock'));
    socket.on('error', () => undefined);
    socket.once('data', (line) => {
      const probe = JSON.parse(line.toString()) as BoxProbe;
      const checks = heldChecks(probe);
      change(checks);
      socket.write(`${JSON.stringify({ type: 'proof', checks, tookMs: 70 })}\n`);
      socket.once('data', () => socket.write('{"type":"started","pid":5}\n'));
      resolve(probe);
    });
  });
}

const events = async (): Promise<unknown[]> => {
  const { events: all } = await test.store.read('journal.events', { after: 0, limit: 100 });
  return all.filter(({ kind }) => kind.startsWith('boundary.'));
};

describe('a launch', () => {
  it('is let go with a proof that is stored and journaled, and shown with the agent', async () => {
    const desk = await service.openDesk(launchOf());
    const box = playBox();
    expect(await desk.admit(outside, { makesTerminal: true })).toEqual({ pid: 5 });
    const probe = await box;
    expect(probe).toMatchObject({
      writablePaths: ['/workspace'],
      readOnlyPaths: ['/opt/qd/guests'],
      hiddenPaths: ['/data'],
      limits: { memoryBytes: 256 << 20, processes: 64, openFiles: 4096, cpus: 0.5 },
    });
    // Not the values themselves, and none that could be the same by chance.
    expect(probe.hiddenValues.hashes).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(JSON.stringify(probe)).not.toContain('a-token');
    const [proof] = await service.proofs(ADA, 10);
    expect(proof).toMatchObject({ kind: 'launch', holds: true, problem: null, runId: 'run_1', tookMs: 70 });
    expect(await events()).toMatchObject([{ kind: 'boundary.proved', subject: 'ada', data: { proofId: proof?.id } }]);
    expect(await service.get(ADA)).toMatchObject({ launch: { id: proof?.id }, exhaustion: null, user: 'uid 7' });
  });

  it('is refused with the reason when one check is broken, and that is stored, too', async () => {
    const desk = await service.openDesk(launchOf());
    const box = playBox((checks) => {
      const [first] = checks;
      if (first) checks[0] = { ...first, outcome: 'broken', found: 'CapEff 1' };
    });
    await expect(desk.admit(outside, { makesTerminal: true })).rejects.toThrow(/does not hold: .*CapEff 1/);
    await box;
    expect((await service.get(ADA)).launch).toMatchObject({
      holds: false,
      problem: expect.stringContaining('CapEff 1') as unknown,
    });
    expect(await events()).toMatchObject([{ kind: 'boundary.failed', data: { kind: 'launch' } }]);
  });

  it('is told as refused also when nothing came from the box', async () => {
    const desk = await service.openDesk(launchOf());
    const admitted = desk.admit(outside, { makesTerminal: true });
    desk.dispose();
    await expect(admitted).rejects.toThrow(/did not show what holds it/);
    expect(await events()).toMatchObject([{ kind: 'boundary.failed' }]);
  });

  it('has no evidence left once its boundary is another one', async () => {
    const desk = await service.openDesk(launchOf());
    const box = playBox();
    await desk.admit(outside, { makesTerminal: true });
    await box;
    boundary = 'host';
    expect(await service.get(ADA)).toMatchObject({ boundary: 'host', launch: null, mounts: [], user: null });
  });

  it('fails clearly where its socket cannot be made', async () => {
    await expect(service.openDesk(launchOf({ socketDir: join(test.dir, 'nowhere') }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });
});

describe('a twin', () => {
  it('is attacked once for all that are alike, and again when asked', async () => {
    await service.proveOnce(ADA);
    expect(attacks).toEqual(['memory', 'processes', 'cpu', 'disk', 'log']);
    await service.proveOnce(ADA);
    expect(attacks).toHaveLength(5);
    const { exhaustion } = await service.get(ADA);
    expect(exhaustion).toMatchObject({ kind: 'exhaustion', holds: true });
    expect(exhaustion?.checks.map(({ outcome }) => outcome)).toEqual(['held', 'held', 'held', 'held', 'held']);
    const [one, other] = await Promise.all([service.prove(ADA, CORE), service.prove(ADA, CORE)]);
    expect(one.id).toBe(other.id);
    expect(attacks).toHaveLength(10);
  });

  it.each<[string, Partial<TwinResult>, string]>([
    ['held back by the kernel', { cpuMs: 200, throttledPeriods: 4 }, 'held'],
    ['that came to its limit where nothing is counted', { cpuMs: 480, throttledPeriods: null }, 'held'],
    ['on a busy machine, which never came to its limit', { cpuMs: 200, throttledPeriods: 0 }, 'unknown'],
    ['far from its limit where nothing is counted', { cpuMs: 200, throttledPeriods: null }, 'unknown'],
    ['whose time cannot be read', { cpuMs: null }, 'unknown'],
  ])('is judged by its CPU time only when it was put to the test: one %s', async (_what, result, outcome) => {
    results = { ...HELD, cpu: result };
    const proof = await service.prove(ADA, CORE);
    const check = proof.checks.find(({ id }) => id === 'exhaust-cpu');
    expect(check?.outcome).toBe(outcome);
    expect(check?.found.includes('the limit was not reached, so it was not judged')).toBe(
      outcome === 'unknown' && result.cpuMs !== null,
    );
    expect(proof.holds).toBe(true);
  });

  it.each<[string, Partial<TwinResult>]>([
    ['memory', { exit: { code: 0 }, oomKills: 0 }],
    ['memory', { exit: { code: 137 }, oomKills: 1, peakMemoryBytes: 300 << 20 }],
    ['processes', { output: 'started 5000' }],
    ['cpu', { cpuMs: 2000 }],
    ['disk', { output: 'tmp 67108864 ENOSPC root ok' }],
    ['disk', { output: '' }],
    ['log', { logBytes: 32 << 20 }],
  ])('shows that a limit on %s does not hold', async (name, result) => {
    results = { ...HELD, [name]: result };
    const proof = await service.prove(ADA, CORE);
    expect(proof.holds).toBe(false);
    expect(proof.checks.filter(({ outcome }) => outcome === 'broken').map(({ id }) => id)).toEqual([`exhaust-${name}`]);
    expect(await events()).toMatchObject([{ kind: 'boundary.failed', data: { kind: 'exhaustion' } }]);
  });

  it('is there for containers only', async () => {
    boundary = 'host';
    await service.proveOnce(ADA);
    await expect(service.prove(ADA, CORE)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(service.prove(agentId('nobody'), CORE)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(attacks).toEqual([]);
  });
});
