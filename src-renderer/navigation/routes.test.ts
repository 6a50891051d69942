import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Route } from './routes.ts';
import { AGENT_TABS, pathOf, routeOf, SETTINGS_SECTIONS } from './routes.ts';

const name = fc.string({ minLength: 1, maxLength: 20 });
const route: fc.Arbitrary<Route> = fc.oneof(
  fc.constant({ page: 'fleet' } as const),
  fc.record({ page: fc.constant('agent' as const), id: name, tab: fc.constantFrom(...AGENT_TABS) }),
  fc.constant({ page: 'messages' } as const),
  fc.record({ page: fc.constant('messages' as const), messageId: name }),
  fc.constant({ page: 'setup' } as const),
  fc.constant({ page: 'new-agent' } as const),
  fc.record({ page: fc.constant('new-agent' as const), template: name }),
  fc.record({ page: fc.constant('settings' as const), section: fc.constantFrom(...SETTINGS_SECTIONS) }),
);

describe('routes', () => {
  it('are found again by their path', () => {
    fc.assert(
      fc.property(route, (one) => {
        expect(routeOf(pathOf(one))).toEqual(one);
      }),
    );
  });

  it('know the documented paths', () => {
    expect(routeOf('/')).toEqual({ page: 'fleet' });
    expect(routeOf('/agent/ada')).toEqual({ page: 'agent', id: 'ada', tab: 'overview' });
    expect(routeOf('/agent/ada/activity')).toEqual({ page: 'agent', id: 'ada', tab: 'activity' });
    expect(routeOf('/settings')).toEqual({ page: 'settings', section: 'appearance' });
  });

  it.each(['/nowhere', '/agent', '/agent/ada/nothing', '/agent/%zz', '/settings/x', '/messages/1', '/a/b/c/d'])(
    'do not know %s',
    (path) => expect(routeOf(path)).toEqual({ page: 'unknown', path }),
  );
});
