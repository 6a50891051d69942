/**
 * Middleware: what a project does with every message before it is stored, as an ordered list of steps that is data.
 * Nothing here runs anything; the steps are carried out in src-main/core/middleware.
 */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';
import { MAX_BODY_CHARS, MAX_DATA_CHARS, MAX_TTL_MS, MessageKind, MIN_TTL_MS, Priority } from '#shared/messages/model.ts';
import { TopicPattern } from '#shared/topics/model.ts';

/** Most steps of a chain: each looks at every message. */
export const MAX_STEPS = 50;
/** Largest chain as JSON text, in characters: it stands in the journal with every change. */
export const MAX_CHAIN_CHARS = 64 * 1024;
/** Time a module has for one message unless its step says otherwise, and the most it can be given, in milliseconds. */
export const MODULE_TIMEOUT_MS = { default: 200, least: 10, most: 5_000 } as const;

const GLOB = /^[a-z0-9*][a-z0-9._*-]{0,62}$/;
const NAMED = /^(?:capability|template):[^\s:]{1,64}$/;

/** Who sends: an agent's id, where `*` stands for any characters; a group; the operator; a token; the core. */
export const SenderPattern = z
  .string()
  .max(128)
  .refine(
    (text) => GLOB.test(text) || NAMED.test(text) || /^token:[^\s:]{1,100}$/.test(text),
    'must be "*", "operator", "system", an agent\'s id (also with *, such as "worker-*"), "capability:<name>", "template:<name>" or "token:<name>"',
  )
  .describe(
    '"*" for anybody, "operator", "system" (the core), an agent\'s id such as "worker-*", capability:…, template:… or token:…',
  );

/** Who gets it: an agent's id, where `*` stands for any characters; a group; the operator; topics. */
export const RecipientPattern = z
  .string()
  .max(160)
  .refine(
    (text) => GLOB.test(text) || NAMED.test(text) || (text.startsWith('topic:') && TopicPattern.safeParse(text.slice(6)).success),
    'must be "*", "operator", an agent\'s id (also with *, such as "worker-*"), "capability:<name>", "template:<name>" or "topic:<pattern>"',
  )
  .describe('"*" for anybody, "operator", an agent\'s id such as "worker-*", capability:…, template:… or topic:<pattern>');

/** Which messages a step looks at: all that is stated has to hold, of each list one entry. */
export const When = z.strictObject({
  from: z.array(SenderPattern).min(1).max(100).optional(),
  to: z.array(RecipientPattern).min(1).max(100).optional().describe('One of the recipients is enough'),
  kinds: z.array(MessageKind).min(1).optional(),
  topics: z.array(TopicPattern).min(1).max(100).optional(),
});
/** Which messages a step looks at. */
export type When = z.infer<typeof When>;

const StepId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a slug such as "no-secrets", unique in the chain')
  .describe('Name of the step, unique in the chain; senders are told it');

const common = {
  id: StepId,
  enabled: z.boolean().default(true),
  when: When.optional().describe('Which messages it looks at; all when left out'),
};
const forOperatorToo = z
  .boolean()
  .default(false)
  .describe("Whether it holds for the operator's own messages, too; they pass unless this is true");

/** Keywords of a JSON schema that are not taken: regular expressions that somebody else's text could keep busy for ever, and what lies elsewhere. */
const REFUSED_KEYWORDS: ReadonlySet<string> = new Set(['pattern', 'patternProperties', '$ref', '$dynamicRef', 'format']);
/** Largest schema of `data`, as JSON text. */
const MAX_SCHEMA_CHARS = 16 * 1024;

