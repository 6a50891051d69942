/** Fetching an image from its registry. */
import type Docker from 'dockerode';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { findImage } from './agent-image.ts';
import type { ImageProgress } from './image-source.ts';
import { drain } from './image-stream.ts';

/** A reference with its tag: without one an engine would fetch all tags there are. */
export function wholeReference(reference: string): string {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return name.includes(':') || name.includes('@') ? reference : `${reference}:latest`;
}

/** Fetches an image and returns its id. Fails with an AppError that says why and what to do. */
export async function pullImage(
  docker: Docker,
  reference: string,
  o: ImageProgress & { readonly signal?: AbortSignal },
): Promise<string> {
  o.onStep('Asking its registry', null);
  const layers = new Map<string, { current: number; total: number }>();
  try {
    const answer = await docker.pull(reference, o.signal ? { abortSignal: o.signal } : {});
    await drain(answer, {
      onLine: (line) => o.onLine(line),
      onEvent: ({ id, status, progressDetail }) => {
        const { current, total } = progressDetail ?? {};
        if (id === undefined || status !== 'Downloading' || current === undefined || total === undefined) return;
        layers.set(id, { current, total });
        const all = [...layers.values()];
        const sum = (of: 'current' | 'total'): number => all.reduce((before, layer) => before + layer[of], 0);
        o.onStep('Fetching its layers', sum('total') === 0 ? null : Math.min(1, sum('current') / sum('total')));
      },
    });
  } catch (error) {
    throw new AppError(
      'UNAVAILABLE',
      `${reference} could not be fetched: ${messageOf(error)}. Check its name and that this machine reaches its registry; where it does not, \`docker load\` brings an image in from a file.`,
      { cause: error },
    );
  }
  const id = await findImage(docker, reference);
  if (id === undefined) throw new AppError('NOT_FOUND', `The engine fetched ${reference}, but has no image of that name.`);
  return id;
}
