/** The fields of the agent form as they are typed, and what they make. Pure. */
import * as z from 'zod';
import type { AgentConfig } from '#shared/agents/model.ts';
import { AgentDraft, AgentType as AgentTypeSchema } from '#shared/agents/model.ts';
import { describeIssue, inputJsonSchema } from '#shared/kernel/describe-issues.ts';
import { EgressMode, parseRule } from '#shared/egress/model.ts';
import type { Boundary } from '#shared/runtimes/model.ts';
import { boundaryOf, RuntimeKind as RuntimeKindSchema, Sandbox } from '#shared/runtimes/model.ts';
import { shellText } from './shell-text.ts';
import { splitCommand } from './split-command.ts';

/** What of the project an agent may see. */
export const WORKSPACE_MODES = ['auto', 'own', 'shared'] as const;
/** How an agent comes to the models it works with. */
export const LOGINS = ['none', 'api-key', 'subscription'] as const;

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
    // What a draft that was kept by an earlier version does not have is not stated.
    sandbox: z.union([Sandbox, z.literal('')]).default(''),
    image: z.string().default(''),
    workspace: z.union([z.enum(WORKSPACE_MODES), z.literal('')]).default(''),
    login: z.union([z.enum(LOGINS), z.literal('')]).default(''),
    /** Names, separated by commas. */
    modelApis: z.string().default(''),
    egressMode: z.union([EgressMode, z.literal('')]).default(''),
    /** One rule in each line. */
    egressRules: z.string().default(''),
    setup: z.string().default(''),
    processes: z.string().default(''),
    openFiles: z.string().default(''),
    tmp: z.string().default(''),
    disk: z.string().default(''),
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
  sandbox: '',
  image: '',
  workspace: '',
  login: '',
  modelApis: '',
  egressMode: '',
  egressRules: '',
  setup: '',
  processes: '',
  openFiles: '',
  tmp: '',
  disk: '',
  environment: '',
};

/** What confines the agent that the form describes. */
export function formBoundary({ runtime, sandbox }: Pick<AgentFields, 'runtime' | 'sandbox'>): Boundary {
  return boundaryOf({ runtime: runtime === '' ? 'tmux' : runtime, sandbox: sandbox === '' ? 'none' : sandbox });
}

/** The parts of a list as it was typed, by commas, blanks or lines. */
export function listedIn(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

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
    // Whoever is from outside has no form.
    runtime: draft.runtime === undefined || draft.runtime === 'none' ? '' : draft.runtime,
    memory: resourceLimits?.memory ?? '',
    cpu: resourceLimits?.cpu ?? '',
    timeout: resourceLimits?.timeout === undefined ? '' : durationText(resourceLimits.timeout),
    sandbox: draft.sandbox ?? '',
    image: draft.image ?? '',
    workspace: draft.workspace?.mode ?? '',
    login: draft.login ?? '',
    modelApis: draft.modelApis?.join(', ') ?? '',
    egressMode: draft.egress?.mode ?? '',
    egressRules: draft.egress?.rules.join('\n') ?? '',
    setup: draft.setup ?? '',
    processes: resourceLimits?.processes?.toString() ?? '',
    openFiles: resourceLimits?.openFiles?.toString() ?? '',
    tmp: resourceLimits?.tmp ?? '',
    disk: resourceLimits?.disk ?? '',
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
  'resourceLimits.processes': 'processes',
  'resourceLimits.openFiles': 'openFiles',
  'resourceLimits.tmp': 'tmp',
  'resourceLimits.disk': 'disk',
  'workspace.mode': 'workspace',
  'egress.mode': 'egressMode',
};

