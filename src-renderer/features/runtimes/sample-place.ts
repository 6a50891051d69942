/** Whether the sample crew can be started in containers here, and what that means, in words. Pure. */
import type { Images, Runtimes } from './use-images.ts';

/** The choice between containers and this machine, where there is one. */
export interface SamplePlace {
  readonly canContain: boolean;
  /** What is given by containers, or what is missing for them. */
  readonly contained: string;
  /** What it means to start the crew without. */
  readonly host: string;
}

const HOST = 'Not contained: they run on this machine as you.';

/** Undefined where containers are out of the question, or not yet known. */
export function samplePlace(runtimes: Runtimes | undefined, images: Images | undefined): SamplePlace | undefined {
  const docker = runtimes?.runtimes.find(({ kind }) => kind === 'docker');
  if (docker?.isAvailable !== true || images === undefined) return undefined;
  if (!images.agentImage.isThere)
    return { canContain: false, contained: 'The agent image is not made yet: quarterdeck image build', host: HOST };
  return {
    canContain: true,
    contained: 'Contained: each sees the sample folder and a home of its own, nothing else of this machine, and has no network.',
    host: HOST,
  };
}
