/** Which project the window shows. Each window may show another one; the choice outlives it. */
import { useMemo } from 'react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Agent } from '#shared/agents/model.ts';
import type { Project } from '#shared/projects/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import { useWindowState } from './session-context.tsx';
import { pageStorage } from './page-storage.ts';

/** Where the choice is kept between visits. */
const KEY = 'quarterdeck.project';

/** A project's id, or undefined for all of them. */
const chosen = createStore<{ readonly id: string | undefined }>()(() => ({ id: pageStorage.getItem(KEY) ?? undefined }));

/** Shows one project, or all of them. */
export function chooseProject(id: string | undefined): void {
  if (id === undefined) pageStorage.removeItem(KEY);
  else pageStorage.setItem(KEY, id);
  chosen.setState({ id });
}

/** The project that is shown; undefined while all are. */
export function useProject(): Project | undefined {
  const id = useStore(chosen, (state) => state.id);
  const projects = useWindowState((state) => state.crew.projects);
  return id === undefined ? undefined : ownEntry(projects, id);
}

/** All projects, the one opened last first. */
export function useProjects(): readonly Project[] {
  const projects = useWindowState((state) => state.crew.projects);
  return useMemo(() => Object.values(projects).sort((a, b) => b.openedAt - a.openedAt), [projects]);
}

/** The agents of the project that is shown, by id. */
export function useAgents(): readonly Agent[] {
  const agents = useWindowState((state) => state.crew.agents);
  const project = useProject();
  return useMemo(
    () =>
      Object.values(agents)
        .filter(({ projectId }) => project === undefined || projectId === project.id)
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    [agents, project],
  );
}
