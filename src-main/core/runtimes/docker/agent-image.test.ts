import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KIT } from '#shared/box/places.ts';
import { kitCommand } from '#shared/box/places.ts';
import { removeFolder, scratchFolder } from '../testing/support.ts';
import { agentImageName, buildAgentImage, findImage } from './agent-image.ts';
import { connectEngine, describeEngine, engineSockets } from './engine.ts';
import { ensureKit } from './image-kit.ts';
import { ensureAgentImage, IMAGE_SOURCE } from './testing/agent-image.ts';
import { ENGINE_MISSING } from './testing/find-engine.ts';
import { runOnce } from './testing/run-once.ts';

/** Making the image with packages still to be fetched, in milliseconds. */
const BUILD_MS = 600_000;
const run = promisify(execFile);
const docker = connectEngine(process.env);
const arch: keyof typeof KIT.loader = process.arch === 'arm64' ? 'arm64' : 'x64';
const label = `qd-test-${randomBytes(4).toString('hex')}`;

let dir: string;
beforeAll(() => {
  dir = scratchFolder();
});
afterAll(() => removeFolder(dir));

describe('the name of the agent image', () => {
  it('follows from everything that decides what is in it', async () => {
    const { reference } = await agentImageName(IMAGE_SOURCE);
    expect(reference).toMatch(/^quarterdeck-agent:[0-9a-f]{16}$/);
    for (const name of ['packages.txt', 'finish.sh', 'build-root.sh', 'Dockerfile']) {
      const assetsDir = join(dir, name);
      mkdirSync(assetsDir);
      cpSync(join(IMAGE_SOURCE.assetsDir, 'agent-image'), join(assetsDir, 'agent-image'), { recursive: true });
      expect((await agentImageName({ ...IMAGE_SOURCE, assetsDir })).reference).toBe(reference);
      writeFileSync(join(assetsDir, 'agent-image', name), '\n# changed\n', { flag: 'a' });
      expect((await agentImageName({ ...IMAGE_SOURCE, assetsDir })).reference).not.toBe(reference);
    }
  });
});

describe('finding an engine', () => {
  it('takes the named one alone, else looks in the usual places, Docker before Podman', () => {
    expect(engineSockets({ DOCKER_HOST: 'unix:///x.sock', XDG_RUNTIME_DIR: '/run/user/7' })).toEqual(['/x.sock']);
    expect(engineSockets({ DOCKER_HOST: 'tcp://10.0.0.1:2375' })).toEqual([]);
    const usual = engineSockets({ HOME: '/home/ada', XDG_RUNTIME_DIR: '/run/user/7' });
    expect(usual[0]).toBe('/var/run/docker.sock');
    expect(usual).toContain('/run/user/7/podman/podman.sock');
  });

  it('says what to do where none answers', async () => {
    const nowhere = connectEngine({ DOCKER_HOST: `unix://${join(dir, 'no.sock')}` });
    await expect(describeEngine(nowhere)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('quarterdeck doctor') as string,
    });
  });
});

