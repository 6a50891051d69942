import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isRunning } from '../process-table.ts';
import type { Run } from '../runtime.ts';
import { agentId, launchSpec, removeFolder, scratchFolder, waitFor, waitForScreen } from '../testing/support.ts';
import { ContainerBench } from './testing/container-bench.ts';
import { OwnEngine } from './testing/own-engine.ts';

const COUNTER = 'i=0; while :; do i=$((i+1)); echo $i > counter.tmp; mv counter.tmp counter; sleep 0.01; done';

describe('an engine that goes away', () => {
  let state: string;
  let folder: string;
  let engine: OwnEngine;
  let bench: ContainerBench;

  beforeAll(async () => new ContainerBench().prepare(), 180_000);
  beforeEach(() => {
    state = scratchFolder();
    folder = scratchFolder();
  });
  afterEach(async () => {
    await bench.cleanUp();
    await engine.dispose();
    removeFolder(state);
    removeFolder(folder);
  }, 60_000);

  async function start(options: { isLiveRestore?: boolean } = {}): Promise<void> {
    engine = new OwnEngine({ folder: state, ...options });
    await engine.start();
    await engine.loadAgentImage();
    bench = new ContainerBench(engine.docker);
  }
  const launch = (script: string): Promise<Run> =>
    bench.runtime().launch(bench.boxed(launchSpec(['/bin/sh', '-c', script], { cwd: folder })));

  it('ends its agents when it is restarted, and that is what is told', async () => {
    await start();
    const run = await launch(`trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done`);
    await waitForScreen(run, 'up');
    let isOver = false;
    run.ended.then(
      () => {
        isOver = true;
      },
      () => undefined,
    );
    await engine.end('SIGKILL');
    await waitFor('word that it is away', () => bench.notes.some((note) => note.includes('does not answer')));
    // Nobody says that the agent ended, and it did not.
    expect(isOver).toBe(false);
    expect(isRunning(run.pid)).toBe(true);
    await engine.start();
    expect(await run.ended).toMatchObject({ kind: 'exited', cause: 'the container engine was restarted' });
    expect(isRunning(run.pid)).toBe(false);
    await run.discard();
  }, 180_000);

  it('loses nothing where containers outlive it', async () => {
    await start({ isLiveRestore: true });
    const run = await launch(`echo up; ${COUNTER}`);
    await waitForScreen(run, 'up');
    await engine.end('SIGKILL');
    await waitFor('word that it is away', () => bench.notes.some((note) => note.includes('does not answer')));
    await expect(run.pause()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await engine.start();
    await waitFor('the terminal', () => run.capture({ historyLines: 10, ansi: false }).catch(() => undefined), 30_000);
    const counted = readFileSync(join(folder, 'counter'), 'utf8');
    await waitFor('it goes on', () => readFileSync(join(folder, 'counter'), 'utf8') !== counted);
    expect(await run.stop(0)).toEqual({ kind: 'exited', exit: { signal: 'SIGKILL' } });
  }, 180_000);

  it('says that its disk is full, and leaves nothing behind', async () => {
    const data = join(state, 'data');
    mkdirSync(data);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=900m', 'tmpfs', data]);
    await start();
    const first = await launch('echo up; read -r go');
    await waitForScreen(first, 'up');
    engine.fill(0);
    const spec = launchSpec(['true'], { cwd: folder, agentId: agentId('second') });
    await expect(bench.runtime().launch(bench.boxed(spec))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/disk .*is full/) as unknown,
    });
    expect(await engine.docker.listContainers({ all: true })).toHaveLength(1);
    // Who runs goes on, and can be ended.
    expect(await waitForScreen(first, 'up')).toContain('up');
    expect(await first.stop(0)).toMatchObject({ kind: 'exited' });
  }, 180_000);
});
