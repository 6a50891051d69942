/** Procedures about where agents can run on this machine, and the images of containers. */
import * as z from 'zod';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { ContainerImage, ImageJob, ImageReference, RuntimeAvailability } from './model.ts';

/** Procedures about runtimes. */
export const runtimesContract = {
  list: procedure(query('list_runtimes'), {
    method: 'GET',
    path: '/runtimes',
    summary: 'List runtimes',
    description:
      'Where agents can run on this machine: docker, tmux, pty, and whether bubblewrap is there; for what is missing, why and what mends it.',
  })
    .input(z.strictObject({}))
    .output(
      z.object({
        runtimes: z.array(RuntimeAvailability),
        bubblewrap: z.object({ isAvailable: z.boolean(), version: z.string().nullable(), problem: z.string().nullable() }),
      }),
    ),

  images: procedure(query('list_images'), {
    method: 'GET',
    path: '/images',
    summary: 'List images',
    description:
      'Images that agents can run in: the agent image of this version and whether it is there, other images of the engine, and the job that makes or fetches one.',
  })
    .input(z.strictObject({}))
    .output(
      z.object({
        agentImage: z.object({ reference: z.string(), isThere: z.boolean() }),
        images: z.array(ContainerImage),
        job: ImageJob.nullable(),
      }),
    ),

  makeImage: procedure(command('make_image', 'MEDIUM'), {
    method: 'POST',
    path: '/images',
    summary: 'Make or fetch an image',
    description:
      'Starts making the agent image (no reference) or fetching another one from its registry, and returns the job; its progress is in list_images. A job that runs already for the same image is returned; for another image it is a CONFLICT.',
  })
    .input(
      z.strictObject({
        reference: ImageReference.optional(),
        way: z
          .enum(['packages', 'dockerfile'])
          .optional()
          .describe(
            'How the agent image is made: from Debian packages (no registry) or with the Dockerfile; default: what this machine can',
          ),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(ImageJob),
};
