/** What the journal says about projects, and how a window folds it. */
import * as z from 'zod';
import { Project } from './model.ts';

/** Data of each journal event about projects, by kind. The subject is the project's id. */
export const projectEvents = {
  'project.opened': z.object({ project: Project }),
};

/** Projects by id. */
export type ProjectTable = Readonly<Record<string, Project>>;

/** Folds one event: opening adds a project or brings its facts up to date. */
export function reduceProjects(
  table: ProjectTable,
  event: { kind: 'project.opened'; subject: string; data: { project: Project } },
): ProjectTable {
  return { ...table, [event.subject]: event.data.project };
}
