/**
 * What the operator chose for the window, kept by the core so that every window follows it.
 * Every field has a default: a fresh data folder has settings, and one that lacks a newer field has them too.
 */
import * as z from 'zod';

/** Terminal text is readable and its grid is computable between these sizes, in CSS pixels. */
export const FONT_SIZE = { least: 8, most: 32 } as const;
/** Lists of the settings stay small: they are in every snapshot. */
const MAX_ENTRIES = 500;

/** A time of day on the operator's clock, such as 22:30. */
const TimeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day from 00:00 to 23:59, such as "22:30"')
  .describe('Time of day on the clock of the machine that shows the window, such as "22:30"');

const notificationFields = {
  isEnabled: z.boolean().describe('Whether the desktop is told what needs the operator'),
  quietHours: z
    .strictObject({ from: TimeOfDay, to: TimeOfDay })
    .nullable()
    .describe('No notifications from one time of day to the other, over midnight when "to" is the earlier; null: at no time'),
  mutedAgents: z.array(z.string().max(64)).max(MAX_ENTRIES).describe('Ids of agents that notify of nothing'),
};

const fields = {
  theme: z.enum(['system', 'dark', 'light']).describe('system: as the desktop is'),
  terminalFontSize: z
    .number()
    .int()
    .min(FONT_SIZE.least)
    .max(FONT_SIZE.most)
    .describe('Size of text in terminals, in CSS pixels'),
  isRailExpanded: z.boolean().describe('Whether the rail at the left shows words beside its icons'),
  closeToTray: z.boolean().describe('Whether closing the last window leaves the app in the tray'),
  notifications: z.strictObject(notificationFields),
  savedFilters: z
    .array(z.strictObject({ name: z.string().min(1).max(80), filter: z.string().max(1_000) }))
    .max(100)
    .describe('Filters of the fleet, by name, in the order in which they are offered'),
  fleetView: z.enum(['grid', 'table', 'wall']).describe('How the fleet is shown'),
  tableColumns: z
    .array(z.string().max(64))
    .max(64)
    .describe("Columns of the fleet's table from left to right; empty: the window's own choice"),
  dismissed: z.array(z.string().max(256)).max(MAX_ENTRIES).describe('Ids of items that need the operator and were put aside'),
};

/** Everything that can be set. */
export const Settings = z.strictObject(fields);
/** Everything that can be set. */
export type Settings = z.infer<typeof Settings>;

/** What is to be changed: fields left out stay, also those inside `notifications`. Lists are replaced, not joined. */
export const SettingsChanges = z
  .strictObject({ ...fields, notifications: z.strictObject(notificationFields).partial() })
  .partial();
/** What is to be changed. */
export type SettingsChanges = z.infer<typeof SettingsChanges>;

/** What holds where nobody chose anything. */
export const DEFAULT_SETTINGS: Settings = {
  theme: 'system',
  terminalFontSize: 13,
  isRailExpanded: false,
  closeToTray: true,
  notifications: { isEnabled: true, quietHours: null, mutedAgents: [] },
  savedFilters: [],
  fleetView: 'grid',
  tableColumns: [],
  dismissed: [],
};

/** The settings with the changes made. */
export function changeSettings(settings: Settings, changes: SettingsChanges): Settings {
  const { notifications, ...rest } = changes;
  return Settings.parse({
    ...settings,
    ...definedOf(rest),
    notifications: { ...settings.notifications, ...definedOf(notifications ?? {}) },
  });
}

/** A field that is there but undefined was left out, whatever the caller's language makes of that. */
function definedOf(fieldsGiven: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fieldsGiven).filter(([, value]) => value !== undefined));
}

/**
 * Settings as an earlier or later version stored them: what is missing or no longer valid takes its default, what is
 * unknown is dropped. Never throws, so that no stored value can keep the core from starting.
 */
export function settingsFrom(stored: unknown): Settings {
  const given = z.record(z.string(), z.unknown()).catch({}).parse(stored);
  const heard = z.record(z.string(), z.unknown()).catch({}).parse(given['notifications']);
  const usable = (schemas: Readonly<Record<string, z.ZodType>>, values: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(values).filter(([name, value]) => schemas[name]?.safeParse(value).success === true));
  return Settings.parse({
    ...DEFAULT_SETTINGS,
    ...usable(fields, given),
    notifications: { ...DEFAULT_SETTINGS.notifications, ...usable(notificationFields, heard) },
  });
}
