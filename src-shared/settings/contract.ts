/** Procedures about settings. */
import * as z from 'zod';
import { command, procedure, query } from '#shared/kernel/procedure.ts';
import { Settings, SettingsChanges } from './model.ts';

/** Procedures about settings. */
export const settingsContract = {
  get: procedure(query('get_settings'), {
    method: 'GET',
    path: '/settings',
    summary: 'Get the settings',
    description:
      'Returns what the operator chose for the window: theme, terminal text, notifications with quiet hours and muted agents, saved filters, how the fleet is shown.',
  })
    .input(z.strictObject({}))
    .output(Settings),

  update: procedure(command('update_settings', 'LOW', { role: 'operator' }), {
    method: 'PATCH',
    path: '/settings',
    summary: 'Change settings',
    description:
      'Changes the stated settings and returns them all; what is left out stays, also inside notifications. Lists are replaced as a whole. Every open window follows at once.',
  })
    .input(SettingsChanges)
    .output(Settings),
};
