/** What saving the form changes of an agent's configuration. Pure. */
import type { AgentDraft } from '#shared/agents/model.ts';
import { AgentConfig } from '#shared/agents/model.ts';
import type { RuntimeKind } from '#shared/runtimes/model.ts';

/** What can be changed of an agent that is there. */
type ConfigChanges = Omit<AgentConfig, 'id' | 'projectId' | 'type' | 'image' | 'runtime'> & {
  readonly image: string | null;
  readonly runtime?: RuntimeKind;
};

/**
 * Every field that can change: those that the form shows as it has them, where what was emptied takes its default; all
 * others as they are.
 */
export function configChanges(draft: AgentDraft, config: AgentConfig): ConfigChanges {
  const {
    id,
    projectId,
    type,
    description: _description,
    command: _command,
    capabilities: _capabilities,
    maxConcurrentTasks: _tasks,
    runtime: _runtime,
    sandbox: _sandbox,
    image: _image,
    workspace: _workspace,
    login: _login,
    modelApis: _modelApis,
    egress: _egress,
    setup: _setup,
    environment: _environment,
    resourceLimits: _limits,
    ...kept
  } = config;
  const whole = AgentConfig.parse({
    ...kept,
    ...draft,
    id,
    projectId,
    type,
  });
  const { id: _id, projectId: _project, type: _type, runtime, ...changes } = whole;
  // Left out it would stay as it was.
  return { ...changes, ...(runtime === 'none' ? {} : { runtime }), image: changes.image ?? null };
}