/** The first keyword in a JSON schema that is not taken. Names of properties are no keywords. */
function refusedKeyword(schema: Json, isMapOfSchemas = false): string | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined;
  if (Array.isArray(schema)) return schema.map((entry) => refusedKeyword(entry)).find((found) => found !== undefined);
  for (const [key, value] of Object.entries(schema)) {
    if (!isMapOfSchemas && REFUSED_KEYWORDS.has(key)) return key;
    if (!isMapOfSchemas && ['const', 'enum', 'default', 'examples'].includes(key)) continue;
    const found = refusedKeyword(value, !isMapOfSchemas && ['properties', '$defs', 'definitions'].includes(key));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What checks `data` by a JSON schema; throws when the schema is none that is understood. */
export function dataCheckOf(schema: z.infer<typeof DataSchema>): z.ZodType {
  return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
}

/** A JSON schema for `data`. */
const DataSchema = z
  .record(z.string(), Json)
  .superRefine((schema, context) => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
    if (JSON.stringify(schema).length > MAX_SCHEMA_CHARS) return refuse(`must have at most ${MAX_SCHEMA_CHARS} characters`);
    const keyword = refusedKeyword(schema);
    if (keyword !== undefined)
      return refuse(`must not use "${keyword}": use type, enum, required, properties, lengths and limits`);
    try {
      z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    } catch (error) {
      refuse(`must be a JSON schema (${error instanceof Error ? error.message : 'it is not understood'})`);
    }
  })
  .describe('A JSON schema that "data" has to match: type, enum, const, required, properties, items, lengths, limits, anyOf');

const Validate = z.strictObject({
  ...common,
  kind: z.literal('validate'),
  requireSubject: z.boolean().default(false),
  kinds: z.array(MessageKind).min(1).optional().describe('Kinds that may be sent'),
  minBodyChars: z.number().int().min(1).max(MAX_BODY_CHARS).optional(),
  maxBodyChars: z.number().int().min(1).max(MAX_BODY_CHARS).optional(),
  maxDataChars: z.number().int().min(0).max(MAX_DATA_CHARS).optional().describe('As JSON text'),
  data: DataSchema.optional(),
});

/** One rule about who may write to whom. */
export const AuthoriseRule = z.strictObject({
  from: z.array(SenderPattern).min(1).max(100),
  to: z.array(RecipientPattern).min(1).max(100),
  effect: z.enum(['allow', 'deny']),
});

const Authorise = z.strictObject({
  ...common,
  kind: z.literal('authorise'),
  rules: z.array(AuthoriseRule).max(500).describe('For each recipient the first rule that fits decides'),
  default: z.enum(['allow', 'deny']).describe('What holds where no rule fits'),
  forOperatorToo,
});

const Limit = z.strictObject({
  ...common,
  kind: z.literal('limit'),
  per: z.enum(['sender', 'pair']).default('sender').describe('pair: a sender and one of its recipients'),
  perMinute: z.number().int().min(1).max(60_000),
  burst: z.number().int().min(1).max(10_000).describe('How many may be sent at once'),
  forOperatorToo,
});

/** Shapes of well-known credentials that are looked for. `assignment` takes any value after a name such as DB_PASSWORD, so it is not looked for unless it is named. */
export const CREDENTIAL_KINDS = [
  'private-key',
  'api-key',
  'token',
  'jwt',
  'connection-string',
  'netrc',
  'authorization',
  'assignment',
] as const;
/** A shape of credentials. */
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

const Redact = z.strictObject({
  ...common,
  kind: z.literal('redact'),
  patterns: z
    .array(z.enum(CREDENTIAL_KINDS))
    .default(CREDENTIAL_KINDS.filter((kind) => kind !== 'assignment'))
    .describe('Shapes of credentials that are looked for'),
  secrets: z.boolean().default(true).describe('Whether values of the secrets that Quarterdeck keeps are looked for'),
});

const Template = z.string().max(100).describe('Text with {from}, {kind}, {priority} and {topic}');

const Transform = z.strictObject({
  ...common,
  kind: z.literal('transform'),
  priority: z
    .strictObject({
      set: Priority.optional(),
      atMost: Priority.optional().describe('More urgent ones become this'),
      atLeast: Priority.optional().describe('Less urgent ones become this'),
    })
    .optional(),
  ttlMs: z
    .strictObject({
      set: z.number().int().min(MIN_TTL_MS).max(MAX_TTL_MS).optional(),
      atMost: z.number().int().min(MIN_TTL_MS).max(MAX_TTL_MS).optional().describe('Also for messages that would live for ever'),
    })
    .optional(),
  subject: z.strictObject({ prefix: Template.optional(), suffix: Template.optional() }).optional(),
  labels: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be a name such as "team"'), Template)
    .optional()
    .describe('Added to "labels" in data, where data is an object or not there'),
});

const Audit = z.strictObject({ ...common, kind: z.literal('audit') });

/** Name of a module: its file is `middleware/<name>.mjs` in the data folder. */
export const ModuleName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a slug such as "house-style"')
  .describe('Name of the module: the file middleware/<name>.mjs in the data folder, without its ending');

