import { describe, expect, it } from 'vitest';
import { isWindowPath, pathOfLink } from '#hosts/electron/window-paths.ts';
import type { Route } from '#renderer/navigation/routes.ts';
import { AGENT_TABS, pathOf, routeOf, SETTINGS_SECTIONS } from '#renderer/navigation/routes.ts';

/** Every kind of place of the window, with the ids that the core mints. */
const ROUTES: readonly Route[] = [
  { page: 'fleet' },
  ...AGENT_TABS.map((tab): Route => ({ page: 'agent', id: 'ada-2', tab })),
  { page: 'messages' },
  { page: 'messages', messageId: 'msg_0190c3a8-7f4e-7c2b-9a51-2f6d5b1e8c3d' },
  { page: 'setup' },
  { page: 'new-agent' },
  { page: 'new-agent', template: 'batch-worker' },
  ...SETTINGS_SECTIONS.map((section): Route => ({ page: 'settings', section })),
];

describe("the shell's idea of the window's places", () => {
  it('has every route of the window', () => {
    for (const route of ROUTES) {
      const path = pathOf(route);
      expect(isWindowPath(path), path).toBe(true);
      expect(pathOfLink(`quarterdeck:/${path}`), path).toBe(path);
    }
  });

  it('has no place that the window does not know', () => {
    for (const path of ['/', '/agents', '/agent/ada', '/messages', '/message/m', '/setup', '/new', '/new/worker', '/settings'])
      expect(routeOf(path).page, path).not.toBe('unknown');
  });
});
