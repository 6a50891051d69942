import { useMemo } from 'react';
import type { CoreClient } from '#renderer/connection/line.ts';
import type { Asked } from '#renderer/store/use-asked.ts';
import { useAsked } from '#renderer/store/use-asked.ts';

/** The images of the engine, and the job that makes or fetches one. */
export type Images = Awaited<ReturnType<CoreClient['runtimes']['images']>>;
/** Where agents can run here. */
export type Runtimes = Awaited<ReturnType<CoreClient['runtimes']['list']>>;

/** While a job runs its progress is asked for so often, in milliseconds; no event carries it. */
const PROGRESS_EVERY_MS = 1_000;
/** What stands still may be changed outside, by `docker pull` or a daemon that is started; in milliseconds. */
const LOOK_EVERY_MS = 15_000;

/** The images. While a job runs they are asked for every second. */
export function useImages(): Asked<Images> {
  return useAsked('images', (client) => client.runtimes.images({}), {
    isChangedBy: ({ kind }) => kind === 'image.made',
    everyMs: (images) => (images?.job?.state === 'running' ? PROGRESS_EVERY_MS : LOOK_EVERY_MS),
  });
}

/**
 * The runtimes, looked at anew every now and then: a daemon may have been started meanwhile. An engine that is missing
 * knows nothing of this machine; the command that mends it comes from the look at the whole machine, a little later.
 */
export function useRuntimes(): Asked<Runtimes> {
  const asked = useAsked('runtimes', (client) => client.runtimes.list({}), { everyMs: () => LOOK_EVERY_MS });
  const isDoctorNeeded =
    asked.answer?.runtimes.some(({ kind, isAvailable, remedy }) => kind === 'docker' && !isAvailable && remedy === undefined) ===
    true;
  const { answer: remedy } = useAsked(isDoctorNeeded ? 'docker remedy' : 'no remedy', async (client) => {
    if (!isDoctorNeeded) return undefined;
    const { checks } = await client.system.doctor({});
    return checks.find(({ id }) => id === 'docker')?.remedy ?? undefined;
  });
  const answer = useMemo(
    () => (asked.answer === undefined || remedy === undefined ? asked.answer : withDockerRemedy(asked.answer, remedy)),
    [asked.answer, remedy],
  );
  return { ...asked, answer };
}

function withDockerRemedy(known: Runtimes, remedy: string): Runtimes {
  return {
    ...known,
    runtimes: known.runtimes.map((one) =>
      one.kind === 'docker' && !one.isAvailable && one.remedy === undefined ? { ...one, remedy } : one,
    ),
  };
}
