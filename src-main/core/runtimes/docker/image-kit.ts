/**
 * The kit in a volume: `/opt/qd` of the agent image, copied once, to be mounted read-only at the same place into containers
 * of any image. A file written last says that the copy is whole; until then nothing is started with it.
 */
import type Docker from 'dockerode';
import * as z from 'zod';
import { AppError } from '#shared/kernel/errors.ts';
import { BOX } from '#shared/box/places.ts';
import { statusOf } from './agent-image.ts';
import { askEngine } from './engine-deadline.ts';
import { engineFault } from './engine-faults.ts';
import { describeEngine } from './engine.ts';
import { userProcesses } from './user-processes.ts';

/** On the volume and on the container that fills it: the key of the image it comes from. */
const KIT_LABEL = 'app.quarterdeck.kit';
/** Where the volume is while it is filled. */
const FILLED_AT = '/mnt';
/** How long filling may take, in milliseconds: 130 MB on a slow disk. */
const FILL_TIMEOUT_MS = 180_000;
/** A container that filled a volume and was not removed since, in seconds: its core died. */
const LEFT_OVER_SECONDS = 600;

/**
 * Copies under a lock, so that any number of these may run at once, on any number of cores: the first copies, the others
 * find the stamp. A copy that was cut short leaves no stamp and is made again from the start; so is one from which files went
 * missing since.
 */
const FILL = `set -eu
exec 9>${FILLED_AT}/.lock
flock 9
files() { (cd "$1" && find . -type f ! -path './.lock' ! -path './.complete*' -printf '%p %s\\n' | sort); }
if [ "$(cat ${FILLED_AT}/.complete 2>/dev/null)" = "$1" ] && [ "$(files ${BOX.kit})" = "$(files ${FILLED_AT})" ]; then exit 0; fi
find ${FILLED_AT} -mindepth 1 -maxdepth 1 ! -name .lock -exec rm -rf {} +
cp -R --preserve=mode,links,timestamps ${BOX.kit}/. ${FILLED_AT}/
for name in bin/node bin/tmux lib/libc.so.6; do cmp -s "${BOX.kit}/$name" "${FILLED_AT}/$name"; done
sync -f ${FILLED_AT}
printf %s "$1" >${FILLED_AT}/.complete.new
sync -f ${FILLED_AT}/.complete.new
mv ${FILLED_AT}/.complete.new ${FILLED_AT}/.complete`;

const VolumeFacts = z.object({ CreatedAt: z.string().optional(), Labels: z.record(z.string(), z.string()).nullish() });

/** Which image the kit comes from. */
interface KitSource {
  readonly key: string;
  readonly reference: string;
}

const filled = new WeakMap<Docker, Map<string, Promise<string>>>();

/**
 * The volume with the kit of an agent image, whole when this resolves. Cheap when it is there; any number of calls at once
 * fill it once. Fails with an AppError when the image is not there or the copy fails.
 */
export async function ensureKit(docker: Docker, source: KitSource): Promise<{ volume: string }> {
  const volume = `quarterdeck-kit-${source.key}`;
  const known = filled.get(docker) ?? new Map<string, Promise<string>>();
  filled.set(docker, known);
  const earlier = known.get(volume);
  if (earlier !== undefined) {
    const createdAt = await earlier;
    // Somebody may have removed it since, and an engine makes an empty one of any name it is told to mount.
    if (createdAt === (await volumeAge(docker, volume, source.key))) return { volume };
    if (known.get(volume) === earlier) known.delete(volume);
  }
  const filling = known.get(volume) ?? fillVolume(docker, volume, source);
  known.set(volume, filling);
  try {
    await filling;
  } catch (error) {
    if (known.get(volume) === filling) known.delete(volume);
    throw error;
  }
  return { volume };
}

/** Has the volume looked into again before it is used the next time: a container could not be started with it. */
export function forgetKit(docker: Docker, volume: string): void {
  filled.get(docker)?.delete(volume);
}

