import { describe, expect, it } from 'vitest';
import type { AttentionItem } from './attention.ts';
import { actionsOf, isQuiet, isToldOf } from './notification-rules.ts';

const question: AttentionItem = {
  id: 'question:m1',
  kind: 'question',
  agentId: 'ada',
  messageId: 'm1',
  title: 'ada asks',
  detail: '',
  at: 0,
  needsOperator: true,
  isAwaited: true,
  canRestart: false,
};
const failed: AttentionItem = { ...question, id: 'failed:ada:1', kind: 'failed', messageId: null, canRestart: true };
const settings = { isEnabled: true, quietHours: null, mutedAgents: [] };
const at = (hours: number, minutes: number): Date => new Date(2026, 5, 1, hours, minutes);
const noon = at(12, 0);

describe('notifications', () => {
  it('tell of what a person can act on, and of nothing that was put aside or muted', () => {
    const tell = (item: AttentionItem, over: object = {}): boolean =>
      isToldOf(item, { settings: { ...settings, ...over }, now: noon, focusedPath: undefined });
    expect(tell(question)).toBe(true);
    expect(tell(failed)).toBe(true);
    expect(tell({ ...failed, needsOperator: false })).toBe(false);
    expect(tell(question, { isEnabled: false })).toBe(false);
    expect(tell(question, { mutedAgents: ['ada'] })).toBe(false);
    expect(tell(question, { mutedAgents: ['bob'] })).toBe(true);
    expect(tell(question, { quietHours: { from: '11:00', to: '13:00' } })).toBe(false);
  });

  it('do not tell what the operator is looking at', () => {
    const tell = (item: AttentionItem, focusedPath: string | undefined): boolean =>
      isToldOf(item, { settings, now: noon, focusedPath });
    expect(['/message/m1', '/messages', '/agent/ada', '/agent/ada/activity'].map((path) => tell(question, path))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(['/agents', '/agent/adam', '/message/m2', undefined].map((path) => tell(question, path))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(tell(failed, '/messages')).toBe(true);
  });

  it('keep quiet hours, over midnight too', () => {
    const night = { from: '22:30', to: '07:00' };
    expect([at(22, 29), at(22, 30), at(0, 0), at(6, 59), at(7, 0)].map((now) => isQuiet(night, now))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
    expect(isQuiet({ from: '09:00', to: '09:00' }, at(9, 0))).toBe(false);
    expect(isQuiet(null, noon)).toBe(false);
  });

  it('offer first what helps most', () => {
    expect(actionsOf(question).map(({ text }) => text)).toEqual(['Reply', 'Open']);
    expect(actionsOf(failed).map(({ text }) => text)).toEqual(['Restart', 'Open']);
    expect(actionsOf({ ...failed, canRestart: false }).map(({ text }) => text)).toEqual(['Open']);
  });
});
