/** SQL of projects. */
import * as z from 'zod';
import { Project, SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Db } from '#core/store/database.ts';

const Row = z.object({
  id: z.string(),
  name: z.string(),
  folder: z.string(),
  is_git_repository: z.number(),
  created_at: z.number(),
  opened_at: z.number(),
});

function fromRow(row: unknown): Project {
  const r = Row.parse(row);
  return Project.parse({
    id: r.id,
    name: r.name,
    folder: r.folder,
    isGitRepository: r.is_git_repository === 1,
    createdAt: r.created_at,
    openedAt: r.opened_at,
  });
}

/** All projects that are folders. */
export function allProjects(db: Db): Project[] {
  return db.prepare('SELECT * FROM projects WHERE id <> ?').all(SYSTEM_PROJECT_ID).map(fromRow);
}

/** The project that a folder is. */
export function findByFolder(db: Db, folder: string): Project | undefined {
  const row = db.prepare('SELECT * FROM projects WHERE folder = ?').get(folder);
  return row === undefined ? undefined : fromRow(row);
}

/** The project opened last. */
export function lastOpened(db: Db): Project | undefined {
  const row = db.prepare('SELECT * FROM projects WHERE id <> ? ORDER BY opened_at DESC, id DESC LIMIT 1').get(SYSTEM_PROJECT_ID);
  return row === undefined ? undefined : fromRow(row);
}

/** Adds a project, or brings its row up to date. */
export function saveProject(db: Db, project: Project): void {
  db.prepare(
    `INSERT INTO projects (id, name, folder, is_git_repository, created_at, opened_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, is_git_repository = excluded.is_git_repository, opened_at = excluded.opened_at`,
  ).run(project.id, project.name, project.folder, project.isGitRepository ? 1 : 0, project.createdAt, project.openedAt);
}
