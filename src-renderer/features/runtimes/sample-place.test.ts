import { describe, expect, it } from 'vitest';
import { samplePlace } from './sample-place.ts';
import type { Images, Runtimes } from './use-images.ts';

const runtimes = (isAvailable: boolean): Runtimes => ({
  runtimes: [{ kind: 'docker', isAvailable }],
  bubblewrap: { isAvailable: false, version: null, problem: null },
});
const images = (isThere: boolean): Images => ({
  agentImage: { reference: 'quarterdeck-agent:x', isThere },
  images: [],
  job: null,
});

describe('where the sample crew can run', () => {
  it('is a choice only where an engine works', () => {
    expect(samplePlace(undefined, images(true))).toBeUndefined();
    expect(samplePlace(runtimes(false), images(true))).toBeUndefined();
    expect(samplePlace(runtimes(true), undefined)).toBeUndefined();
  });

  it('says what containers give, and what being without means', () => {
    const place = samplePlace(runtimes(true), images(true));
    expect(place?.canContain).toBe(true);
    expect(place?.contained).toMatch(/^Contained: .*no network/);
    expect(place?.host).toMatch(/^Not contained/);
  });

  it('says what is missing', () => {
    expect(samplePlace(runtimes(true), images(false))).toMatchObject({
      canContain: false,
      contained: 'The agent image is not made yet: quarterdeck image build',
    });
  });
});
