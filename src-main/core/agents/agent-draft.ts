/** From what a caller and a template state to a whole configuration. Pure. */
import type { AgentConfig as AgentConfigType, AgentDraft, AgentTemplate } from '#shared/agents/model.ts';
import { AgentConfig } from '#shared/agents/model.ts';
import { describeInvalid } from '#shared/kernel/describe-issues.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { AgentRuntime, RuntimeKind } from '#shared/runtimes/model.ts';

type TemplateFields = Partial<AgentTemplate['agent']>;

/** What a configuration is completed from: a draft, or what an agent has already. */
export type ConfigDraft = Omit<AgentDraft, 'runtime'> & { readonly runtime?: AgentRuntime | undefined };

/**
 * A draft laid over another: stated fields win; limits are merged one by one, everything else is replaced whole. An image goes
 * with the change to a runtime that has none: whoever asks for that could not leave it out otherwise.
 */
export function overlay<R extends AgentRuntime>(
  under: (TemplateFields | Omit<AgentDraft, 'runtime'>) & { readonly runtime?: R | undefined },
  over: AgentDraft,
): Omit<AgentDraft, 'runtime'> & { readonly runtime?: R | RuntimeKind | undefined } {
  const stated = Object.fromEntries(Object.entries(over).filter(([, value]) => value !== undefined)) as AgentDraft;
  const { image, ...rest } = under;
  const keepsImage = image !== undefined && (stated.runtime === undefined || stated.runtime === 'docker');
  return {
    ...rest,
    ...(keepsImage ? { image } : {}),
    ...stated,
    resourceLimits: { ...under.resourceLimits, ...over.resourceLimits },
  };
}

/** The first free id of the form `<stem>-<n>`. */
export function freeId(stem: string, isTaken: (id: AgentId) => boolean): AgentId {
  for (let n = 1; ; n += 1) {
    const id = AgentId.parse(`${stem.slice(0, 55)}-${n}`);
    if (!isTaken(id)) return id;
  }
}

/** The whole configuration of an agent to be made here. BAD_REQUEST also for a type that is not. */
export function spawnConfig(draft: AgentDraft, id: AgentId, projectId: ProjectId): AgentConfigType {
  if (draft.type !== 'external') return completeConfig(draft, id, projectId);
  throw new AppError(
    'BAD_REQUEST',
    'type: an agent of type "external" is not started here: it enrols itself with register_agent. Make a code for it with create_enrolment_code (quarterdeck enrol).',
    { data: { field: 'type' } },
  );
}

/** The whole configuration, with defaults. BAD_REQUEST names the fields that are wrong and what is allowed. */
export function completeConfig(draft: ConfigDraft, id: AgentId, projectId: ProjectId): AgentConfigType {
  const value = { ...draft, id, projectId };
  const result = AgentConfig.safeParse(value);
  if (result.success) return result.data;
  const { message, fields } = describeInvalid(AgentConfig, result.error, value);
  throw new AppError('BAD_REQUEST', `The configuration of agent "${id}" is not valid: ${message}.`, { data: { fields } });
}
