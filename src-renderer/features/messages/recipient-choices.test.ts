import { describe, expect, it } from 'vitest';
import { deliveryPromise } from './delivery-promise.ts';
import { canBeChosen, chosenAfter, membersOf, recipientChoices, typedTopic } from './recipient-choices.ts';

const TOPICS = [
  { name: 'health.api', subscribers: ['ada', 'operator'] },
  { name: 'agents.state', subscribers: ['ada'] },
];

describe('recipients', () => {
  it('are everyone, and topics that anybody may publish to', () => {
    expect(recipientChoices([], TOPICS, ['capability:tests']).map(({ value, text }) => [value, text])).toEqual([
      ['*', 'everyone'],
      ['topic:health.api', 'topic health.api'],
      ['capability:tests', 'capability tests'],
    ]);
  });

  it('may be a topic that is typed', () => {
    expect(typedTopic('health.db')?.value).toBe('topic:health.db');
    expect(typedTopic('topic:health.db')?.value).toBe('topic:health.db');
    for (const typed of ['health.*', 'Health Now', 'agents.joined', 'system.x']) expect(typedTopic(typed)).toBeUndefined();
  });

  it('are only such as something can be sent to', () => {
    const isAgent = (id: string): boolean => id === 'ada';
    expect(['ada', '*', 'topic:a.b', 'capability:x', 'template:y'].every((to) => canBeChosen(to, isAgent))).toBe(true);
    expect(['ben', 'topic:a.*', 'capability:', 'other:x'].some((to) => canBeChosen(to, isAgent))).toBe(false);
  });

  it('are everyone alone, and one topic at most', () => {
    expect(chosenAfter(['ada'], ['ada', '*'])).toEqual(['*']);
    expect(chosenAfter(['*'], ['*', 'ada'])).toEqual(['ada']);
    expect(chosenAfter(['ada', 'topic:a'], ['ada', 'topic:a', 'topic:b'])).toEqual(['ada', 'topic:b']);
    expect(chosenAfter(['ada', 'topic:a'], ['topic:a'])).toEqual(['topic:a']);
  });

  it('are known behind a topic once something was published to it', () => {
    expect(membersOf('topic:health.api', [], TOPICS)).toEqual(['ada']);
    expect(membersOf('topic:health.db', [], TOPICS)).toBeUndefined();
    expect(membersOf('capability:x', [], TOPICS)).toEqual([]);
  });
});

describe('deliveryPromise', () => {
  const base = { agents: {}, everyone: 3, ttlMs: null, delayMs: null, replyWithinMs: null };
  const say = (to: string, more: object = {}): string =>
    deliveryPromise({ ...base, to: [to], membersOf: (address) => membersOf(address, [], TOPICS), ...more });

  it('says who is behind a topic or a group', () => {
    expect(say('topic:health.api')).toBe('Goes to ada.');
    expect(say('topic:health.db')).toBe('Nothing was published on topic health.db yet: whoever subscribed to it gets it.');
    expect(say('capability:x')).toBe('Nobody is behind capability x at present.');
  });

  it('says when it is handed out, and by when an answer is wanted', () => {
    expect(say('*', { delayMs: 300_000, replyWithinMs: 1_800_000 })).toBe(
      'Goes to 3 agents. Each gets it when it next asks for messages. Nobody is handed it in the next 5 min. You are told when no answer came within 30 min.',
    );
  });
});
