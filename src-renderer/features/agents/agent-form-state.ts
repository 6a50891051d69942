/** The fields of the agent form as they are typed, and what they make. Pure. */
import * as z from 'zod';
import type { AgentConfig, AgentType } from '#shared/agents/model.ts';
import { AgentDraft, AgentType as AgentTypeSchema } from '#shared/agents/model.ts';
import { describeIssue, inputJsonSchema } from '#shared/kernel/describe-issues.ts';
import type { RuntimeKind } from '#shared/runtimes/model.ts';
import { RuntimeKind as RuntimeKindSchema } from '#shared/runtimes/model.ts';
import { shellText } from './shell-text.ts';
import { splitCommand } from './split-command.ts';

/** The form as it stands: texts as they were typed; '' is not stated, so that template or default count. */
export const AgentFields = z
  .object({
    id: z.string(),
    type: AgentTypeSchema,
    description: z.string(),
    command: z.string(),
    /** Separated by commas or spaces. */
    capabilities: z.string(),
    maxConcurrentTasks: z.string(),
    runtime: z.union([RuntimeKindSchema, z.literal('')]),
    memory: z.string(),
    cpu: z.string(),
    timeout: z.string(),
    /** Lines NAME=value. */
    environment: z.string(),
  })
  .readonly();
/** The form as it stands. */
export type AgentFields = z.infer<typeof AgentFields>;

/** A field of the form. */
export type AgentField = keyof AgentFields;

/** Nothing stated. */
export const EMPTY_FIELDS: AgentFields = {
  id: '',
  type: 'worker',
  description: '',
  command: '',
  capabilities: '',
  maxConcurrentTasks: '',
  runtime: '',
  memory: '',
  cpu: '',
  timeout: '',
  environment: '',
};

/** The fields that a draft (a template's, or an agent's whole configuration) fills in. */
export function fieldsOf(draft: Partial<AgentDraft> | AgentConfig): AgentFields {
  const { resourceLimits } = draft;
  return {
    id: draft.id ?? '',
    type: draft.type ?? 'worker',
    description: draft.description ?? '',
    command: draft.command === undefined ? '' : shellText(draft.command),
    capabilities: draft.capabilities?.join(', ') ?? '',
    maxConcurrentTasks: draft.maxConcurrentTasks?.toString() ?? '',
    runtime: draft.runtime ?? '',
    memory: resourceLimits?.memory ?? '',
    cpu: resourceLimits?.cpu ?? '',
    timeout: resourceLimits?.timeout === undefined ? '' : durationText(resourceLimits.timeout),
    environment: Object.entries(draft.environment ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
  };
}

/** A duration as people write it: the largest unit that holds it whole. */
function durationText(ms: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ];
  const unit = ms === 0 ? undefined : units.find(([, size]) => ms % size === 0);
  return unit === undefined ? String(ms) : `${ms / unit[1]}${unit[0]}`;
}

/** What is wrong, by field. */
export type FieldErrors = Readonly<Partial<Record<AgentField, string>>>;

/** What the form makes: a draft that the contract accepts, or what is wrong at which field. */
export type FormResult = { readonly draft: AgentDraft; readonly errors: undefined } | { readonly errors: FieldErrors };

/** Fields of the contract by the field of the form that they stand in. */
const PLACES: Readonly<Record<string, AgentField>> = {
  'resourceLimits.memory': 'memory',
  'resourceLimits.cpu': 'cpu',
  'resourceLimits.timeout': 'timeout',
};

/** The field of the form for a field of the contract in dotted form, such as `resourceLimits.memory` or `capabilities.2`. */
export function fieldAt(path: string): AgentField | undefined {
  const placed = PLACES[path];
  if (placed !== undefined) return placed;
  const [first = ''] = path.replace(/^changes\./, '').split('.');
  return first in EMPTY_FIELDS ? (first as AgentField) : undefined;
}

const DRAFT_SCHEMA = inputJsonSchema(AgentDraft);

