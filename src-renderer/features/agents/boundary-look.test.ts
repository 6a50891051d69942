import { describe, expect, it } from 'vitest';
import { sampleAgent } from '#renderer/testing/sample-events.ts';
import type { Agent, AgentState } from '#shared/agents/model.ts';
import { boundaryLook } from './boundary-look.ts';

const because = (source: AgentState['evidence']['source']) => ({ since: 1, evidence: { source, detail: '', at: 1 } });

const agent = (changes: Partial<Agent>, egress: readonly string[] = [], modelApis: readonly string[] = []): Agent => {
  const one = { ...sampleAgent('ada'), ...changes };
  return { ...one, config: { ...one.config, modelApis: [...modelApis], egress: { mode: 'deny', rules: [...egress] } } };
};

describe('what is said of a boundary', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['no network', [], []],
    ['1 address', ['a.org:443:tls'], []],
    ['2 addresses', ['a.org:443:tls'], ['anthropic']],
  ])('%s', (network, rules, apis) => {
    expect(boundaryLook(agent({ boundary: 'container' }, rules, apis))).toMatchObject({ word: 'container', network });
  });

  it('tells of a host neither a network nor a proof', () => {
    expect(boundaryLook(agent({ boundary: 'host' }))).toMatchObject({
      word: 'host, not contained',
      network: undefined,
      proof: 'none',
    });
  });

  it.each<[string, AgentState]>([
    ['held', { status: 'working', ...because('process') }],
    ['held', { status: 'paused', from: 'idle', ...because('command') }],
    ['open', { status: 'starting', ...because('command') }],
    ['open', { status: 'stopped', exit: { code: 0 }, ...because('process') }],
    ['open', { status: 'failed', reason: 'no such program', ...because('runtime') }],
    ['broken', { status: 'failed', reason: 'a capability is there', ...because('boundary') }],
  ])('its proof is %s while the agent is %o', (proof, state) => {
    expect(boundaryLook(agent({ boundary: 'bubblewrap', state })).proof).toBe(proof);
  });
});
