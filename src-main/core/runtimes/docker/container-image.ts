/** The image of a container, looked at before it is used. */
import type Docker from 'dockerode';
import * as z from 'zod';
import type { KIT } from '#shared/box/places.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { askEngine } from './engine-deadline.ts';
import { engineFault, statusOf } from './engine-faults.ts';

const Image = z.object({
  Id: z.string(),
  Architecture: z.string(),
  Os: z.string(),
  Config: z.object({ Env: z.array(z.string()).nullish(), Volumes: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});

/** What of an image counts. */
export interface ImageFacts {
  readonly id: string;
  readonly arch: keyof typeof KIT.loader;
  /** Folders that it declares as volumes. */
  readonly volumes: readonly string[];
  /** Variables that it sets, `NAME=value`. */
  readonly env: readonly string[];
}

const ARCH: Readonly<Record<string, keyof typeof KIT.loader>> = { amd64: 'x64', arm64: 'arm64' };

/**
 * Looks at an image. Fails with UNAVAILABLE when it is not there, naming the command that brings it, and when it is for
 * another kind of machine: Node and tmux are mounted into it, and could not run.
 */
export async function findContainerImage(
  docker: Docker,
  wanted: { agentId: string; reference: string; isAgentImage: boolean },
): Promise<ImageFacts> {
  const { agentId, reference } = wanted;
  const image = await askEngine(`look at image ${reference}`, () => docker.getImage(reference).inspect())
    .then((answer) => Image.parse(answer))
    .catch((error: unknown) => {
      if (statusOf(error) !== 404) throw engineFault(`Agent ${agentId} cannot be started in a container`, error);
      const remedy = wanted.isAgentImage ? 'quarterdeck image build' : `quarterdeck image pull ${reference}`;
      throw new AppError(
        'UNAVAILABLE',
        `Agent ${agentId} cannot be started: the image ${reference} is not there. Get it: ${remedy}`,
        { retryable: false, data: { cause: 'image', image: reference, remedy } },
      );
    });
  const arch = image.Os === 'linux' ? ARCH[image.Architecture] : undefined;
  if (arch === undefined || arch !== process.arch) {
    throw new AppError(
      'UNAVAILABLE',
      `Agent ${agentId} cannot be started: the image ${reference} is for ${image.Os}/${image.Architecture}, and what Quarterdeck brings into a container is for linux/${process.arch}. Choose an image for this machine.`,
      { retryable: false, data: { cause: 'architecture', image: reference, architecture: image.Architecture } },
    );
  }
  return { id: image.Id, arch, volumes: Object.keys(image.Config?.Volumes ?? {}), env: image.Config?.Env ?? [] };
}
