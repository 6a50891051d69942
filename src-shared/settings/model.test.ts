import { describe, expect, it } from 'vitest';
import { changeSettings, DEFAULT_SETTINGS, Settings, SettingsChanges, settingsFrom } from './model.ts';

describe('settings', () => {
  it('have a valid default for every field', () => {
    expect(Settings.parse(DEFAULT_SETTINGS)).toEqual(DEFAULT_SETTINGS);
    expect(settingsFrom(undefined)).toEqual(DEFAULT_SETTINGS);
  });

  it('of another version keep what is valid, take defaults for the rest, and drop what is unknown', () => {
    const stored = {
      theme: 'solarized',
      terminalFontSize: 16,
      notifications: { isEnabled: false, quietHours: 'never', sound: true },
      fromTheFuture: 1,
    };
    expect(settingsFrom(stored)).toEqual({
      ...DEFAULT_SETTINGS,
      terminalFontSize: 16,
      notifications: { ...DEFAULT_SETTINGS.notifications, isEnabled: false },
    });
  });

  it('say which field of a change is wrong', () => {
    const wrong: [unknown, string][] = [
      [{ theme: 'blue' }, 'theme'],
      [{ terminalFontSize: 7 }, 'terminalFontSize'],
      [{ notifications: { quietHours: { from: '24:00', to: '07:00' } } }, 'notifications.quietHours.from'],
      [{ savedFilters: [{ name: '', filter: '' }] }, 'savedFilters.0.name'],
      [{ dismissed: Array.from({ length: 501 }, String) }, 'dismissed'],
    ];
    for (const [changes, field] of wrong) expect(SettingsChanges.safeParse(changes).error?.issues[0]?.path.join('.')).toBe(field);
    expect(SettingsChanges.safeParse({ colour: 'red' }).error?.issues[0]?.code).toBe('unrecognized_keys');
    // Nothing stated is nothing changed: no default slips in.
    expect(changeSettings({ ...DEFAULT_SETTINGS, theme: 'light' }, SettingsChanges.parse({}))).toMatchObject({ theme: 'light' });
  });
});
