/** A project as people name it: by id, by name, or by its folder. */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ProjectId } from '#shared/kernel/ids.ts';
import { CliError } from '../cli-error.ts';
import type { CoreClient } from '../core-connection.ts';

/** The id of a project that is known already; NOT_FOUND otherwise. */
export async function projectChoice(client: CoreClient, text: string, cwd: string): Promise<ProjectId> {
  const id = ProjectId.safeParse(text);
  if (id.success) return id.data;
  const { projects } = await client.projects.list({});
  const stated = resolve(cwd, text);
  const folder = await realpath(stated).catch(() => stated);
  const found = projects.find((project) => project.folder === folder) ?? projects.find((project) => project.name === text);
  if (!found)
    throw new CliError(
      'NOT_FOUND',
      `"${text}" is neither the id, the name nor the folder of a project. See: quarterdeck projects`,
    );
  return found.id;
}

/** What a spawn states about its project: an id, or a folder that is opened if need be. Nothing stated leaves it to the core. */
export async function projectOf(
  text: string | undefined,
  cwd: string,
): Promise<{ projectId?: ProjectId; projectFolder?: string }> {
  if (text === undefined) return {};
  const id = ProjectId.safeParse(text);
  if (id.success) return { projectId: id.data };
  const folder = resolve(cwd, text);
  return { projectFolder: await realpath(folder).catch(() => folder) };
}
