/** A project: a folder that agents work on. Every stored row names its project. */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';

/** The project that rows belong to which concern the whole installation (tokens, the core's own start and end). */
export const SYSTEM_PROJECT_ID = ProjectId.parse('prj_00000000-0000-7000-8000-000000000000');

/** A project. */
export const Project = z.object({
  id: ProjectId,
  name: z.string(),
  /** Absolute path with symbolic links resolved; unique. */
  folder: z.string(),
  isGitRepository: z.boolean(),
  createdAt: z.number().int(),
  /** When it was opened last: spawns that name no project go to the one opened last. */
  openedAt: z.number().int(),
});
/** A project. */
export type Project = z.infer<typeof Project>;

/** A folder on this machine, as one looks for a project. */
export const Folder = z.object({
  name: z.string(),
  /** Absolute. */
  path: z.string(),
  isGitRepository: z.boolean(),
});
/** A folder on this machine, as one looks for a project. */
export type Folder = z.infer<typeof Folder>;

/** What is in a folder: the folders of it, and the way up. */
export const FolderListing = z.object({
  /** Absolute, symbolic links resolved. */
  path: z.string(),
  /** Null at the root. */
  parent: z.string().nullable(),
  isGitRepository: z.boolean(),
  /** By name, hidden ones last. */
  folders: z.array(Folder),
  /** Whether there are more folders than are listed. */
  isCut: z.boolean(),
});
/** What is in a folder. */
export type FolderListing = z.infer<typeof FolderListing>;
