import { describe, expect, it } from 'vitest';
import { chooseAgentPort } from './agent-port.ts';

describe('the agent port', () => {
  it.each([
    ['nothing said, nothing kept: the usual one, or the next', undefined, undefined, false, { port: 3100, isNegotiable: true }],
    ['stated at the first start: that one', 4000, undefined, false, { port: 4000, isNegotiable: false }],
    ['any at the first start', 0, undefined, false, { port: 0, isNegotiable: false }],
    ['kept: the same again', undefined, 3107, false, { port: 3107, isNegotiable: false }],
    ['any, and kept: the same again', 0, 3107, true, { port: 3107, isNegotiable: false }],
    ['stated as kept, agents or not', 3107, 3107, true, { port: 3107, isNegotiable: false }],
    ['another one than kept, and no agents', 4000, 3107, false, { port: 4000, isNegotiable: false }],
  ])('%s', (_what, stated, kept, hasLiveAgents, expected) => {
    expect(chooseAgentPort(stated, kept, hasLiveAgents)).toEqual(expected);
  });

  it('does not move while agents hold it', () => {
    expect(() => chooseAgentPort(4000, 3107, true)).toThrow(
      expect.objectContaining({ code: 'CONFLICT', data: { kept: 3107, stated: 4000 } }),
    );
  });
});
