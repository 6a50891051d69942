/** A session: one run of the crew. It ends at a clean end of the core; after a crash it goes on. */
import * as z from 'zod';
import { ProjectId, SessionId } from '#shared/kernel/ids.ts';

/** A session. */
export const Session = z.object({
  id: SessionId,
  projectId: ProjectId,
  startedAt: z.number().int(),
  endedAt: z.number().int().nullable(),
});
/** A session. */
export type Session = z.infer<typeof Session>;

/** Where a project may keep the mirror of its messages: a folder in itself, named after the session's start. */
export const DEFAULT_MIRROR_PLACE = './.crowd/sessions/{timestamp}';

/** A folder inside a project, as a template. `{timestamp}` becomes the start of the session. */
export const MirrorPlace = z
  .string()
  .max(200)
  .regex(/^[^\p{Cc}\\]*$/u, 'must hold no control characters and no backslashes')
  .refine((path) => path.includes('{timestamp}'), 'must contain {timestamp}, so that every session has a folder of its own')
  .refine(
    (path) => !path.startsWith('/') && path.split('/').every((part) => part !== '..' && part !== '.git'),
    'must be relative to the project, without ".." and outside ".git"',
  )
  .describe(`Folder inside the project, for example "${DEFAULT_MIRROR_PLACE}"`);

/** The mirror of a session: its messages as lines in files. */
export const MirrorFolder = z.object({
  /** The project that keeps it in its own folder; null: it is in the data folder. */
  projectId: ProjectId.nullable(),
  /** Absolute path. */
  folder: z.string(),
  /** In all files together. */
  bytes: z.number().int(),
  files: z.number().int(),
});
/** The mirror of a session. */
export type MirrorFolder = z.infer<typeof MirrorFolder>;

/** A session with what is known about it. */
export const SessionSummary = Session.extend({
  /** core: it ran here. import: its messages were read from files; nobody can add to it. */
  origin: z.enum(['core', 'import']),
  importedAt: z.number().int().nullable(),
  /** What it was imported from, such as "crowd-mcp 1730000000000"; null for one that ran here. */
  importedFrom: z.string().nullable(),
  isCurrent: z.boolean().describe('Whether messages are sent into it; every other one is read-only'),
  messages: z.number().int(),
  /** Who sent or was sent something, by name; at most 500. */
  participants: z.array(z.string()),
  mirrors: z.array(MirrorFolder),
});
/** A session with what is known about it. */
export type SessionSummary = z.infer<typeof SessionSummary>;

/** How the mirror of the data folder, or that of a project, is doing. */
export const MirrorState = z.object({
  projectId: ProjectId.nullable(),
  /** The template of its folder; null for the data folder's own. */
  place: z.string().nullable(),
  /** Messages that are stored and not yet in it. */
  behind: z.number().int(),
  /** Why it stands still, and what to do; null while it works. Messages are stored and delivered all the same. */
  problem: z.string().nullable(),
});
/** How a mirror is doing. */
export type MirrorState = z.infer<typeof MirrorState>;

/** What came of an import. */
export const ImportReport = z.object({
  format: z.enum(['quarterdeck', 'crowd-mcp']),
  /** The sessions that the messages belong to now. */
  sessionIds: z.array(SessionId),
  /** Messages that were added. */
  added: z.number().int(),
  /** Messages that were here before, with the same content. */
  present: z.number().int(),
  /** Ends of deliveries (read, dead) that were taken over. */
  ends: z.number().int(),
  /** Where a last line was cut off, as a crash leaves it: file and line. */
  torn: z.array(z.string()),
});
/** What came of an import. */
export type ImportReport = z.infer<typeof ImportReport>;
