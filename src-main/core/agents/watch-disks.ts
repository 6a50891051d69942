/** Which folders of which agents are watched. Only composes. */
import type { Agent } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import { isHeld } from '#shared/attention/attention.ts';
import { parseSize } from '#shared/kernel/units.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { AgentLauncher } from './agent-launcher.ts';
import type { AgentRegistry } from './agent-registry.ts';
import type { AgentRuns } from './agent-runs.ts';
import type { AgentsService } from './agents-service.ts';
import type { DiskWatchOptions, WatchedDisk } from './disk-watch.ts';
import { DiskWatch } from './disk-watch.ts';

/** What the watch of a core looks at. */
export interface WatchDisksOptions extends Pick<DiskWatchOptions, 'log' | 'tickMs'> {
  readonly agents: Pick<AgentsService, 'pauseBecause'>;
  readonly registry: Pick<AgentRegistry, 'all'>;
  readonly runs: Pick<AgentRuns, 'find'>;
  readonly launcher: Pick<AgentLauncher, 'filesOf'>;
  /** The folder an agent has for itself; undefined where it works in the project's, which is not its doing alone. */
  readonly workspaces: { ownFolderOf(id: AgentId): string | undefined };
}

/** Begins to watch what agents that run have on disk: their homes, and the workspaces that are theirs alone. */
export function watchDisks(options: WatchDisksOptions): DiskWatch {
  const { agents, registry, runs, launcher, workspaces } = options;
  const watched = (agent: Agent): WatchedDisk[] => {
    const { state, config, id } = agent;
    const run = isAlive(state.status) ? runs.find(id) : undefined;
    if (run === undefined) return [];
    return [
      {
        agentId: id,
        runId: run.runId,
        folders: () => {
          const own = workspaces.ownFolderOf(id);
          const { home } = launcher.filesOf(id);
          return own === undefined ? [home] : [own, home];
        },
        limitBytes: parseSize(config.resourceLimits.disk) ?? Number.POSITIVE_INFINITY,
        isActive: state.status === 'idle' || state.status === 'working' || state.status === 'waiting',
        isHeld: isHeld(state),
      },
    ];
  };
  const watch = new DiskWatch({
    ...options,
    living: () => registry.all().flatMap(watched),
    pause: (id, because) => agents.pauseBecause(id, because),
  });
  watch.start();
  return watch;
}
