/**
 * The agent image: what it is called, whether it is there, and making it in one of two ways that give the same content
 * (`assets/agent-image/check.sh` holds both to it). Its tag is a hash of everything it is made from, so that a version of
 * the product never runs with another one's image.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { describeEngine } from './engine.ts';
import { buildWithDockerfile } from './image-dockerfile.ts';
import type { AgentImageName, ImageProgress, ImageSource, ImageWay } from './image-source.ts';
import { buildFromPackages, hasPackages } from './image-packages.ts';

const run = promisify(execFile);

/** Everything in `assets/agent-image` that decides what is in the image. */
const INPUTS = ['Dockerfile', 'build-root.sh', 'finish.sh', 'packages.txt'];
/** How many hexadecimal digits of the hash make the tag. */
const KEY_LENGTH = 16;

/** What the image of this version is called. Fails when an input cannot be read or the Node cannot be run. */
export async function agentImageName(source: ImageSource): Promise<AgentImageName> {
  const hash = createHash('sha256');
  const [version, ...inputs] = await Promise.all([
    nodeVersion(source.nodeBinary),
    ...INPUTS.map((name) => readFile(join(source.assetsDir, 'agent-image', name))),
  ]);
  hash.update(`${process.arch}\n${version}\n`);
  inputs.forEach((content, index) => hash.update(`${INPUTS[index]} ${content.length}\n`).update(content));
  const key = hash.digest('hex').slice(0, KEY_LENGTH);
  return { key, reference: `quarterdeck-agent:${key}` };
}

const versions = new Map<string, Promise<string>>();

/** Version of a Node binary; asked once. */
function nodeVersion(binary: string): Promise<string> {
  const asked = versions.get(binary) ?? run(binary, ['--version'], { timeout: 10_000 }).then(({ stdout }) => stdout.trim());
  versions.set(binary, asked);
  asked.catch(() => versions.delete(binary));
  return asked;
}

/** Id of an image of the engine (`sha256:…`); undefined when it is not there. Fails when the engine does not answer. */
export async function findImage(docker: Docker, reference: string): Promise<string | undefined> {
  try {
    return (await docker.getImage(reference).inspect()).Id;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw new AppError('UNAVAILABLE', `The container engine could not say whether ${reference} is there: ${messageOf(error)}.`);
  }
}

/** The HTTP status in an error of dockerode's; undefined for anything else. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/**
 * Makes the agent image of this version and returns its id. The way is chosen by what this machine has, unless named. The
 * image gets its name only when it is whole. Fails with an AppError that says why and what to do.
 */
export async function buildAgentImage(
  docker: Docker,
  source: ImageSource,
  o: ImageProgress & { readonly way?: ImageWay; readonly signal?: AbortSignal },
): Promise<{ name: AgentImageName; id: string; way: ImageWay }> {
  const [name, engine] = await Promise.all([agentImageName(source), describeEngine(docker)]);
  if (process.platform !== 'linux' && o.way === 'packages')
    throw new AppError('BAD_REQUEST', 'The image is made from Debian packages on Linux only. Leave out `--with packages`.');
  if (engine.arch !== process.arch)
    throw new AppError(
      'UNAVAILABLE',
      `The container engine runs ${engine.arch}, this machine ${process.arch}: the agent image holds Node and tmux of this machine, so no agent can run there.`,
    );
  const before = await findImage(docker, name.reference);
  const way = o.way ?? ((await hasPackages(source.env)) ? 'packages' : 'dockerfile');
  if (way === 'packages') await buildFromPackages(docker, source, name.reference, o);
  else await buildWithDockerfile(docker, source, name.reference, o);
  const id = await findImage(docker, name.reference);
  if (id === undefined) throw new AppError('INTERNAL', `The engine says that ${name.reference} is made, but it is not there.`);
  // What had the name before is of no use any more; a container that runs in it keeps it.
  if (before !== undefined && before !== id)
    await docker
      .getImage(before)
      .remove()
      .catch(() => undefined);
  o.onStep('Made', 1);
  return { name, id, way };
}