/** The field of the form for a field of the contract in dotted form, such as `resourceLimits.memory` or `capabilities.2`. */
export function fieldAt(path: string): AgentField | undefined {
  const placed = PLACES[path];
  if (placed !== undefined) return placed;
  const [first = ''] = path.replace(/^changes\./, '').split('.');
  if (first === 'egress') return 'egressRules';
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
  for (const name of ['processes', 'openFiles'] as const)
    if (!/^\d*$/.test(fields[name].trim())) errors[name] = `Must be a whole number, ${WHOLE_NUMBERS[name]}.`;
  const boundary = formBoundary(fields);
  const rules = rulesIn(fields.egressRules);
  const wrongRule = boundary === 'host' ? undefined : rules.find((rule) => parseRule(rule) === undefined);
  if (wrongRule !== undefined)
    errors.egressRules = `“${wrongRule}” is no rule. Write host:port:protocol, for example api.github.com:443:tls.`;
  const limits = {
    memory: fields.memory.trim(),
    cpu: fields.cpu.trim(),
    timeout: numberOr(fields.timeout.trim()),
    processes: numberOr(fields.processes.trim()),
    openFiles: numberOr(fields.openFiles.trim()),
    tmp: fields.tmp.trim(),
    disk: fields.disk.trim(),
  };
  const draft = {
    ...stated('id', fields.id.trim()),
    type: fields.type,
    ...stated('description', fields.description.trim()),
    ...(fields.type === 'command' && 'argv' in command && command.argv.length > 0 ? { command: [...command.argv] } : {}),
    ...stated('capabilities', listedIn(fields.capabilities)),
    ...stated('maxConcurrentTasks', fields.maxConcurrentTasks.trim() === '' ? '' : Number(fields.maxConcurrentTasks)),
    ...stated('runtime', fields.runtime),
    // What is for a box alone is not stated without one: the form does not show it there, and it would contradict itself.
    ...(boundary === 'container' ? stated('image', fields.image.trim()) : stated('sandbox', fields.sandbox)),
    ...stated('workspace', fields.workspace === '' ? '' : { mode: fields.workspace }),
    ...stated('login', fields.login),
    ...(boundary === 'host'
      ? {}
      : {
          ...stated('modelApis', listedIn(fields.modelApis)),
          ...stated(
            'egress',
            fields.egressMode === '' && rules.length === 0 ? '' : { mode: fields.egressMode || 'deny', rules: [...rules] },
          ),
        }),
    ...stated('setup', fields.setup.trim() === '' ? '' : fields.setup),
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

/** What may be written into fields for numbers. */
const WHOLE_NUMBERS = { processes: '8 to 100,000', openFiles: '64 to 1,048,576' } as const;

/** The rules in a text: one in each line, without the blanks around it. */
export function rulesIn(text: string): readonly string[] {
  return [
    ...new Set(
      text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== ''),
    ),
  ];
}

function numberOr(text: string): string | number {
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

/** The types there are. */
export const AGENT_TYPES = AgentTypeSchema.options.filter((type) => type !== 'external');

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
    sandbox: shape.sandbox.unwrap().description,
    image: shape.image.unwrap().description,
    workspace: shape.workspace.unwrap().shape.mode.description,
    login: shape.login.unwrap().description,
    modelApis: shape.modelApis.unwrap().description,
    egressMode: shape.egress.unwrap().shape.mode.description,
    egressRules: shape.egress.unwrap().description,
    setup: shape.setup.unwrap().description,
    processes: shape.resourceLimits.unwrap().shape.processes.unwrap().description,
    openFiles: shape.resourceLimits.unwrap().shape.openFiles.unwrap().description,
    tmp: shape.resourceLimits.unwrap().shape.tmp.unwrap().description,
    disk: shape.resourceLimits.unwrap().shape.disk.unwrap().description,
    memory: shape.resourceLimits.unwrap().shape.memory.unwrap().description,
    cpu: shape.resourceLimits.unwrap().shape.cpu.unwrap().description,
    timeout: shape.resourceLimits.unwrap().shape.timeout.unwrap().description,
    environment: shape.environment.unwrap().description,
  };
  return help[field] ?? '';
}
