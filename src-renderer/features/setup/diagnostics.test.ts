import { expect, it } from 'vitest';
import { diagnosticsOf } from './diagnostics.ts';

it('says version, agents and every check', () => {
  const text = diagnosticsOf({
    version: '1.2.3',
    userAgent: 'Chromium',
    agents: { idle: 2, failed: 1 },
    checks: [
      {
        id: 'tmux',
        title: 'tmux',
        group: 'runtimes',
        state: 'missing',
        loginState: null,
        detail: 'not found',
        path: null,
        version: null,
        remedy: 'apt-get install tmux',
      },
    ],
    at: 0,
  });
  expect(text.split('\n')).toEqual([
    'Quarterdeck 1.2.3, 1970-01-01T00:00:00.000Z',
    'Window: Chromium',
    'Agents: 2 idle, 1 failed',
    'missing  tmux: not found (apt-get install tmux)',
  ]);
});