const Module = z.strictObject({
  ...common,
  kind: z.literal('module'),
  module: ModuleName,
  timeoutMs: z
    .number()
    .int()
    .min(MODULE_TIMEOUT_MS.least)
    .max(MODULE_TIMEOUT_MS.most)
    .default(MODULE_TIMEOUT_MS.default)
    .describe('Milliseconds for one message; the module is ended then'),
  onFailure: z
    .enum(['closed', 'open'])
    .default('closed')
    .describe('What becomes of a message when the module fails: closed refuses it, open lets it pass as it was'),
  config: Json.optional().describe('Given to the module with every message'),
});

/** One step. */
export const MiddlewareStep = z.discriminatedUnion('kind', [Validate, Authorise, Limit, Redact, Transform, Audit, Module]);
/** One step. */
export type MiddlewareStep = z.infer<typeof MiddlewareStep>;
/** The kinds of step. */
export type StepKind = MiddlewareStep['kind'];
/** A step of one kind. */
export type StepOf<K extends StepKind> = Extract<MiddlewareStep, { kind: K }>;

/** What a project does with each message, in order. Each step sees what the one before it left. */
export const MiddlewareChain = z.strictObject({ steps: z.array(MiddlewareStep).max(MAX_STEPS) }).superRefine((chain, context) => {
  const seen = new Set<string>();
  for (const [index, { id }] of chain.steps.entries()) {
    if (seen.has(id))
      context.addIssue({
        code: 'custom',
        path: ['steps', index, 'id'],
        message: `is there twice ("${id}"): name each step differently`,
      });
    seen.add(id);
  }
  if (JSON.stringify(chain).length > MAX_CHAIN_CHARS)
    context.addIssue({ code: 'custom', message: `must have at most ${MAX_CHAIN_CHARS} characters as JSON` });
});
/** What a project does with each message. */
export type MiddlewareChain = z.infer<typeof MiddlewareChain>;

/** What a step did since the core started. */
export const StepCounters = z.object({
  id: z.string(),
  /** Messages it looked at. */
  seen: z.number().int(),
  changed: z.number().int(),
  refused: z.number().int(),
  /** Failures of a module, whatever became of the message. */
  failed: z.number().int(),
  /** Places where something was redacted. */
  redacted: z.number().int(),
});
/** What a step did since the core started. */
export type StepCounters = z.infer<typeof StepCounters>;

/** A project's chain as it stands. */
export const ProjectMiddleware = z.object({
  projectId: ProjectId,
  /** Counts changes; 0 when none was ever set. */
  revision: z.number().int(),
  updatedAt: z.number().int().nullable(),
  chain: MiddlewareChain,
  counters: z.array(StepCounters).describe('Since Quarterdeck started or the chain was changed, by step'),
});
/** A project's chain as it stands. */
export type ProjectMiddleware = z.infer<typeof ProjectMiddleware>;

/**
 * Where a module stands. new: never accepted, so it cannot run; accepted: the file is what was accepted; changed: the file
 * differs, and what runs is the accepted copy; missing: the file is gone, and what runs is the accepted copy.
 */
export const ModuleState = z.enum(['new', 'accepted', 'changed', 'missing']);

/** A user's module. */
export const MiddlewareModule = z.object({
  name: z.string(),
  state: ModuleState,
  /** SHA-256 of the file, in hexadecimal; null when it is missing. */
  sha256: z.string().nullable(),
  /** SHA-256 of the copy that runs; null when none was accepted. */
  acceptedSha256: z.string().nullable(),
  acceptedAt: z.number().int().nullable(),
  acceptedBy: z.string().nullable(),
  /** Projects whose chain names it. */
  usedBy: z.array(ProjectId),
});
/** A user's module. */
export type MiddlewareModule = z.infer<typeof MiddlewareModule>;

/** What one step did with a draft that was tried. */
export const StepReport = z.object({
  id: z.string(),
  kind: z.string(),
  /** off: not enabled; skipped: it does not look at such messages; failed: its module failed and the message went on. */
  outcome: z.enum(['off', 'skipped', 'passed', 'changed', 'refused', 'failed']),
  detail: z.string(),
});
/** What one step did with a draft that was tried. */
export type StepReport = z.infer<typeof StepReport>;
