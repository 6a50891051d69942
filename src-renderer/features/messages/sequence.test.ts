import { describe, expect, it } from 'vitest';
import { sampleMessage } from '#renderer/testing/sample-events.ts';
import { sequenceOf } from './sequence.ts';

const from = (id: string) => ({ kind: 'agent', id }) as const;

describe('sequenceOf', () => {
  it('gives everybody a lane in the order in which they appear, and every message a row', () => {
    const ask = sampleMessage({ from: from('ada'), recipients: ['ben'], kind: 'request', body: 'which one?' });
    const answer = sampleMessage({ from: from('ben'), recipients: ['ada'], kind: 'reply', inReplyTo: ask.id });
    const { lanes, arrows, height } = sequenceOf([ask, answer], {});
    expect(lanes.map(({ label }) => label)).toEqual(['ada', 'ben']);
    const [left, right] = lanes.map(({ x }) => x);
    expect(arrows.map(({ fromX, toXs, isReply }) => [fromX, toXs, isReply])).toEqual([
      [left, [right], false],
      [right, [left], true],
    ]);
    expect(arrows.map(({ y }) => y)).toEqual([50, 82]);
    expect(height).toBe(114);
  });

  it('folds who comes late into one lane, and still points there', () => {
    const all = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => sampleMessage({ from: from('ada'), recipients: [id] }));
    const { lanes, arrows } = sequenceOf(all, {});
    expect(lanes.map(({ label }) => label)).toEqual(['ada', 'a', 'b', 'c', '3 others']);
    expect(arrows.at(-1)?.toXs).toEqual([lanes.at(-1)?.x]);
  });

  it('shows characters that turn the order of a text', () => {
    const { arrows } = sequenceOf([sampleMessage({ body: 'rm \u202egpj.exe' })], {});
    expect(arrows[0]?.label).toContain('[U+202E]');
    expect(arrows[0]?.words).toContain('rm [U+202E]gpj.exe');
  });

  it('marks what died', () => {
    const dead = sampleMessage();
    const copy = {
      messageId: dead.id,
      recipient: 'ben',
      state: 'dead',
      queuedAt: 1,
      deliveredAt: null,
      readAt: null,
      deadAt: 2,
      deadReason: 'expired',
      attempts: 0,
      leasedUntil: null,
      availableAt: 1,
    } as const;
    const { arrows } = sequenceOf([dead], { [dead.id]: { ben: copy } });
    expect(arrows[0]).toMatchObject({ isDead: true, words: 'ada to ben: hello (dead)' });
  });
});
