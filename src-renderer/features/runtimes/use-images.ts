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

/** The runtimes, looked at anew every now and then: a daemon may have been started meanwhile. */
export function useRuntimes(): Asked<Runtimes> {
  return useAsked('runtimes', (client) => client.runtimes.list({}), { everyMs: () => LOOK_EVERY_MS });
}
