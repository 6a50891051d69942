import { afterEach, expect, it } from 'vitest';
import type { SettingsChanges } from '#shared/settings/model.ts';
import { changeSettings, DEFAULT_SETTINGS } from '#shared/settings/model.ts';
import { runInProcess } from '../testing/run-in-process.ts';
import type { ScriptedCore } from '../testing/scripted-core.ts';
import { script, startScriptedCore } from '../testing/scripted-core.ts';

const cores: ScriptedCore[] = [];
afterEach(async () => {
  for (const core of cores.splice(0)) await core.close();
});

async function core(): Promise<{ dataDir: string; changes: SettingsChanges[] }> {
  const changes: SettingsChanges[] = [];
  const made = await startScriptedCore({
    settings: {
      get: script.settings.get.handler(() => DEFAULT_SETTINGS),
      update: script.settings.update.handler(({ input }) => {
        changes.push(input);
        return changeSettings(DEFAULT_SETTINGS, input);
      }),
    },
  });
  cores.push(made);
  return { dataDir: made.dataDir, changes };
}

it('shows what was chosen, groups with a dot', async () => {
  const { dataDir } = await core();
  const { stdout } = await runInProcess(['settings'], { dataDir });
  expect(stdout).toMatch(/^theme +system$/m);
  expect(stdout).toMatch(/^notifications\.isEnabled +true$/m);
});

it('changes one, from a word or from JSON', async () => {
  const { dataDir, changes } = await core();
  expect((await runInProcess(['settings', 'set', 'theme', 'dark'], { dataDir })).stdout).toMatch(/^theme +dark$/m);
  await runInProcess(['settings', 'set', 'terminalFontSize', '15'], { dataDir });
  await runInProcess(['settings', 'set', 'notifications.mutedAgents', '["ada"]'], { dataDir });
  expect(changes).toEqual([{ theme: 'dark' }, { terminalFontSize: 15 }, { notifications: { mutedAgents: ['ada'] } }]);
});

it.each([
  ['theme', 'blue', 'theme'],
  ['colour', 'red', 'is not known here'],
  ['notifications.isEnabled', 'maybe', 'notifications.isEnabled'],
])('refuses %s %s, and names the field', async (name, value, complaint) => {
  const { dataDir, changes } = await core();
  const told = await runInProcess(['settings', 'set', name, value], { dataDir });
  expect(told.code).toBe(2);
  expect(told.stderr).toContain(complaint);
  expect(changes).toEqual([]);
});
