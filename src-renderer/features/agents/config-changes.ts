/** What saving the form changes of an agent's configuration. Pure. */
import type { AgentDraft } from '#shared/agents/model.ts';
import { AgentConfig } from '#shared/agents/model.ts';

/** What can be changed of an agent that is there. */
type ConfigChanges = Omit<AgentConfig, 'id' | 'projectId' | 'type'>;

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
    environment: _environment,
    resourceLimits: { memory: _memory, cpu: _cpu, timeout: _timeout, ...keptLimits },
    ...kept
  } = config;
  const whole = AgentConfig.parse({
    ...kept,
    ...draft,
    resourceLimits: { ...keptLimits, ...draft.resourceLimits },
    id,
    projectId,
    type,
  });
  const { id: _id, projectId: _project, type: _type, ...changes } = whole;
  return changes;
}
