/**
 * What is said of Podman, with a mock that answers as Podman 4.3.1 of Debian 12 was seen to answer: it cannot run agents on the
 * machines of these tests. The box that speaks is a mock, too: it found inside what was found there.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BOX } from '#shared/box/places.ts';
import { BoxProbe } from '#shared/box/model.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { heldChecks } from '#core/boundary/testing/proofs.ts';
import { launchSpec, removeFolder, scratchFolder } from '../testing/support.ts';
import type { LaunchSpec } from '../runtime.ts';
import { agentImageName } from './agent-image.ts';
import { IMAGE_SOURCE } from './testing/agent-image.ts';
import { ContainerBench } from './testing/container-bench.ts';
import { PODMAN_4_3, ScriptedEngine } from './testing/scripted-engine.ts';
import { launchScript, SCRIPTED_ID } from './testing/scripted-launch.ts';

const START = `POST /containers/${SCRIPTED_ID}/start`;
const REMOVE = `DELETE /containers/${SCRIPTED_ID}`;

describe('Podman (a mock)', () => {
  let engine: ScriptedEngine;
  let bench: ContainerBench;
  let folder: string;
  let spec: LaunchSpec;

  beforeEach(async () => {
    const { key } = await agentImageName(IMAGE_SOURCE);
    engine = await new ScriptedEngine({ ...PODMAN_4_3, ...launchScript(key) }).start();
    bench = new ContainerBench(engine.docker);
    folder = scratchFolder();
    const boxed = bench.boxed(launchSpec(['true'], { cwd: folder }));
    if (boxed.box === undefined) throw new Error('no box');
    spec = { ...boxed, box: { ...boxed.box, openLine: () => Promise.resolve() } };
  });
  afterEach(async () => {
    await bench.cleanUp();
    await engine.dispose();
    removeFolder(folder);
  });
  const launch = (): Promise<unknown> => bench.runtime({ sockets: 'line' }).launch(spec);

  /** The box says what it found: all of it holds, but for these. */
  async function speak(...found: readonly ProofCheck[]): Promise<void> {
    const sockets = spec.box?.mounts.find(({ target }) => target === BOX.sockets)?.source ?? '';
    const socket = connect(join(sockets, 'launch.sock'));
    socket.on('error', () => undefined);
    const [line] = await new Promise<[string]>((resolve, reject) => {
      createInterface({ input: socket }).once('line', (text) => resolve([text]));
      socket.once('error', reject);
    });
    const probe = BoxProbe.parse(JSON.parse(line));
    socket.write(`${JSON.stringify({ type: 'proof', checks: [...heldChecks(probe), ...found], tookMs: 1 })}\n`);
  }

  it('is told to be Podman, and that each proof says whether it held', async () => {
    expect(await bench.runtime({ sockets: 'line' }).probe()).toMatchObject({
      isAvailable: true,
      version: '4.3.1 (Podman)',
      notes: expect.arrayContaining([expect.stringMatching(/^This is Podman: .*the proof of each box says/)]) as unknown,
    });
  });

  it('starts no agent where its filter of system calls lets a program make name spaces, and says so', async () => {
    engine.change({
      [START]: async () => {
        await speak({
          id: 'mount',
          title: 'Mount a file system',
          tried: 'unshare --user --map-root-user --mount, then mount',
          found: 'namespaces of its own were made, with all rights in them',
          outcome: 'broken',
          from: 'inside',
        });
        return { status: 204 };
      },
    });
    await expect(launch()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: false,
      message:
        'Agent agent-1 was not started, because its boundary does not hold: Mount a file system: namespaces of its own were made, with all rights in them (tried: unshare --user --map-root-user --mount, then mount).',
      data: { cause: 'boundary' },
    });
    expect(engine.asked.at(-1)).toBe(REMOVE);
  });

  it.each([
    [
      'its init is not there',
      'container-init binary not found on the host: stat /usr/libexec/podman/catatonit: no such file or directory',
    ],
    [
      'crun finds both versions of cgroups',
      'crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2: OCI runtime error',
    ],
  ])('starts no agent where %s, in its own words', async (_what, words) => {
    engine.change({ [START]: { status: 500, body: { message: words } } });
    await expect(launch()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `Agent agent-1 cannot be started in a container: ${words}`,
    });
    expect(engine.asked.at(-1)).toBe(REMOVE);
  });
});
