import { describe, expect, it } from 'vitest';
import { actorText, bytesText, percentText, responseText } from './agent-figures.ts';

describe('figures of agents', () => {
  it('are short, with their unit', () => {
    expect([0, 900, 1_536, 412 * 2 ** 20, 1.5 * 2 ** 30, 12 * 2 ** 30].map(bytesText)).toEqual([
      '0 B',
      '900 B',
      '1.5 KB',
      '412 MB',
      '1.5 GB',
      '12 GB',
    ]);
    expect([0.4, 2.6, 187].map(percentText)).toEqual(['0%', '3%', '187%']);
    expect([0.82, 24.4, 1_840].map(responseText)).toEqual(['0.8 ms', '24 ms', '1.8 s']);
  });

  it('name who acts as the reader knows them', () => {
    expect(actorText({ kind: 'operator', id: 'operator' })).toBe('you');
    expect(actorText({ kind: 'system', id: 'core' })).toBe('Quarterdeck');
    expect(actorText({ kind: 'agent', id: 'ada' })).toBe('ada');
  });
});
