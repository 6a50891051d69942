import { describe, expect, it } from 'vitest';
import type { AttentionItem } from '#shared/attention/attention.ts';
import { NO_VIEW } from './crew-watch.ts';
import type { CrewView } from './crew-watch.ts';
import type { MenuEntry } from './fleet-menu.ts';
import { trayModel } from './fleet-menu.ts';
import { nativeEntries } from './native-menu.ts';

function question(index: number, over: Partial<AttentionItem> = {}): AttentionItem {
  return {
    id: `question:m${index}`,
    kind: 'question',
    agentId: 'ada',
    messageId: `m${index}`,
    title: 'ada asks',
    detail: 'Which branch?',
    at: index,
    needsOperator: true,
    isAwaited: true,
    canRestart: false,
    ...over,
  };
}

function view(items: AttentionItem[], fleet: Partial<CrewView['fleet']>): CrewView {
  return { ...NO_VIEW, items, fleet: { ...NO_VIEW.fleet, mood: 'idle', ...fleet } };
}

const labels = (entries: readonly MenuEntry[]): string[] => entries.map((entry) => (entry.type === 'entry' ? entry.label : '-'));

describe('the tray', () => {
  it('says how the fleet stands, and lists what needs the operator first', () => {
    const model = trayModel(
      view(
        [
          question(1),
          question(2, {
            id: 'failed:bob:1',
            kind: 'failed',
            agentId: 'bob',
            messageId: null,
            title: 'bob failed',
            detail: 'exit 1',
          }),
        ],
        {
          mood: 'needs',
          needs: 2,
          agents: 5,
          alive: 4,
          byStatus: { working: 2, idle: 1, paused: 1, failed: 1 },
        },
      ),
    );
    expect(model).toMatchObject({
      icon: 'needs-2',
      count: 2,
      tooltip: 'Quarterdeck: 2 need you · 2 working · 1 idle · 1 paused · 1 failed',
    });
    expect(labels(model.entries)).toEqual([
      'ada asks: Which branch?',
      'bob failed: exit 1',
      '-',
      'Open Quarterdeck',
      'New agent…',
      '-',
      'Pause all (3)',
      'Resume all (1)',
      'Stop all (4)',
      '-',
      'Quit (agents keep running)',
      'Quit and stop all agents',
    ]);
    expect(model.entries[0]).toMatchObject({ command: { kind: 'open', path: '/message/m1' } });
    expect(model.entries[1]).toMatchObject({ command: { kind: 'open', path: '/agent/bob' } });
  });

  it('lists eight, says how many more there are, and draws counts up to nine', () => {
    const items = Array.from({ length: 11 }, (_, index) => question(index, { detail: 'x'.repeat(200) }));
    const model = trayModel(view([...items, question(12, { needsOperator: false })], { mood: 'needs', needs: 11 }));
    expect(model.icon).toBe('needs-more');
    expect(labels(model.entries)[8]).toBe('3 more…');
    expect([...(labels(model.entries)[0] ?? '')]).toHaveLength(64);
  });

  it('offers nothing that would do nothing', () => {
    const model = trayModel(view([], { agents: 1, byStatus: { stopped: 1 } }));
    expect(model).toMatchObject({ icon: 'idle', tooltip: 'Quarterdeck: no agent runs' });
    const disabled = model.entries.flatMap((entry) => (entry.type === 'entry' && !entry.isEnabled ? [entry.label] : []));
    expect(disabled).toEqual(['Pause all', 'Resume all', 'Stop all']);
    expect(trayModel(NO_VIEW)).toMatchObject({ icon: 'off', tooltip: 'Quarterdeck: the core is starting' });
    expect(trayModel(view([], {})).tooltip).toBe('Quarterdeck: no agents');
  });

  it('writes an & of an agent as one', () => {
    expect(
      nativeEntries([{ type: 'entry', label: 'a & b', command: { kind: 'quit' }, isEnabled: true }], () => undefined),
    ).toMatchObject([{ label: 'a && b' }]);
  });
});
