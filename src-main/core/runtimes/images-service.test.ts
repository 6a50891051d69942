import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { CORE } from '#core/caller.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { connectEngine } from './docker/engine.ts';
import { agentImageName } from './docker/agent-image.ts';
import { wholeReference } from './docker/image-pull.ts';
import { ensureAgentImage, IMAGE_SOURCE } from './docker/testing/agent-image.ts';
import { ENGINE_MISSING } from './docker/testing/find-engine.ts';
import { ImagesService } from './images-service.ts';
import { waitFor } from './testing/support.ts';

let test: TestStore;
let images: ImagesService;
beforeEach(() => {
  test = openTestStore();
  images = open(IMAGE_SOURCE);
});
afterEach(async () => {
  await images.dispose();
  await test.dispose();
});

function open(source: typeof IMAGE_SOURCE, env: NodeJS.ProcessEnv = process.env): ImagesService {
  return new ImagesService({
    store: test.store,
    docker: connectEngine(env),
    source,
    now: Date.now,
    log: () => undefined,
  });
}

/** A source whose packages are these, so that its image is one of its own. */
function sourceWith(packages: string): typeof IMAGE_SOURCE {
  const assetsDir = join(test.dir, `assets-${randomBytes(4).toString('hex')}`);
  mkdirSync(assetsDir);
  cpSync(join(IMAGE_SOURCE.assetsDir, 'agent-image'), join(assetsDir, 'agent-image'), { recursive: true });
  writeFileSync(join(assetsDir, 'agent-image', 'packages.txt'), packages);
  return { ...IMAGE_SOURCE, assetsDir };
}

async function ended(service: ImagesService): Promise<NonNullable<Awaited<ReturnType<ImagesService['list']>>['job']>> {
  return waitFor(
    'the end of the job',
    async () => {
      const { job } = await service.list();
      return job !== null && job.state !== 'running' && job;
    },
    200_000,
  );
}

describe('references', () => {
  it('get the tag that people mean, because an engine would fetch all of them', () => {
    expect(wholeReference('alpine')).toBe('alpine:latest');
    expect(wholeReference('registry.example:5000/team/alpine')).toBe('registry.example:5000/team/alpine:latest');
    for (const whole of ['alpine:3.20', 'team/alpine:3', 'alpine@sha256:abc', 'registry.example:5000/alpine:3'])
      expect(wholeReference(whole)).toBe(whole);
  });
});

describe('images without an engine', () => {
  it('say that none answers, and what helps', async () => {
    images = open(IMAGE_SOURCE, { DOCKER_HOST: `unix://${join(test.dir, 'no.sock')}` });
    await expect(images.list()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await images.make({}, CORE);
    await images.dispose();
    expect(test.journal.seq).toBe(0);
  });
});

describe.skipIf(ENGINE_MISSING)(`images${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  it('are listed with the one that is ours', { timeout: 600_000 }, async () => {
    const reference = await ensureAgentImage();
    const { agentImage, images: found } = await images.list();
    expect(agentImage).toEqual({ reference, isThere: true });
    expect(await images.agentImage()).toEqual(agentImage);
    expect(found.filter(({ isAgentImage }) => isAgentImage).map((image) => image.reference)).toEqual([reference]);
  });

  it('are made by one job at a time, which tells how far it is and why it failed', { timeout: 200_000 }, async () => {
    const source = sourceWith('bash\nno-such-package-at-all\n');
    images = open(source);
    const job = await images.make({ way: 'packages' }, CORE);
    expect(job).toMatchObject({ reference: (await agentImageName(source)).reference, kind: 'build', state: 'running' });
    expect((await images.make({}, CORE)).startedAt).toBe(job.startedAt);
    await expect(images.make({ reference: 'alpine:3.20' }, CORE)).rejects.toMatchObject({ code: 'CONFLICT' });
    const failed = await ended(images);
    expect(failed).toMatchObject({ state: 'failed', problem: expect.stringContaining('no-such-package-at-all') as string });
    expect(failed.log.length).toBeGreaterThan(0);
    expect(failed.endedAt).toBeGreaterThanOrEqual(job.startedAt);
    expect(test.journal.seq).toBe(0);
  });

  it('are fetched, and a registry that refuses is told with what helps', { timeout: 60_000 }, async () => {
    // A registry on this machine that has nothing; the engine speaks plain HTTP to the loopback.
    const registry = createServer((request, response) => {
      response.writeHead(request.url === '/v2/' ? 200 : 404, { 'content-type': 'application/json' }).end('{"errors":[]}');
    });
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = registry.address() as AddressInfo;
      const job = await images.make({ reference: `127.0.0.1:${port}/nothing` }, CORE);
      expect(job).toMatchObject({ kind: 'pull', reference: `127.0.0.1:${port}/nothing:latest` });
      expect(await ended(images)).toMatchObject({
        state: 'failed',
        problem: expect.stringMatching(/could not be fetched: .*docker load/) as string,
      });
    } finally {
      registry.close();
    }
  });

  it('end with the core, in the middle of making one', { timeout: 60_000 }, async () => {
    images = open(sourceWith('bash\n'));
    await images.make({ way: 'packages' }, CORE);
    await images.dispose();
    expect((await images.list()).job).toMatchObject({ state: 'failed', problem: expect.stringContaining('again') as string });
    await expect(images.make({}, CORE)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('go into the journal when they are made', { timeout: 300_000 }, async () => {
    // An image of our own, so that nobody's is replaced while it is used.
    const source = sourceWith(`${readFileSync(join(IMAGE_SOURCE.assetsDir, 'agent-image', 'packages.txt'), 'utf8')}# ours\n`);
    images = open(source);
    const { key, reference } = await agentImageName(source);
    const docker = connectEngine(process.env);
    onTestFinished(async () => {
      await docker.getVolume(`quarterdeck-kit-${key}`).remove({ force: true });
      await docker.getImage(reference).remove({ force: true });
    });
    const job = await images.make({ way: 'packages' }, CORE);
    expect(await ended(images)).toMatchObject({ reference, state: 'done', progress: 1, problem: null });
    expect(await images.agentImage()).toEqual({ reference, isThere: true });
    expect(test.journal.recentAfter(0, 10)).toMatchObject([
      { kind: 'image.made', subject: job.reference, data: { kind: 'build', id: expect.stringMatching(/^sha256:/) as string } },
    ]);
  });
});
