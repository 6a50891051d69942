import { goTo } from '#renderer/navigation/use-route.tsx';
import { useProjects } from '#renderer/store/project-scope.ts';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { SystemCheck } from '#shared/system/model.ts';

/** Runs the command of a check in a terminal of its own, as an agent, and shows it: whoever logs in has to type there. */
export function useRunHere(): {
  readonly run: (check: SystemCheck, command: string) => void;
  readonly problem: string | undefined;
} {
  const session = useSession();
  const agents = useWindowState(({ crew }) => crew.agents);
  const hasProject = useProjects().length > 0;
  const command = useCommand();
  const run = (check: SystemCheck, line: string): void =>
    command.run(async () => {
      // On a fresh machine there is no project yet: then it runs where the operator's own shell would, at home.
      const home = hasProject ? undefined : await session.client.projects.browse({});
      const agent = await session.client.agents.spawn({
        ...(home === undefined ? {} : { projectFolder: home.path }),
        id: freeId(`setup-${check.id}`, (id) => agents[id] !== undefined),
        type: 'command',
        // A login shell: the same PATH by which the check was made.
        command: ['bash', '-lc', `${line}; code=$?; echo; echo "Ended with code $code. This is a shell now."; exec bash -l`],
        description: `Set-up of ${check.title}: ${line}`,
      });
      goTo({ page: 'agent', id: agent.id, tab: 'overview' });
    });
  return { run, problem: command.problem };
}

/** The first of `base`, `base-2`, … that no agent has. */
function freeId(base: string, isTaken: (id: string) => boolean): AgentId {
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (!isTaken(id)) return AgentId.parse(id);
  }
}