/** Reads the form. Only what was typed is stated. */
export function readFields(fields: AgentFields): FormResult {
  const errors: Partial<Record<AgentField, string>> = {};
  const command = splitCommand(fields.command);
  if ('problem' in command) errors.command = command.problem;
  else if (fields.type === 'command' && command.argv.length === 0)
    errors.command = 'Name the program and its arguments, for example bash -l.';
  if (!/^\d*$/.test(fields.maxConcurrentTasks.trim())) errors.maxConcurrentTasks = 'Must be a whole number, 1 to 64.';
  const environment: Record<string, string> = {};
  for (const line of fields.environment.split('\n')) {
    if (line.trim() === '') continue;
    const at = line.indexOf('=');
    if (at <= 0) errors.environment = `Write each variable as NAME=value; “${line.trim()}” has no “=”.`;
    else environment[line.slice(0, at).trim()] = line.slice(at + 1);
  }
  const limits = { memory: fields.memory.trim(), cpu: fields.cpu.trim(), timeout: timeoutOf(fields.timeout.trim()) };
  const draft = {
    ...stated('id', fields.id.trim()),
    type: fields.type,
    ...stated('description', fields.description.trim()),
    ...(fields.type === 'command' && 'argv' in command && command.argv.length > 0 ? { command: [...command.argv] } : {}),
    ...stated(
      'capabilities',
      fields.capabilities.split(/[\s,]+/).filter((word) => word !== ''),
    ),
    ...stated('maxConcurrentTasks', fields.maxConcurrentTasks.trim() === '' ? '' : Number(fields.maxConcurrentTasks)),
    ...stated('runtime', fields.runtime),
    ...stated('resourceLimits', Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== ''))),
    ...stated('environment', environment),
  };
  const parsed = AgentDraft.safeParse(draft);
  for (const issue of parsed.error?.issues ?? []) {
    const { field, text } = describeIssue(issue, DRAFT_SCHEMA, draft);
    const place = fieldAt(field);
    if (place !== undefined) errors[place] ??= sentenceOf(text);
  }
  if (Object.keys(errors).length > 0 || !parsed.success) return { errors };
  return { draft: parsed.data, errors: undefined };
}

function timeoutOf(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** The field when something was typed into it. */
function stated<K extends string, V>(name: K, value: V): Partial<Record<K, V>> {
  const isEmpty = value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return isEmpty ? {} : ({ [name]: value } as Record<K, V>);
}

/** A complaint as it stands under its field: without the field's name, as a sentence. */
function sentenceOf(text: string): string {
  const rest = text.replace(/^"[^"]*":?\s*/, '');
  return `${rest.charAt(0).toUpperCase()}${rest.slice(1)}${/[.!?]$/.test(rest) ? '' : '.'}`;
}

/** The types and runtimes there are. */
export const AGENT_TYPES: readonly AgentType[] = AgentTypeSchema.options;
/** The runtimes there are. */
export const RUNTIMES: readonly RuntimeKind[] = RuntimeKindSchema.options;

/** What a field is for, in the contract's own words; '' when it says nothing. */
export function helpOf(field: AgentField): string {
  const { shape } = AgentDraft;
  const help: Readonly<Record<AgentField, string | undefined>> = {
    id: shape.id.unwrap().description,
    type: shape.type.unwrap().description,
    description: shape.description.unwrap().description,
    command: shape.command.unwrap().description,
    capabilities: shape.capabilities.unwrap().description,
    maxConcurrentTasks: shape.maxConcurrentTasks.unwrap().description,
    runtime: shape.runtime.unwrap().description,
    memory: shape.resourceLimits.unwrap().shape.memory.unwrap().description,
    cpu: shape.resourceLimits.unwrap().shape.cpu.unwrap().description,
    timeout: shape.resourceLimits.unwrap().shape.timeout.unwrap().description,
    environment: shape.environment.unwrap().description,
  };
  return help[field] ?? '';
}
