/** For tests: an agent as the registry would have it. */
import type { Agent, AgentDraft } from '#shared/agents/model.ts';
import { AgentConfig } from '#shared/agents/model.ts';
import { AgentId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import { boundaryOf } from '#shared/runtimes/model.ts';

/** The project that agents are in when nothing else is said. */
export const PROJECT: ProjectId = ProjectId.parse(mintId('prj'));

/** An agent in a container, running. */
export function madeAgent(id: string, draft: Omit<AgentDraft, 'id'> = {}): Agent {
  const projectId = draft.projectId ?? PROJECT;
  const config = AgentConfig.parse({ type: 'worker', runtime: 'docker', ...draft, id, projectId });
  return {
    id: AgentId.parse(id),
    projectId,
    config,
    template: null,
    state: { status: 'idle', since: 1, evidence: { source: 'interface', detail: 'asks for mail', at: 1 } },
    says: null,
    run: null,
    boundary: boundaryOf(config),
    boundaryNote: '',
    starts: 1,
    createdAt: 1,
  };
}
