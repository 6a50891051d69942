import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RuntimeAvailability } from '#shared/runtimes/model.ts';
import { removeFolder, scratchFolder, waitFor } from '../testing/support.ts';
import { DockerRuntime } from './docker-runtime.ts';
import { joinEngineGroup, restartEngine, startEngine } from './engine-commands.ts';
import { isTooOld, remedyFor, troubleOf } from './engine-remedy.ts';
import { IMAGE_SOURCE } from './testing/agent-image.ts';
import { DOCKER_20_10, ScriptedEngine } from './testing/scripted-engine.ts';

const INSTALL = 'install an engine';

describe('an engine that cannot be used', () => {
  let folder: string;
  beforeEach(() => {
    folder = scratchFolder();
  });
  afterEach(() => {
    vi.useRealTimers();
    removeFolder(folder);
  });

  /** Looks at an engine. On the PATH is nothing but what the test put into its folder. */
  const probe = async (docker: Docker): Promise<RuntimeAvailability> => {
    const runtime = new DockerRuntime({
      instanceId: 'test',
      source: { ...IMAGE_SOURCE, env: { PATH: folder } },
      connect: () => docker,
      sockets: 'line',
      log: () => undefined,
      installCommand: () => Promise.resolve(INSTALL),
    });
    try {
      return await runtime.probe();
    } finally {
      await runtime.close();
    }
  };
  const nobody = (): Docker => new Docker({ socketPath: join(folder, 'no.sock') });

  it('is installed where it is not there, and started where it is', async () => {
    expect(await probe(nobody())).toMatchObject({
      isAvailable: false,
      problem: expect.stringMatching(/^No container engine answers: .*no\.sock/) as unknown,
      remedy: INSTALL,
    });
    writeFileSync(join(folder, 'dockerd'), '');
    chmodSync(join(folder, 'dockerd'), 0o755);
    expect((await probe(nobody())).remedy).toBe(startEngine());
    expect(startEngine()).toMatch(/start|open/);
  });

  it('is opened to who may not use it', async () => {
    const refused = Object.assign(new Error('connect EACCES /var/run/docker.sock'), { code: 'EACCES' });
    expect(troubleOf(refused)).toBe('forbidden');
    const o = { env: {}, install: () => Promise.resolve(INSTALL) };
    expect(await remedyFor('forbidden', o)).toBe(joinEngineGroup());
    expect(joinEngineGroup()).toContain('usermod -aG docker');
    // Whoever answers with nonsense is mended by no command.
    expect(troubleOf(new SyntaxError('no JSON'))).toBe('other');
    expect(await remedyFor('other', o)).toBeUndefined();
  });

  it('is restarted when it hangs (a mock)', async () => {
    const engine = await new ScriptedEngine({ ...DOCKER_20_10, 'GET /info': 'never' }).start();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const probed = probe(engine.docker);
    await waitFor('the question', () => engine.asked.includes('GET /info'), 30_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await probed).toMatchObject({
      isAvailable: false,
      problem:
        'The container engine hangs: it did not answer within 5 s when it was asked to say what it is. See quarterdeck doctor.',
      remedy: restartEngine(),
    });
    await engine.dispose();
  });

  it('is replaced when it is too old (a mock)', async () => {
    const version = { status: 200, body: { Version: '19.03.15', ApiVersion: '1.40', Arch: process.arch } };
    const engine = await new ScriptedEngine({ ...DOCKER_20_10, 'GET /version': version }).start();
    expect(await probe(engine.docker)).toMatchObject({
      isAvailable: false,
      version: '19.03.15',
      problem: expect.stringMatching(/19\.03\.15 .*too old: Docker 20\.10/) as unknown,
      remedy: INSTALL,
    });
    await engine.dispose();
    expect(['1.40', '1.5', '0.9'].map(isTooOld)).toEqual([true, true, true]);
    expect(['1.41', '1.100', '2.0', '', 'next'].map(isTooOld)).toEqual([false, false, false, false, false]);
  });

  it('is named in the environment where it is on another machine', async () => {
    const found = await probe(new Docker({ protocol: 'http', host: '192.0.2.1', port: 2375 }));
    expect(found).toMatchObject({ isAvailable: false, remedy: 'unset DOCKER_HOST' });
    expect(found.problem).toContain('reached over a network');
  });
});
