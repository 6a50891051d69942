import { useProject } from '#renderer/store/project-scope.ts';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import type { Command } from '#renderer/store/use-command.ts';
import { problemOf, useCommand } from '#renderer/store/use-command.ts';
import { showToast } from '#renderer/ui/toast.tsx';
import { isAlive } from '#shared/agents/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';

/** Stops all agents of the project that is shown. It is done at once, and can be undone: those that ran are started again. */
export function useStopAll(): Omit<Command, 'run'> & { readonly run: () => void } {
  const session = useSession();
  const project = useProject();
  const agents = useWindowState((state) => state.crew.agents);
  const command = useCommand();

  const startAgain = (ids: readonly AgentId[]): void => {
    Promise.all(ids.map((id) => session.client.agents.start({ id }))).catch((error: unknown) =>
      showToast({ title: 'Not all agents were started again.', detail: problemOf(error), tone: 'failed' }),
    );
  };
  const stop = async (): Promise<void> => {
    const running = new Set(Object.values(agents).flatMap(({ id, state }) => (isAlive(state.status) ? [id] : [])));
    const { stopped, failed } = await session.client.agents.stopAll(project === undefined ? {} : { projectId: project.id });
    const wereRunning = stopped.filter((id) => running.has(id));
    showToast({
      title: stopped.length === 1 ? 'One agent was stopped.' : `${stopped.length} agents were stopped.`,
      ...(failed.length === 0 ? {} : { detail: failed.map(({ id, problem }) => `${id}: ${problem}`).join(' ') }),
      tone: failed.length === 0 ? 'info' : 'failed',
      ...(wereRunning.length === 0 ? {} : { actions: [{ text: 'Start them again', onClick: () => startAgain(wereRunning) }] }),
    });
  };
  return { ...command, run: () => command.run(stop) };
}
