/** `image`: which images agents can run in, and making or fetching one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import * as z from 'zod';
import { ImageReference } from '#shared/runtimes/model.ts';
import type { ImageJob } from '#shared/runtimes/model.ts';
import { CliError } from '../cli-error.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag, NoOptions } from '../command.ts';
import type { CoreClient } from '../core-connection.ts';
import { clockTime } from '../times.ts';

/** How often a running job is looked at, in milliseconds. */
const POLL_MS = 300;

const BuildOptions = z.object({ with: z.enum(['packages', 'dockerfile']).optional() });

async function list(call: Invocation<unknown>): Promise<void> {
  await call.withCore(async (client) => {
    const result = await client.runtimes.images({});
    call.out.result(result, () => {
      const { agentImage, images, job } = result;
      call.out.table(
        ['IMAGE', 'SIZE', 'MADE'],
        images.map((image) => [
          image.isAgentImage ? { text: image.reference, style: 'strong' as const } : image.reference,
          `${Math.round(image.sizeBytes / 1e6)} MB`,
          clockTime(image.createdAt),
        ]),
        'The engine has no images.',
      );
      if (!agentImage.isThere)
        call.out.note(`The agent image ${agentImage.reference} is not there: \`quarterdeck image build\`.`);
      if (job?.state === 'running') call.out.note(`${job.reference}: ${job.step}`);
    });
  });
}

async function build(call: Invocation<z.infer<typeof BuildOptions>>): Promise<void> {
  await call.withCore((client) => follow(call, client, { way: call.options.with }));
}

async function pull(call: Invocation<unknown>): Promise<void> {
  const reference = ImageReference.safeParse(call.args[0] ?? '');
  if (!reference.success) throw new CliError('BAD_REQUEST', 'Name an image such as alpine:3.20.');
  await call.withCore((client) => follow(call, client, { reference: reference.data }));
}

/** Starts the job and tells of it until it ends. It goes on when this command is interrupted. */
async function follow(
  call: Invocation<unknown>,
  client: CoreClient,
  what: { reference?: string; way?: 'packages' | 'dockerfile' | undefined },
): Promise<void> {
  let job: ImageJob = await client.runtimes.makeImage(what);
  let said = '';
  for (;;) {
    if (job.step !== said && job.state === 'running') call.out.note(`${percent(job)}${job.step}`);
    said = job.step;
    if (job.state !== 'running') break;
    await sleep(POLL_MS);
    const current: ImageJob | null = (await client.runtimes.images({})).job;
    if (current === null || current.startedAt !== job.startedAt)
      throw new CliError('UNAVAILABLE', `${job.reference} is no longer being made: the core was started again. Start it again.`);
    job = current;
  }
  if (job.state === 'failed') throw new CliError('UNAVAILABLE', job.problem ?? `${job.reference} could not be made.`);
  call.out.result(job, () => call.out.line(`${job.reference} is there.`));
}

function percent(job: ImageJob): string {
  return job.progress === null
    ? ''
    : `${Math.round(job.progress * 100)
        .toString()
        .padStart(3)} %  `;
}

/** Adds `image`. */
export function addImageCommands(program: Command, host: CommandHost): void {
  const image = addCommand(program, host, {
    usage: 'image',
    summary: 'Images that contained agents run in',
    examples: [
      ['quarterdeck image build', 'makes the agent image of this version'],
      ['quarterdeck image pull alpine:3.20', 'fetches another one; agents run in any image of this architecture'],
    ],
    options: NoOptions,
    run: list,
  });
  addCommand(image, host, { usage: 'list', summary: 'List the images of the container engine', options: NoOptions, run: list });
  addCommand(image, host, {
    usage: 'build',
    summary: 'Make the agent image',
    details: 'From Debian packages where apt is there, which needs no registry; else with the Dockerfile.',
    flags: [flag('--with <packages|dockerfile>', 'how it is made (default: what this machine can)')],
    options: BuildOptions,
    run: build,
  });
  addCommand(image, host, {
    usage: 'pull <reference>',
    summary: 'Fetch an image from its registry',
    options: NoOptions,
    run: pull,
  });
}
