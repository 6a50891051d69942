/** Projects: which folders are open. Invariant: one project per real folder, however its path is written. */
import { realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute } from 'node:path';
import { AppError } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { mintId, ProjectId as ProjectIdSchema } from '#shared/kernel/ids.ts';
import type { Project } from '#shared/projects/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import { hasGit } from './browse-folders.ts';
import { allProjects, findByFolder, lastOpened, saveProject } from './projects-repository.ts';

/** Opening the same project again within this time changes nothing: a script that spawns a hundred agents writes one event. */
const REOPEN_AFTER_MS = 60_000;

/** The folder with symbolic links resolved. BAD_REQUEST for a relative path, NOT_FOUND when there is no such folder. */
export async function realFolder(folder: string): Promise<string> {
  if (!isAbsolute(folder))
    throw new AppError('BAD_REQUEST', `The project folder must be an absolute path; "${folder}" is not.`, {
      data: { field: 'folder' },
    });
  const real = await realpath(folder).catch(() => undefined);
  if (real === undefined || !(await stat(real)).isDirectory()) {
    throw new AppError('NOT_FOUND', `There is no folder "${folder}". Create it first, or name another.`, {
      data: { field: 'folder', folder },
    });
  }
  return real;
}

/** Owns the list of projects. */
export class ProjectsService {
  readonly #store: AppStore;
  readonly #now: () => number;
  readonly #projects = new Map<ProjectId, Project>();

  constructor(options: { store: AppStore; now?: () => number }) {
    this.#store = options.store;
    this.#now = options.now ?? Date.now;
  }

  /** Reads the projects from the store. */
  open(): void {
    for (const project of this.#store.peek(allProjects)) this.#projects.set(project.id, project);
  }

  /** All projects, the one opened last first. */
  list(): Project[] {
    return [...this.#projects.values()].sort((a, b) => b.openedAt - a.openedAt || (a.id < b.id ? 1 : -1));
  }

  /** One project; NOT_FOUND when there is none. */
  get(id: ProjectId): Project {
    const project = this.#projects.get(id);
    if (!project)
      throw new AppError(
        'NOT_FOUND',
        `There is no project ${id}. List them with list_projects, or open a folder with open_project.`,
        { data: { id } },
      );
    return project;
  }

  /** The project opened last. */
  latest(): Project | undefined {
    return this.list()[0];
  }

  /** Opens a folder: makes it a project, or returns the project that it is. */
  async openFolder(folder: string, caller: Caller, name?: string): Promise<Project> {
    const real = await realFolder(folder);
    const isGitRepository = await hasGit(real);
    return this.#store.write((tx) => {
      // From the table: of several openings in one batch each sees those before it.
      const known = findByFolder(tx, real);
      const latest = lastOpened(tx);
      const at = this.#now();
      const isUnchanged = known && known.isGitRepository === isGitRepository && (name === undefined || name === known.name);
      if (isUnchanged && latest?.id === known.id && at - known.openedAt < REOPEN_AFTER_MS) return known;
      const project: Project = {
        id: known?.id ?? ProjectIdSchema.parse(mintId('prj')),
        name: name ?? known?.name ?? (basename(real) || real),
        folder: real,
        isGitRepository,
        createdAt: known?.createdAt ?? at,
        openedAt: Math.max(at, (latest?.openedAt ?? 0) + 1),
      };
      saveProject(tx, project);
      tx.record(
        event({ projectId: project.id, actor: caller.actor, door: caller.door, subject: project.id }, 'project.opened', {
          project,
        }),
      );
      tx.afterCommit(() => this.#projects.set(project.id, project));
      return project;
    });
  }

  /** The project that a command means: the stated one, else the stated folder, else where the caller stands, else the one opened last. */
  async resolve(
    stated: { projectId?: ProjectId | undefined; projectFolder?: string | undefined },
    caller: Caller,
  ): Promise<Project> {
    if (stated.projectId !== undefined) return this.get(stated.projectId);
    const folder = stated.projectFolder ?? caller.folder;
    if (folder !== undefined) return this.openFolder(folder, caller);
    const latest = this.latest();
    if (!latest)
      throw new AppError(
        'BAD_REQUEST',
        'No project is open: give projectFolder (an absolute path), or call open_project first.',
        { data: { field: 'projectFolder' } },
      );
    return latest;
  }
}
