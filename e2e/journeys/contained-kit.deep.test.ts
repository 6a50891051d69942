/**
 * The kit of an agent in a container, the volume with Node and tmux, is gone or is not what it was: an agent starts in its container
 * or not at all, and its state says why. In an engine of the spec's own, because the machine's has one kit for everybody.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { HOST_SPACES, noting, processesOfAgent, startsNoted } from '#e2e/support/box-witness.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { isDeep } from '#e2e/support/effort.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { Agent } from '#shared/agents/model.ts';
import { agentImageName } from '#core/runtimes/docker/agent-image.ts';
import { IMAGE_SOURCE } from '#core/runtimes/docker/testing/agent-image.ts';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';
import { OwnEngine } from '#core/runtimes/docker/testing/own-engine.ts';

const JOURNEY_MS = 240_000;
const WITHIN = { timeout: 60_000, interval: 50 };
const id = `kit-${Math.random().toString(36).slice(2, 8)}`;

let engine: OwnEngine;
let state: string;
let folder: string;
let dataDir: string;
let core: TestCore;
let rest: RestClient;
let volume: string;
/** How often it was started altogether. */
let starts = 0;

const Volume = z.object({ Mountpoint: z.string() });

describe.skipIf(ENGINE_MISSING)(`an agent whose kit is gone${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  beforeAll(async () => {
    state = mkdtempSync(join(tmpdir(), 'qde-'));
    folder = mkdtempSync(join(tmpdir(), 'qd-kit-'));
    engine = new OwnEngine({ folder: state });
    await engine.start();
    await engine.loadAgentImage();
    // A loaded image keeps its id; its name is what the core looks for.
    const { key, reference } = await agentImageName(IMAGE_SOURCE);
    const [image] = await engine.docker.listImages();
    await engine.docker.getImage(image?.Id ?? '').tag({ repo: 'quarterdeck-agent', tag: key });
    expect(reference).toBe(`quarterdeck-agent:${key}`);
    volume = `quarterdeck-kit-${key}`;
    dataDir = makeDataDir();
    await begin();
    await rest.ok('POST', '/agents', {
      id,
      type: 'command',
      runtime: 'docker',
      command: noting(id),
      projectFolder: folder,
    });
    await expectStarted();
  }, JOURNEY_MS);

  afterAll(async () => {
    await core.stop();
    expect(processesOfAgent(id)).toEqual([]);
    await engine.dispose();
    removeDataDir(dataDir);
    for (const dir of [state, folder]) rmSync(dir, { recursive: true, force: true });
  }, 120_000);

  it('starts again in its container with a new kit, when the volume was removed', { timeout: JOURNEY_MS }, async () => {
    await stopAndRemove();
    await rest.ok('POST', `/agents/${id}/start`, {});
    await expectStarted();
    expect(await stateOf()).toBe('working');
  });

  // The next core's start makes it long.
  it.each(isDeep ? ['its kit is emptied'] : [])(
    'goes on where %s, also under the next core, and starts with what that one puts there',
    { timeout: JOURNEY_MS },
    async () => {
      await core.kill();
      await emptyKit();
      await begin();
      // What runs has its programs open, and is as contained as it was.
      await expectKept();
      await rest.ok('POST', `/agents/${id}/restart`, { graceMs: 0 });
      await expectStarted();
      expect(await stateOf()).toBe('working');
    },
  );

  it(
    'is not started with a kit that has lost files unnoticed, and is the next time, with all of them',
    { timeout: JOURNEY_MS },
    async () => {
      await emptyKit('lib');
      const answer = await rest.call('POST', `/agents/${id}/restart`, { graceMs: 0 });
      await expectRefused(answer, /its container ended before it had shown what holds it .*No such file/);
      await rest.ok('POST', `/agents/${id}/start`, {});
      await expectStarted();
      expect(await stateOf()).toBe('working');
    },
  );

  it('is not started with a volume of somebody else in the place of its kit', { timeout: JOURNEY_MS }, async () => {
    await stopAndRemove();
    await engine.docker.createVolume({ Name: volume });
    const answer = await rest.call('POST', `/agents/${id}/start`, {});
    await expectRefused(answer, /There is a volume quarterdeck-kit-\w+ that is not ours/);
    expect(await stateOf()).toBe('failed');
    await engine.docker.getVolume(volume).remove();
  });

  it('is not started where neither the kit nor the image it comes from is there', { timeout: JOURNEY_MS }, async () => {
    const images = await engine.docker.listImages();
    await stopAndRemove();
    for (const { Id } of images) await engine.docker.getImage(Id).remove({ force: true });
    const answer = await rest.call('POST', `/agents/${id}/start`, {});
    await expectRefused(answer, /the image quarterdeck-agent:\w+ is not there. Get it: quarterdeck image build/);
    expect(await stateOf()).toBe('failed');
  });
});

async function begin(): Promise<void> {
  core = await startCore({ dataDir, env: { DOCKER_HOST: `unix://${join(state, 'd.sock')}` } });
  rest = new RestClient(core);
}

/** Takes everything out of the kit's volume, or of a folder in it, behind the engine's back. */
async function emptyKit(part = '.'): Promise<void> {
  const { Mountpoint } = Volume.parse(await engine.docker.getVolume(volume).inspect());
  const folder = join(Mountpoint, part);
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}

/** Ends the agent; removes its container and its kit. */
async function stopAndRemove(): Promise<void> {
  await rest.call('POST', `/agents/${id}/stop`, { graceMs: 0 });
  for (const { Id } of await engine.docker.listContainers({ all: true }))
    await engine.docker.getContainer(Id).remove({ force: true });
  const { Volumes } = await engine.docker.listVolumes();
  for (const { Name } of Volumes) await engine.docker.getVolume(Name).remove();
}

async function stateOf(): Promise<string> {
  return Agent.parse(await rest.ok('GET', `/agents/${id}`)).state.status;
}

/** It was started once more. */
async function expectStarted(): Promise<void> {
  starts += 1;
  await expectKept();
}

/** It runs, in a box, as it did each time before. */
async function expectKept(): Promise<void> {
  await vi.waitFor(async () => {
    const agent = Agent.parse(await rest.ok('GET', `/agents/${id}`));
    expect([agent.boundary, agent.state.status]).toEqual(['container', 'working']);
    expect(startsNoted(folder, id)).toHaveLength(starts);
  }, WITHIN);
  expectNothingOutside();
}

/** It is not started, says why, and nothing of it runs anywhere. */
async function expectRefused(answer: { status: number; body: unknown }, reason: RegExp): Promise<void> {
  expect([answer.status, JSON.stringify(answer.body)]).toEqual([expect.toBeOneOf([409, 503]), expect.stringMatching(reason)]);
  const agent = Agent.parse(await rest.ok('GET', `/agents/${id}`));
  expect([agent.boundary, agent.state.status]).toEqual(['container', 'failed']);
  expect(JSON.stringify(agent.state)).toMatch(reason);
  expect(processesOfAgent(id)).toEqual([]);
  expect(startsNoted(folder, id)).toHaveLength(starts);
  expectNothingOutside();
}

/** Nothing of it is, or ever was, outside of a box. */
function expectNothingOutside(): void {
  const seen = processesOfAgent(id).map(({ pidSpace, netSpace }) => [pidSpace, netSpace]);
  const noted = startsNoted(folder, id).map((line) => line.split(' '));
  for (const [pidSpace, netSpace] of [...seen, ...noted]) {
    expect(pidSpace).not.toBe(HOST_SPACES[0]);
    expect(netSpace).not.toBe(HOST_SPACES[1]);
  }
}
