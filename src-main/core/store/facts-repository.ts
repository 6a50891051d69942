/** Small facts about a data folder that are decided once and kept, such as the agent port. */
import * as z from 'zod';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Db } from './database.ts';

/** A fact; undefined when it was never kept. */
export function readFact(db: Db, name: string, projectId: ProjectId = SYSTEM_PROJECT_ID): string | undefined {
  const row = db.prepare('SELECT value FROM facts WHERE project_id = ? AND name = ?').get(projectId, name);
  return row === undefined ? undefined : z.object({ value: z.string() }).parse(row).value;
}

/** Keeps a fact, replacing an earlier value. */
export function saveFact(db: Db, name: string, value: string, projectId: ProjectId = SYSTEM_PROJECT_ID): void {
  db.prepare('INSERT INTO facts (project_id, name, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value').run(
    projectId,
    name,
    value,
  );
}