/** When our volume of this name was made; undefined when there is none. */
async function volumeAge(docker: Docker, volume: string, key: string): Promise<string | undefined> {
  try {
    const facts = VolumeFacts.parse(
      await askEngine(`look at volume ${volume}`, (abortSignal) => docker.getVolume(volume).inspect({ abortSignal })),
    );
    return facts.Labels?.[KIT_LABEL] === key ? (facts.CreatedAt ?? '') : undefined;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw engineFault(`Whether volume ${volume} is there could not be found out`, error);
  }
}

async function fillVolume(docker: Docker, volume: string, source: KitSource): Promise<string> {
  await removeLeftOvers(docker);
  const made = { Name: volume, Labels: { [KIT_LABEL]: source.key } };
  await askEngine(`make volume ${volume}`, (abortSignal) => docker.createVolume({ ...made, abortSignal })).catch(
    (error: unknown) => {
      throw engineFault(`Volume ${volume} could not be made`, error);
    },
  );
  const createdAt = await volumeAge(docker, volume, source.key);
  if (createdAt === undefined)
    throw new AppError('CONFLICT', `There is a volume ${volume} that is not ours. \`docker volume rm ${volume}\` makes room.`);
  try {
    const processes = await userProcesses(await describeEngine(docker));
    const options = {
      Image: source.reference,
      User: '0:0',
      Cmd: ['bash', '-c', FILL, 'fill', source.key],
      Labels: { [KIT_LABEL]: source.key },
      NetworkDisabled: true,
      HostConfig: {
        NetworkMode: 'none',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        Binds: [`${volume}:${FILLED_AT}:nocopy`],
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
        Ulimits: [
          { Name: 'nofile', Soft: 1024, Hard: 1024 },
          ...(processes === undefined ? [] : [{ Name: 'nproc', Soft: processes, Hard: processes }]),
        ],
      },
    };
    const container = await askEngine('make the container that fills it', (abortSignal) =>
      docker.createContainer({ ...options, abortSignal }),
    );
    try {
      const signal = AbortSignal.timeout(FILL_TIMEOUT_MS);
      await askEngine('start the container that fills it', (abortSignal) => container.start({ abortSignal }));
      const { StatusCode: code } = z
        .object({ StatusCode: z.number() })
        .parse(await container.wait({ abortSignal: signal, condition: 'not-running' }));
      // An engine tells the time of the folder's last change, which was this.
      if (code === 0) return (await volumeAge(docker, volume, source.key)) ?? createdAt;
      const said = (await container.logs({ stdout: true, stderr: true, tail: 5 })).toString('utf8');
      // Each piece begins with eight bytes about itself.
      const text = said.replaceAll(/[^\n\x20-\x7e]+/g, ' ').trim();
      throw new Error(`copying ended with code ${code}: ${text}`);
    } finally {
      await askEngine('remove the container that filled it', (abortSignal) =>
        container.remove({ force: true, v: false, abortSignal }),
      );
    }
  } catch (error) {
    if (statusOf(error) === 404)
      throw new AppError('NOT_FOUND', `The image ${source.reference} is not there. \`quarterdeck image build\` makes it.`);
    throw engineFault(`Volume ${volume} could not be filled`, error);
  }
}

/** Takes away what a core left behind that died while it filled a volume. */
async function removeLeftOvers(docker: Docker): Promise<void> {
  const filters = { label: [KIT_LABEL], status: ['created', 'exited'] };
  const left = await askEngine('list containers', (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  ).catch((error: unknown) => {
    throw engineFault('What an earlier core left could not be looked for', error);
  });
  const before = Date.now() / 1000 - LEFT_OVER_SECONDS;
  for (const { Id, Created } of left)
    if (Created < before)
      await docker
        .getContainer(Id)
        .remove({ force: true })
        .catch(() => undefined);
}
