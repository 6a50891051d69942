/** Making the agent image from Debian packages: `assets/agent-image/build-root.sh` packs the files, the engine imports them. */
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type Docker from 'dockerode';
import { AppError } from '#shared/kernel/errors.ts';
import type { ImageProgress, ImageSource } from './image-source.ts';
import { IMAGE_LABEL } from './image-source.ts';
import { drain } from './image-stream.ts';

/** What the script needs of the machine. */
const TOOLS = ['apt-get', 'dpkg-deb', 'tar', 'bash'];
/** How many of the last lines a failure is told with. */
const TOLD_LINES = 4;

/** What containers of the image start with; the Dockerfile says the same. */
const IMAGE_CONFIG = [
  'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8',
  'USER 1000:1000',
  'WORKDIR /workspace',
  'CMD ["bash"]',
  ...Object.entries(IMAGE_LABEL).map(([name, value]) => `LABEL ${name}=${value}`),
];

/** Whether this machine can make the image from packages. */
export async function hasPackages(env: NodeJS.ProcessEnv): Promise<boolean> {
  const folders = (env['PATH'] ?? '').split(delimiter);
  const isThere = (name: string): Promise<boolean> =>
    Promise.any(folders.map((folder) => access(join(folder, name), constants.X_OK))).then(
      () => true,
      () => false,
    );
  return process.platform === 'linux' && (await Promise.all(TOOLS.map(isThere))).every(Boolean);
}

/** Makes the image under this name. Fails with an AppError holding the script's last words. */
export async function buildFromPackages(
  docker: Docker,
  source: ImageSource,
  reference: string,
  o: ImageProgress & { readonly signal?: AbortSignal },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-image-'));
  try {
    const tarball = join(folder, 'root.tar');
    await runScript(source, tarball, o);
    o.onStep('Giving it to the engine', 0.92);
    const at = reference.lastIndexOf(':');
    const answer = await docker.importImage(createReadStream(tarball), {
      repo: reference.slice(0, at),
      tag: reference.slice(at + 1),
      changes: IMAGE_CONFIG,
      ...(o.signal ? { abortSignal: o.signal } : {}),
    });
    await drain(answer, o);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runScript(
  source: ImageSource,
  tarball: string,
  o: ImageProgress & { readonly signal?: AbortSignal },
): Promise<void> {
  const last: string[] = [];
  const child = spawn(
    'bash',
    [join(source.assetsDir, 'agent-image', 'build-root.sh'), source.nodeBinary, join(source.cacheDir, 'debs'), tarball],
    { env: source.env, stdio: ['ignore', 'pipe', 'pipe'], ...(o.signal ? { signal: o.signal } : {}) },
  );
  const failed = new Promise<never>((_, reject) => child.on('error', reject));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const hear = (line: string): void => {
    const step = /^::step (\d+) (.+)$/.exec(line);
    if (step) return o.onStep(step[2] ?? '', Number(step[1]) / 100);
    if (line.trim() === '') return;
    last.push(line);
    if (last.length > TOLD_LINES) last.shift();
    o.onLine(line);
  };
  createInterface({ input: child.stdout }).on('line', hear);
  createInterface({ input: child.stderr }).on('line', hear);
  const code = await Promise.race([ended, failed]);
  if (code === 0) return;
  throw new AppError('UNAVAILABLE', `The image could not be made from packages: ${last.join(' ').slice(0, 600)}`);
}
