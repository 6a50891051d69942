import { describe, expect, it } from 'vitest';
import { overlay } from './agent-draft.ts';

describe('a draft laid over another', () => {
  it('wins where it states something, limit by limit', () => {
    expect(
      overlay(
        { type: 'worker', description: 'a', resourceLimits: { memory: '1GB', cpu: '1' } },
        { description: 'b', resourceLimits: { cpu: '2' } },
      ),
    ).toEqual({ type: 'worker', description: 'b', resourceLimits: { memory: '1GB', cpu: '2' } });
  });

  it('takes the image away with the container', () => {
    const boxed = { runtime: 'docker', image: 'alpine:3.20' } as const;
    expect(overlay(boxed, { runtime: 'tmux' })).toEqual({ runtime: 'tmux', resourceLimits: {} });
    expect(overlay(boxed, { runtime: 'docker' })).toEqual({ ...boxed, resourceLimits: {} });
    expect(overlay(boxed, { description: 'b' })).toEqual({ ...boxed, description: 'b', resourceLimits: {} });
  });
});
