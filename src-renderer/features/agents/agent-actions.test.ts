import { describe, expect, it } from 'vitest';
import { AgentStatus } from '#shared/agents/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { ACTION_WORDS, AGENT_ACTIONS, isPossible, outcomeText } from './agent-actions.ts';

const [ada, ben, cleo, dan, eve] = ['ada', 'ben', 'cleo', 'dan', 'eve'].map((id) => AgentId.parse(id));

describe('what can be done with agents', () => {
  it('is something in every state but while it stops', () => {
    for (const status of AgentStatus.options) {
      const possible = AGENT_ACTIONS.filter((action) => isPossible(action, status));
      expect(possible.length > 0, status).toBe(status !== 'stopping');
    }
    expect(AGENT_ACTIONS.filter((action) => isPossible(action, 'paused'))).toEqual(['stop', 'resume', 'restart']);
  });

  it('is taken back by something that is possible then', () => {
    expect(ACTION_WORDS.stop.undo?.action).toBe('start');
    expect(isPossible('start', 'stopped')).toBe(true);
    expect(isPossible(ACTION_WORDS.pause.undo?.action ?? 'stop', 'paused')).toBe(true);
  });

  it('says what became of it, and why not', () => {
    if (!ada || !ben || !cleo || !dan || !eve) throw new Error('no ids');
    const problem = 'It does not run.';
    expect(outcomeText('stop', { done: [ada], failed: [] })).toEqual({ title: 'ada was stopped' });
    expect(outcomeText('stop', { done: [ada, ben], failed: [] })).toEqual({ title: '2 agents were stopped' });
    expect(outcomeText('pause', { done: [], failed: [{ id: ada, problem }] })).toEqual({
      title: 'ada was not paused',
      detail: 'ada: It does not run.',
    });
    const failed = [ben, cleo, dan, eve].map((id) => ({ id, problem }));
    expect(outcomeText('start', { done: [ada], failed })).toEqual({
      title: '1 of 5 agents were started',
      detail: `ben: ${problem} cleo: ${problem} dan: ${problem} And 1 more.`,
    });
  });
});
