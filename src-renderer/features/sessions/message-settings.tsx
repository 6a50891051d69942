import type { ReactNode } from 'react';
import type { Project } from '#shared/projects/model.ts';
import { RetentionSettings } from './retention-settings.tsx';
import { SessionList } from './session-list.tsx';

/** What is kept of a project's messages, and where it can be read again. */
export function MessageSettings({ project }: { readonly project: Project }): ReactNode {
  return (
    <>
      <SessionList key={`sessions ${project.id}`} project={project} />
      <RetentionSettings key={`retention ${project.id}`} project={project} />
    </>
  );
}
