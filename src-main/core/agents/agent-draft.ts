/** From what a caller and a template state to a whole configuration. Pure. */
import type * as z from 'zod';
import type { AgentConfig as AgentConfigType, AgentDraft, AgentTemplate } from '#shared/agents/model.ts';
import { AgentConfig } from '#shared/agents/model.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { AgentId } from '#shared/kernel/ids.ts';

type TemplateFields = Partial<AgentTemplate['agent']>;

/** A draft laid over another: stated fields win; limits are merged one by one, everything else is replaced whole. */
export function overlay(under: TemplateFields | AgentDraft, over: AgentDraft): AgentDraft {
  const stated = Object.fromEntries(Object.entries(over).filter(([, value]) => value !== undefined)) as AgentDraft;
  return { ...under, ...stated, resourceLimits: { ...under.resourceLimits, ...over.resourceLimits } };
}

/** The first free id of the form `<stem>-<n>`. */
export function freeId(stem: string, isTaken: (id: AgentId) => boolean): AgentId {
  for (let n = 1; ; n += 1) {
    const id = AgentId.parse(`${stem.slice(0, 55)}-${n}`);
    if (!isTaken(id)) return id;
  }
}

/** One sentence that names each field and what is allowed; `whole` is what to call the whole. */
export function describeIssues(error: z.ZodError, whole = 'configuration'): string {
  return error.issues.map((issue) => `${issue.path.length > 0 ? issue.path.join('.') : whole}: ${reasonOf(issue)}`).join('; ');
}

/** Of a name that is not allowed, zod only says so; why is one level deeper. */
function reasonOf(issue: z.core.$ZodIssue): string {
  return (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue.message;
}

/** The whole configuration, with defaults. BAD_REQUEST names the fields that are wrong and what is allowed. */
export function completeConfig(draft: AgentDraft, id: AgentId, projectId: ProjectId): AgentConfigType {
  const result = AgentConfig.safeParse({ ...draft, id, projectId });
  if (result.success) return result.data;
  throw new AppError('BAD_REQUEST', `The configuration of agent "${id}" is not valid: ${describeIssues(result.error)}.`, {
    data: { fields: result.error.issues.map((issue) => issue.path.join('.')) },
  });
}
