import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '#shared/settings/model.ts';
import { CORE } from '#core/caller.ts';
import { saveFact } from '#core/store/facts-repository.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { SettingsService } from './settings-service.ts';

let test: TestStore;
let settings: SettingsService;

beforeEach(() => {
  test = openTestStore();
  settings = new SettingsService({ store: test.store });
});
afterEach(() => test.dispose());

describe('settings', () => {
  it('are the defaults until somebody chooses, and then what was chosen, for the next core too', async () => {
    expect(settings.get()).toEqual(DEFAULT_SETTINGS);
    const changed = await settings.update({ theme: 'dark', terminalFontSize: 15 }, CORE);
    expect(changed).toEqual({ ...DEFAULT_SETTINGS, theme: 'dark', terminalFontSize: 15 });
    expect(new SettingsService({ store: test.store }).get()).toEqual(changed);
  });

  it('keep what a change leaves out, also inside notifications, and replace lists', async () => {
    await settings.update({ notifications: { quietHours: { from: '22:00', to: '07:30' } }, dismissed: ['a', 'b'] }, CORE);
    await settings.update({ notifications: { mutedAgents: ['ada'] }, dismissed: ['c'], theme: undefined }, CORE);
    expect(settings.get()).toEqual({
      ...DEFAULT_SETTINGS,
      notifications: { isEnabled: true, quietHours: { from: '22:00', to: '07:30' }, mutedAgents: ['ada'] },
      dismissed: ['c'],
    });
  });

  it('are one event per change, with the whole, and none when nothing changes', async () => {
    const seq = test.journal.seq;
    await settings.update({ fleetView: 'wall' }, CORE);
    await settings.update({ fleetView: 'wall', notifications: {} }, CORE);
    await settings.update({}, CORE);
    const { events } = await test.store.read('journal.events', { after: seq, limit: 10 });
    expect(events).toMatchObject([
      { kind: 'settings.changed', subject: 'settings', data: { settings: { ...DEFAULT_SETTINGS, fleetView: 'wall' } } },
    ]);
  });

  it('lose nothing when two change at once', async () => {
    await Promise.all([settings.update({ theme: 'light' }, CORE), settings.update({ isRailExpanded: true }, CORE)]);
    expect(settings.get()).toMatchObject({ theme: 'light', isRailExpanded: true });
  });

  it('are in the snapshot that windows begin with', async () => {
    await settings.update({ savedFilters: [{ name: 'Mine', filter: 'state:working' }] }, CORE);
    const { settings: shown } = await test.store.read('state.snapshot', {});
    expect(shown).toEqual(settings.get());
  });

  it.each(['no JSON', '[]', 'null', '{"theme": 7}'])('are usable whatever was stored: %s', async (text) => {
    await test.store.write((tx) => saveFact(tx, 'settings', text));
    expect(settings.get()).toEqual(DEFAULT_SETTINGS);
  });
});