describe.skipIf(ENGINE_MISSING)(`the agent image${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  let image: string;
  let volume: string;
  let foreign: string;
  beforeAll(async () => {
    image = await ensureAgentImage();
    volume = (await ensureKit(docker, await agentImageName(IMAGE_SOURCE))).volume;
    foreign = await makeForeignImage();
  }, BUILD_MS);
  afterAll(async () => {
    if (foreign) await docker.getImage(foreign).remove({ force: true });
  });

  /** An image with one empty folder in it: no libraries, no shell, no programs. */
  async function makeForeignImage(): Promise<string> {
    const root = join(dir, 'foreign');
    mkdirSync(join(root, 'empty'), { recursive: true });
    const tarball = join(dir, 'foreign.tar');
    await run('tar', ['-C', root, '-cf', tarball, '.']);
    const answer = await docker.importImage(tarball, { repo: 'quarterdeck-test', tag: label });
    answer.resume();
    await new Promise((resolve) => answer.on('end', resolve));
    return `quarterdeck-test:${label}`;
  }

  /** Runs a command as the least of users in a container with the kit and nothing else. */
  function inForeign(argv: readonly string[], env: readonly string[] = []): Promise<{ code: number; said: string }> {
    return runOnce(docker, {
      Image: foreign,
      Cmd: [...argv],
      User: '1234:1234',
      Env: [...env],
      WorkingDir: '/',
      HostConfig: {
        NetworkMode: 'none',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        Tmpfs: { '/tmp': 'rw,exec,mode=1777' },
        Mounts: [{ Type: 'volume', Source: volume, Target: '/opt/qd', ReadOnly: true }],
      },
    });
  }

  it('holds what it has to', { timeout: 120_000 }, async () => {
    const script = readFileSync(join(IMAGE_SOURCE.assetsDir, 'agent-image', 'check.sh'), 'utf8');
    const result = await runOnce(docker, {
      Image: image,
      Cmd: ['bash', '-c', script],
      HostConfig: { NetworkMode: 'none', ReadonlyRootfs: true, CapDrop: ['ALL'], Tmpfs: { '/tmp': 'rw,exec,mode=1777' } },
    });
    expect(result).toEqual({ code: 0, said: 'content is right\n' });
  });

  it('is not much more than what is in it, and is labelled as ours', async () => {
    const facts = await docker.getImage(image).inspect();
    expect(facts.Size).toBeLessThan(350e6);
    expect(facts.Config.Labels).toMatchObject({ 'app.quarterdeck.image': 'agent' });
    expect(facts.Config).toMatchObject({ User: '1000:1000', WorkingDir: '/workspace' });
  });

  it('has a kit that runs Node where there is no other file', async () => {
    const script = 'console.log(process.version, [..."漢字"].length, new Intl.NumberFormat("de").format(1.5))';
    expect(await inForeign(kitCommand(arch, 'node', ['-e', script]))).toEqual({ code: 0, said: `${process.version} 2 1,5\n` });
  });

  it('has a kit whose Node starts further programs of the kit', async () => {
    const sh = kitCommand(arch, 'sh', ['-c', 'echo "from the kit: $0"', 'sh']);
    const script = `process.stdout.write(require('node:child_process').execFileSync(${JSON.stringify(sh[0])}, ${JSON.stringify(sh.slice(1))}))`;
    expect(await inForeign(kitCommand(arch, 'node', ['-e', script]))).toEqual({ code: 0, said: 'from the kit: sh\n' });
  });

  it('has a kit whose tmux draws all characters where there is no other file, with no shell for its panes', async () => {
    const tmux = kitCommand(arch, 'tmux', ['-S', '/tmp/s', '-f', '/dev/null']);
    const pane = kitCommand(arch, 'node', ['-e', 'console.log("grün 漢字 " + process.env.TERM); setInterval(() => {}, 9e5)']);
    const script = `
      const { execFileSync } = require('node:child_process');
      const [loader, ...rest] = ${JSON.stringify(tmux)};
      const tmux = (...args) => execFileSync(loader, [...rest, ...args], { encoding: 'utf8' });
      tmux('new-session', '-d', '-x', '60', '-y', '5', '-s', 'a', ...${JSON.stringify(pane)});
      const look = () => {
        const screen = tmux('capture-pane', '-p', '-t', 'a');
        if (!screen.includes('grün')) return setTimeout(look, 20);
        console.log(screen.trim());
        tmux('kill-server');
      };
      look();`;
    const env = ['TERMINFO=/opt/qd/share/terminfo', 'LOCPATH=/opt/qd/lib/locale', 'LC_ALL=C.UTF-8'];
    expect(await inForeign(kitCommand(arch, 'node', ['-e', script]), env)).toEqual({
      code: 0,
      said: 'grün 漢字 tmux-256color\n',
    });
  });

  it('fails the making with the reason when a package cannot be had, and leaves no image', { timeout: 120_000 }, async () => {
    const assetsDir = join(dir, 'broken');
    mkdirSync(assetsDir);
    cpSync(join(IMAGE_SOURCE.assetsDir, 'agent-image'), join(assetsDir, 'agent-image'), { recursive: true });
    writeFileSync(join(assetsDir, 'agent-image', 'packages.txt'), 'bash\nno-such-package-at-all\n');
    const source = { ...IMAGE_SOURCE, assetsDir };
    const quiet = { onStep: () => undefined, onLine: () => undefined };
    await expect(buildAgentImage(docker, source, { ...quiet, way: 'packages' })).rejects.toMatchObject({
      message: expect.stringContaining('no-such-package-at-all') as string,
    });
    expect(await findImage(docker, (await agentImageName(source)).reference)).toBeUndefined();
  });
});

describe.skipIf(ENGINE_MISSING)(`the kit's volume${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  // A volume of our own, so that nobody else's volume is touched.
  const key = label;
  const volume = `quarterdeck-kit-${key}`;
  const mount = { Type: 'volume' as const, Source: volume, Target: '/kit' };
  let reference: string;
  beforeAll(async () => {
    reference = await ensureAgentImage();
  }, BUILD_MS);
  afterAll(() => docker.getVolume(volume).remove({ force: true }));

  /** Looks into the volume, or changes it. */
  async function inVolume(script: string): Promise<string> {
    const result = await runOnce(docker, {
      Image: reference,
      Cmd: ['bash', '-c', script],
      User: '0:0',
      HostConfig: { NetworkMode: 'none', Mounts: [mount] },
    });
    expect(result.code).toBe(0);
    return result.said;
  }

  it('is filled once by fifty calls at the same time, from several cores', { timeout: 120_000 }, async () => {
    const cores = [docker, connectEngine(process.env), connectEngine(process.env)];
    const asked = Array.from({ length: 50 }, (_, index) => ensureKit(cores[index % 3] ?? docker, { key, reference }));
    expect(new Set((await Promise.all(asked)).map((kit) => kit.volume))).toEqual(new Set([volume]));
    expect(await inVolume('cd /kit && cat .complete && diff -r /opt/qd /kit || true')).toMatch(
      /^qd-test-\S+Only in \/kit: .complete\nOnly in \/kit: .lock\n$/,
    );
    const left = await docker.listContainers({ all: true, filters: { label: [`app.quarterdeck.kit=${key}`] } });
    expect(left).toEqual([]);
  });

  it('is made whole again after a copy that was cut short', { timeout: 60_000 }, async () => {
    await inVolume('rm /kit/.complete /kit/bin/tmux && truncate -s 1000 /kit/bin/node');
    await ensureKit(connectEngine(process.env), { key, reference });
    expect(await inVolume('cmp /opt/qd/bin/node /kit/bin/node && cmp /opt/qd/bin/tmux /kit/bin/tmux && echo same')).toBe(
      'same\n',
    );
  });

  it('is made again when somebody took it away, though this core has seen it', { timeout: 60_000 }, async () => {
    const again = { key, reference };
    await ensureKit(docker, again);
    await docker.getVolume(volume).remove();
    await Promise.all([ensureKit(docker, again), ensureKit(docker, again)]);
    expect(await inVolume('/kit/bin/node --version')).toBe(`${process.version}\n`);
  });

  it('says what to do when the image is not there', async () => {
    const gone = { key: `${key}-gone`, reference: 'quarterdeck-agent:no-such-tag' };
    try {
      await expect(ensureKit(docker, gone)).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining('quarterdeck image build') as string,
      });
    } finally {
      await docker.getVolume(`quarterdeck-kit-${key}-gone`).remove({ force: true });
    }
  });
});
