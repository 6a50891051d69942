/** Making the agent image with `assets/agent-image/Dockerfile`: the engine builds it, on a base image from its registry. */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { ImageProgress, ImageSource } from './image-source.ts';
import { drain } from './image-stream.ts';

/** Of the environment, what the build's own programs need to get out; the engine leaves these out of the image. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/**
 * Makes the image under this name. Settings of apt in the folder $QUARTERDECK_IMAGE_APT, for networks with a mirror of their
 * own, are used in the build and not left in the image. Fails with an AppError that says why.
 */
export async function buildWithDockerfile(
  docker: Docker,
  source: ImageSource,
  reference: string,
  o: ImageProgress & { readonly signal?: AbortSignal },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-image-'));
  try {
    o.onStep('Sending the files', 0.02);
    await cp(join(source.assetsDir, 'agent-image'), folder, { recursive: true });
    const apt = source.env['QUARTERDECK_IMAGE_APT'] ?? '';
    if (apt === '') await mkdir(join(folder, 'apt'));
    else await cp(apt, join(folder, 'apt'), { recursive: true, dereference: true });
    await cp(source.nodeBinary, join(folder, 'node'), { dereference: true });
    const context = spawn('tar', ['-C', folder, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const answer = await docker.buildImage(context.stdout, {
      t: reference,
      networkmode: 'host',
      buildargs: Object.fromEntries(PROXIES.flatMap((name) => (source.env[name] ? [[name, source.env[name]]] : []))),
      rm: true,
      forcerm: true,
      ...(o.signal ? { abortSignal: o.signal } : {}),
    });
    await drain(answer, {
      onLine: (line) => o.onLine(line),
      onEvent: ({ stream }) => {
        const step = /^Step (\d+)\/(\d+) : (.+)/.exec(stream ?? '');
        if (step) o.onStep(`Step ${step[1]} of ${step[2]}`, Number(step[1]) / (Number(step[2]) + 1));
      },
    });
  } catch (error) {
    const why = error instanceof AppError ? error.message : messageOf(error);
    throw new AppError(
      'UNAVAILABLE',
      `The image could not be built with the Dockerfile: ${why} On Debian and Ubuntu \`quarterdeck image build --with packages\` makes it without a registry.`,
      { cause: error },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
