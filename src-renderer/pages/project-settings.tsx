import { useState } from 'react';
import type { ReactNode } from 'react';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { useProject, useProjects } from '#renderer/store/project-scope.ts';
import { useWindowState } from '#renderer/store/session-context.tsx';
import { Button } from '#renderer/ui/button.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import type { Project } from '#shared/projects/model.ts';

interface ProjectSettingsProps {
  /** Settings of one project. */
  readonly children: (project: Project) => ReactNode;
}

/** Settings that every project has for itself: of which one is chosen above them, and where there is none it is said. */
export function ProjectSettings({ children }: ProjectSettingsProps): ReactNode {
  const projects = useProjects();
  const hasCrew = useWindowState((state) => state.hasCrew);
  const shown = useProject();
  const [chosen, setChosen] = useState<string>();
  const project = projects.find(({ id }) => id === chosen) ?? shown ?? projects[0];
  if (project === undefined) {
    if (!hasCrew) return <SkeletonText lines={6} />;
    return (
      <div className="flex flex-col items-start gap-3 text-13 text-tx-2">
        <p>Each project has these for itself, and none is open yet.</p>
        <Button onClick={() => goTo({ page: 'setup' })}>Open a folder</Button>
      </div>
    );
  }
  return (
    <>
      {projects.length < 2 ? null : (
        <div className="mb-5">
          <Select
            label="Project"
            value={project.id as string}
            options={projects.map(({ id, name }) => ({ value: id as string, text: name }))}
            onChange={setChosen}
          />
        </div>
      )}
      {children(project)}
    </>
  );
}
