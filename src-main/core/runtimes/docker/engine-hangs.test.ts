/** An engine that takes connections and does not answer: a mock, because no real one can be brought to hang at each step. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { messageOf } from '#shared/kernel/errors.ts';
import { launchSpec, removeFolder, scratchFolder, waitFor } from '../testing/support.ts';
import { agentImageName } from './agent-image.ts';
import { restartEngine } from './engine-commands.ts';
import { askEngine, EngineSilence } from './engine-deadline.ts';
import { IMAGE_SOURCE } from './testing/agent-image.ts';
import { ContainerBench } from './testing/container-bench.ts';
import { DOCKER_20_10, ScriptedEngine } from './testing/scripted-engine.ts';
import { launchScript, SCRIPTED_ID } from './testing/scripted-launch.ts';

/** Longer than any question may take, in milliseconds. */
const VERY_LONG_MS = 61_000;

describe('a question to an engine', () => {
  it('is answered, fails as it does, or ends with its deadline and the connection', async () => {
    expect(await askEngine('count', () => Promise.resolve(1))).toBe(1);
    await expect(askEngine('count', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    let given: AbortSignal | undefined;
    const silence = askEngine('count', (signal) => ((given = signal), new Promise(() => undefined)), 1);
    await expect(silence).rejects.toBeInstanceOf(EngineSilence);
    await expect(silence).rejects.toThrow(/within 0.001 s when it was asked to count/);
    expect(given?.aborted).toBe(true);
  });
});

describe('a launch in an engine that hangs (a mock)', () => {
  let engine: ScriptedEngine;
  let bench: ContainerBench;
  let folder: string;
  let key: string;

  beforeEach(async () => {
    ({ key } = await agentImageName(IMAGE_SOURCE));
    engine = await new ScriptedEngine({ ...DOCKER_20_10, ...launchScript(key) }).start();
    bench = new ContainerBench(engine.docker);
    folder = scratchFolder();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await bench.cleanUp();
    await engine.dispose();
    removeFolder(folder);
  });

  /** Launches an agent, lets the time pass that the engine says nothing, and tells how the launch failed. */
  async function failure(step: string): Promise<{ message: string; data: unknown }> {
    const [runtime, spec] = [bench.runtime({ sockets: 'line' }), bench.boxed(launchSpec(['true'], { cwd: folder }))];
    if (spec.box === undefined) throw new Error('no box');
    const box = { ...spec.box, openLine: () => Promise.resolve() };
    const launches = [1, 2].map((n) =>
      runtime.launch({ ...spec, runId: `run_${n}`, box: n === 1 ? box : { ...box, openDesk: fail } }),
    );
    let outcome: unknown;
    launches[0]?.then(
      () => (outcome = new Error('it was started')),
      (error: unknown) => (outcome = error),
    );
    launches[1]?.catch(() => undefined);
    await waitFor(step, () => engine.asked.includes(step), 30_000);
    await vi.advanceTimersByTimeAsync(VERY_LONG_MS);
    await waitFor(
      'the end of the launch',
      async () => {
        // What is tried after the failure has its own time.
        await vi.advanceTimersByTimeAsync(1_000);
        return outcome !== undefined;
      },
      30_000,
    );
    await runtime.close();
    return { message: messageOf(outcome), data: outcome instanceof Error && 'data' in outcome ? outcome.data : undefined };
  }
  const fail = (): never => {
    throw new Error('only one is looked at');
  };

  it.each([
    ['GET /version', 'say what it is'],
    ['GET /events', 'tell of its containers'],
    ['GET /images/quarterdeck-agent:KEY/json', 'look at image quarterdeck-agent:KEY'],
    ['POST /volumes/create', 'make volume quarterdeck-kit-KEY'],
    ['POST /containers/create', 'make the container that fills it'],
    [`POST /containers/${SCRIPTED_ID}/start`, 'start the container'],
    [`GET /containers/${SCRIPTED_ID}/json`, 'look at a container'],
  ])('ends at %s, and says what to do', async (step, words) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const at = step.replace('KEY', key);
    engine.change({ [at]: 'never' });
    const { message } = await failure(at);
    expect(message, JSON.stringify(engine.asked)).toMatch(/^Agent agent-1 cannot be started in a container: .*hangs/);
    expect(message).toContain(`when it was asked to ${words.replace('KEY', key)}`);
  });

  it('names the command that restarts the engine, and removes what was made', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    engine.change({ [`POST /containers/${SCRIPTED_ID}/start`]: 'never' });
    const { message, data } = await failure(`POST /containers/${SCRIPTED_ID}/start`);
    expect(message).toContain(restartEngine());
    expect(data).toMatchObject({ cause: 'engine', step: 'start the container', remedy: restartEngine() });
    expect(engine.asked).toContain(`DELETE /containers/${SCRIPTED_ID}`);
  });

  it('ends, too, where nothing more is answered from then on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const container = `/containers/${SCRIPTED_ID}`;
    const silent = [`POST ${container}/start`, `GET ${container}/logs`, `DELETE ${container}`, `GET ${container}/json`];
    engine.change(Object.fromEntries(silent.map((question) => [question, 'never'])));
    expect((await failure(`POST ${container}/start`)).message).toContain('when it was asked to start the container');
  });
});
