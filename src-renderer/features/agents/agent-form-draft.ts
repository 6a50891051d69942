/** An agent that is being described: kept in the browser until it is made or thrown away. */
import * as z from 'zod';
import { AgentFields, EMPTY_FIELDS } from './agent-form-state.ts';

/** The form, and what it began with. */
export const AgentFormDraft = z
  .object({
    /** The template that it began with; null: none. */
    template: z.string().nullable(),
    /** The fields as they were before anything was typed. */
    base: AgentFields,
    fields: AgentFields,
  })
  .readonly();
/** The form, and what it began with. */
export type AgentFormDraft = z.infer<typeof AgentFormDraft>;

/** Nothing typed, and no template. */
export const EMPTY_DRAFT: AgentFormDraft = { template: null, base: EMPTY_FIELDS, fields: EMPTY_FIELDS };

const NAME = 'quarterdeck.new-agent';

/** What was typed: the fields that are not as they were. */
function typedFields({ base, fields }: AgentFormDraft): Partial<AgentFields> {
  const names = AgentFields.unwrap()
    .keyof()
    .options.filter((name) => fields[name] !== base[name]);
  return Object.fromEntries(names.map((name) => [name, fields[name]]));
}

/** Whether there is something in it that would be missed. */
export function isTyped(draft: AgentFormDraft): boolean {
  return Object.keys(typedFields(draft)).length > 0;
}

/** The same with another template under it, or none: what was typed stays as it was typed. */
export function onTemplate(draft: AgentFormDraft, template: string | null, base: AgentFields): AgentFormDraft {
  return { template, base, fields: { ...base, ...typedFields(draft) } };
}

/** The draft that is kept; undefined when there is none. */
export function keptAgentDraft(storage: Pick<Storage, 'getItem'>): AgentFormDraft | undefined {
  try {
    return AgentFormDraft.safeParse(JSON.parse(storage.getItem(NAME) ?? 'null')).data;
  } catch {
    return undefined;
  }
}

/** Keeps a draft, or lets go of one in which nothing was typed. */
export function keepAgentDraft(storage: Pick<Storage, 'setItem' | 'removeItem'>, draft: AgentFormDraft): void {
  if (isTyped(draft)) storage.setItem(NAME, JSON.stringify(draft));
  else storage.removeItem(NAME);
}
