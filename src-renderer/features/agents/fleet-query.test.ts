import { describe, expect, it } from 'vitest';
import { sampleAgent } from '#renderer/testing/sample-events.ts';
import type { Agent } from '#shared/agents/model.ts';
import { Capability } from '#shared/agents/model.ts';
import type { FleetAgent } from './fleet-agent.ts';
import { countGroups, groupInQuery, matches, parseQuery, withGroup, withoutStates } from './fleet-query.ts';

function row(id: string, changes: Partial<Agent['config']> = {}, asks = false): FleetAgent {
  const agent = sampleAgent(id);
  const question = { messageId: 'msg_1', subject: null, body: 'Keep?', answers: [], at: 1, expiresAt: null, more: 0 };
  return { agent: { ...agent, config: { ...agent.config, ...changes } }, question: asks ? question : undefined };
}

const cap = (...names: string[]) => names.map((name) => Capability.parse(name));
const ROWS = [
  row('ada', { capabilities: cap('review', 'tests'), description: 'Reads what others wrote' }),
  row('ben', { type: 'command', capabilities: cap('tests') }),
  row('cleo', { type: 'command', description: 'Runs the nightly suite' }, true),
];

const found = (query: string): string =>
  ROWS.filter((one) => matches(one, parseQuery(query)))
    .map(({ agent }) => agent.id)
    .join();

describe('the filter', () => {
  it.each([
    ['', 'ada,ben,cleo'],
    ['type:worker', 'ada'],
    ['type:worker,command', 'ada,ben,cleo'],
    ['type:worker type:command cap:tests', 'ada,ben'],
    ['cap:review', 'ada'],
    ['state:idle', 'ada,ben'],
    ['is:needs', 'cleo'],
    ['state:idle,needs type:command', 'ben,cleo'],
    ['-type:worker', 'ben,cleo'],
    ['-name:ben nightly', 'cleo'],
    ['READS', 'ada'],
    ['"nightly suite"', 'cleo'],
    ['nightly suite', 'cleo'],
    ['constructor:ada', ''],
    ['boundary:host', 'ada,ben,cleo'],
    ['boundary:container', ''],
    ['unknown:thing', ''],
    ['type: ', 'ada,ben,cleo'],
    ['name:"be', 'ben'],
  ])('finds by %s', (query, expected) => expect(found(query)).toBe(expected));

  it('is narrowed to a group and back without touching the rest', () => {
    expect(withGroup('cap:review  old', 'failed')).toBe('state:failed cap:review old');
    expect(withGroup('state:failed cap:review', 'idle')).toBe('state:idle cap:review');
    expect(withGroup('state:failed cap:review is:idle', undefined)).toBe('cap:review');
    expect(groupInQuery('state:failed cap:review')).toBe('failed');
    expect(groupInQuery('state:failed,idle')).toBeUndefined();
    expect(groupInQuery('-state:failed')).toBeUndefined();
    expect(withoutStates('-is:idle "a state:b" x')).toBe('"a state:b" x');
  });

  it('counts each agent once', () => {
    expect(countGroups(ROWS)).toEqual({ needs: 1, failed: 0, working: 0, idle: 2, paused: 0, stopped: 0 });
  });
});
