/** How long messages are kept. Nothing is ever removed where nobody asked for it. */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** What of a project's messages is kept. A limit that is null does not limit; with none, everything is kept. */
export const RetentionPolicy = z.strictObject({
  maxAgeMs: z
    .number()
    .int()
    .min(60_000)
    .max(36_500 * DAY_MS)
    .nullable()
    .describe('Messages that were sent longer ago than this are removed, in milliseconds; null: of any age'),
  maxMessages: z.number().int().min(0).nullable().describe('So many of the newest are kept; null: any number'),
  maxBytes: z
    .number()
    .int()
    .min(0)
    .nullable()
    .describe('The newest are kept whose subjects, bodies and data take so many bytes together; null: any size'),
  isAutomatic: z.boolean().default(true).describe('Whether it is applied once a day; else only by apply_retention'),
  removesMirrors: z
    .boolean()
    .default(false)
    .describe('Whether the mirror files in the data folder go too, of sessions of which no message is left'),
});
/** What of a project's messages is kept. */
export type RetentionPolicy = z.infer<typeof RetentionPolicy>;

/** Everything is kept. */
export const KEEP_EVERYTHING: RetentionPolicy = {
  maxAgeMs: null,
  maxMessages: null,
  maxBytes: null,
  isAutomatic: true,
  removesMirrors: false,
};

/** Why messages stay that a limit would remove. */
export const KEPT_BECAUSE = ['unread', 'unread-thread', 'open-request', 'not-mirrored'] as const;

/** How many messages stay that a limit would remove, by the first reason that holds. */
export const KeptCounts = z.object({
  unread: z.number().int().describe('A copy of it was not acknowledged'),
  'unread-thread': z.number().int().describe('A copy of another message of its thread was not acknowledged'),
  'open-request': z.number().int().describe('It is a request that nobody has answered'),
  'not-mirrored': z.number().int().describe('The mirror does not have it yet'),
});
/** How many messages stay that a limit would remove. */
export type KeptCounts = z.infer<typeof KeptCounts>;

/** What applying a policy now would remove, or has removed. */
export const RetentionReport = z.object({
  projectId: ProjectId,
  policy: RetentionPolicy,
  messages: z.number().int(),
  /** Of subjects, bodies and data. */
  bytes: z.number().int(),
  /** Sessions of which messages go. */
  sessions: z.number().int(),
  /** Sessions of which none is left then. */
  wholeSessions: z.number().int(),
  /** When the first and the last of them were sent; null when none goes. */
  oldestAt: z.number().int().nullable(),
  newestAt: z.number().int().nullable(),
  kept: KeptCounts,
});
/** What applying a policy now would remove, or has removed. */
export type RetentionReport = z.infer<typeof RetentionReport>;
