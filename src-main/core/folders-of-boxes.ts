/** Where agents in boxes can write on this machine, whether they run or not: what lies there is theirs, and no order of the operator's. */
import type { AgentWorkspace } from '#shared/workspaces/model.ts';
import type { AgentLauncher } from './agents/agent-launcher.ts';
import type { AgentRegistry } from './agents/agent-registry.ts';
import type { AgentFolder } from './teams/agent-written.ts';

/** Workspaces and homes of all agents that are in a box or were, those of removed ones among them. */
export function foldersOfBoxes(o: {
  readonly boxed: readonly AgentWorkspace[];
  readonly registry: AgentRegistry;
  readonly launcher: AgentLauncher;
}): AgentFolder[] {
  return o.boxed.flatMap(({ agentId, folder }) => {
    const boundary = (o.registry.find(agentId) ?? o.registry.findRemoved(agentId))?.boundary;
    // Of one that was put on the host since then, the folder was written in a box all the same.
    const from = boundary === undefined || boundary === 'host' ? 'container' : boundary;
    return [folder, o.launcher.filesOf(agentId).home].map((place) => ({ agentId, boundary: from, folder: place }));
  });
}
