import type { ReactNode } from 'react';
import { useAsked } from '#renderer/store/use-asked.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import type { Project } from '#shared/projects/model.ts';
import { ChainEditor } from './chain-editor.tsx';
import { ModuleList } from './module-list.tsx';
import { RefusalList } from './refusal-list.tsx';

/** While the page is looked at, what the steps did is asked for again after so many milliseconds: no event carries it. */
const COUNTED_EVERY_MS = 5_000;

/** What a project does with each message before it is stored: the steps, a trial of them, what they did, and the modules they may run. */
export function MiddlewareSettings({ project }: { readonly project: Project }): ReactNode {
  const { answer, problem, ask } = useAsked(
    `middleware ${project.id}`,
    (client) => client.middleware.get({ projectId: project.id }),
    {
      isChangedBy: ({ kind, projectId }) => kind === 'middleware.changed' && projectId === project.id,
      everyMs: () => COUNTED_EVERY_MS,
    },
  );
  const modules = useAsked('middleware modules', (client) => client.middleware.modules({}), {
    isChangedBy: ({ kind }) => kind === 'middleware.module-accepted' || kind === 'middleware.changed',
  });
  if (answer === undefined)
    return problem === undefined ? <SkeletonText lines={8} /> : <Notice title="The middleware is not known." detail={problem} />;
  return (
    <>
      <ChainEditor key={project.id} project={project} saved={answer} onChanged={ask} />
      <RefusalList project={project} />
      <ModuleList modules={modules.answer} problem={modules.problem} onChanged={modules.ask} />
    </>
  );
}
