/**
 * The jobs of a worker: the `data` of a message of kind `task` or `request`.
 * A task inside another one (a pipeline's step, a batch's task, what a peer is asked) is a template: any of its fields may be
 * {"$ref": "step.path"} or {"$item": "path"} and is filled in just before it runs, so it is checked in two stages.
 */
import * as z from 'zod';
import { Json } from '#shared/kernel/json.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { MAX_OPTION_CHARS, MAX_OPTIONS } from '#shared/messages/question.ts';
import { AnalysisReport, Survey } from './survey-model.ts';
import { Comparison, InputFormat, OutputFormat, TransformStep } from './transform-model.ts';

/** The operations of a worker. */
export const OPS = [
  'run',
  'pipeline',
  'batch',
  'ask',
  'askAll',
  'question',
  'transform',
  'files.list',
  'files.read',
  'files.write',
  'files.copy',
  'files.move',
  'files.remove',
  'files.hash',
  'inventory',
  'split',
  'analyse',
  'merge',
  'report',
] as const;

/** Longest time a caller may ask for, in milliseconds: 24 hours. */
const MAX_TIMEOUT_MS = 24 * 60 * 60 * 1000;

const TimeoutMs = z.number().int().min(1).max(MAX_TIMEOUT_MS);
const WorkspacePath = z.string().min(1).max(4096).describe('A path inside the workspace, relative to it');
const Globs = z
  .array(z.string().min(1).max(500))
  .max(100)
  .describe('Patterns such as "src/**/*.ts"; * and ** do not match names that begin with a dot unless the pattern does');

/** A task inside another one: its `op` is known, its other fields may still hold references. */
export const TaskTemplate = z.looseObject({ op: z.enum(OPS) }).catchall(Json);
/** A task inside another one. */
export type TaskTemplate = z.infer<typeof TaskTemplate>;

/** A name of a step: the first part of a reference to its result. */
export const StepName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, 'must be a letter or underscore and then letters, digits, hyphens and underscores');

/** When a step runs: a reference that must be true, or a comparison with a value. */
export const When = z.union([
  z.strictObject({ $ref: z.string() }),
  z.strictObject({ value: Json, ...Comparison.shape }),
  z.boolean(),
]);
/** When a step runs. */
export type When = z.infer<typeof When>;

/** One step of a pipeline: a task with a name. */
export const PipelineStep = z.looseObject({ name: StepName, op: z.enum(OPS), when: When.optional() }).catchall(Json);
/** One step of a pipeline. */
export type PipelineStep = z.infer<typeof PipelineStep>;

const run = z.strictObject({
  op: z.literal('run'),
  command: z
    .union([z.array(z.string()).min(1).max(1000), z.string().min(1)])
    .describe('Program and arguments, run without a shell; or one text, run with sh -c'),
  timeoutMs: TimeoutMs.optional().describe('Ends the command and all its children after this time'),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).optional(),
  stdin: z.string().optional(),
  cwd: WorkspacePath.optional().describe('A folder of the workspace to run in'),
  allowFailure: z.boolean().default(false).describe('true: another exit code than 0 is a result, not a failure'),
  maxOutputBytes: z
    .number()
    .int()
    .min(0)
    .max(200_000)
    .default(32_768)
    .describe('How much of the end of each stream goes into the result'),
});

const pipeline = z.strictObject({
  op: z.literal('pipeline'),
  steps: z.array(PipelineStep).min(1).max(200),
  returns: z.array(StepName).optional().describe('Whose results make up the result; all when missing'),
});

const batch = z.strictObject({
  op: z.literal('batch'),
  items: z.array(Json),
  task: TaskTemplate.describe(
    'Run once for each item; {"$item": "path"} stands for the item or a part of it, {"$index": true} for its number',
  ),
  onError: z.enum(['stop', 'continue']).default('stop'),
  batchSize: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe("Items per chunk; else the environment's BATCH_SIZE, else 100"),
  concurrency: z
    .number()
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe("Items at once; else the environment's WORKER_POOL_SIZE, else 4"),
});

/** How long an asked peer may take when nothing is said: 10 minutes. */
const ASK_TIMEOUT_MS = 600_000;

const asking = {
  to: AgentId.describe("The peer's id"),
  task: TaskTemplate,
  subject: z.string().max(200).optional(),
};

const ask = z.strictObject({ op: z.literal('ask'), ...asking, timeoutMs: TimeoutMs.default(ASK_TIMEOUT_MS) });

const askAll = z.strictObject({
  op: z.literal('askAll'),
  asks: z.array(z.strictObject(asking)).min(1).max(200),
  timeoutMs: TimeoutMs.default(ASK_TIMEOUT_MS),
});

const question = z.strictObject({
  op: z.literal('question'),
  text: z.string().min(1).max(2_000).describe('What the operator is asked'),
  options: z
    .array(z.string().min(1).max(MAX_OPTION_CHARS))
    .min(2)
    .max(MAX_OPTIONS)
    .optional()
    .describe('Answers to choose from; others may be written'),
  otherwise: z.string().max(2_000).optional().describe('The answer when none comes in time; without it that is a failure'),
  waitMs: z
    .number()
    .int()
    .min(0)
    .max(MAX_TIMEOUT_MS)
    .default(ASK_TIMEOUT_MS)
    .describe('How long to wait for the answer; 0 does not ask at all and takes "otherwise"'),
});

const transform = z.strictObject({
  op: z.literal('transform'),
  input: z.union([WorkspacePath, z.array(Json)]).describe('A file of the workspace, or the rows themselves'),
  from: InputFormat.optional().describe("Else by the file's name, else json"),
  steps: z.array(TransformStep).max(100),
  to: OutputFormat.optional().describe("Else by the output's name, else the environment's OUTPUT_FORMAT, else json"),
  output: WorkspacePath.optional().describe('Write the rows to this file instead of into the result'),
});

const selection = {
  globs: Globs.optional(),
  ignore: Globs.optional(),
};

const filesList = z.strictObject({
  op: z.literal('files.list'),
  ...selection,
  maxFiles: z.number().int().min(1).max(100_000).default(1000),
});
const filesRead = z.strictObject({
  op: z.literal('files.read'),
  path: WorkspacePath,
  encoding: z.enum(['utf8', 'base64']).default('utf8'),
  maxBytes: z.number().int().min(1).max(180_000).default(100_000).describe('Longer files are cut at the end'),
});
const filesWrite = z.strictObject({
  op: z.literal('files.write'),
  path: WorkspacePath,
  content: Json.describe('Text; anything else is written as indented JSON'),
  encoding: z.enum(['utf8', 'base64']).default('utf8'),
  overwrite: z.boolean().default(true),
});
const filesCopy = z.strictObject({
  op: z.literal('files.copy'),
  from: WorkspacePath,
  to: WorkspacePath,
  overwrite: z.boolean().default(false),
});
const filesMove = z.strictObject({
  op: z.literal('files.move'),
  from: WorkspacePath,
  to: WorkspacePath,
  overwrite: z.boolean().default(false),
});
const filesRemove = z.strictObject({
  op: z.literal('files.remove'),
  path: WorkspacePath,
  recursive: z.boolean().default(false),
  allowMissing: z.boolean().default(false),
});
const filesHash = z.strictObject({
  op: z.literal('files.hash'),
  paths: z.array(WorkspacePath).min(1).max(10_000),
  algorithm: z.enum(['sha256', 'sha512', 'sha1', 'md5']).default('sha256'),
});

const inventory = z.strictObject({
  op: z.literal('inventory'),
  ...selection,
  maxFiles: z.number().int().min(1).max(200_000).default(50_000),
});
const split = z.strictObject({
  op: z.literal('split'),
  files: z.array(z.looseObject({ path: z.string(), bytes: z.number().min(0) })),
  parts: z.number().int().min(1).max(200),
});
const analyse = z.strictObject({ op: z.literal('analyse'), files: z.array(WorkspacePath).max(200_000) });
const merge = z.strictObject({ op: z.literal('merge'), reports: z.array(AnalysisReport).min(1) });
const report = z.strictObject({
  op: z.literal('report'),
  survey: Survey,
  title: z.string().min(1).max(200).default('Survey of the workspace'),
  path: WorkspacePath.default('report.md'),
  overwrite: z.boolean().default(false).describe('Replace a file that was not written by a worker'),
});

/** A task whose references are filled in. */
export const WorkerTask = z.discriminatedUnion('op', [
  run,
  pipeline,
  batch,
  ask,
  askAll,
  question,
  transform,
  filesList,
  filesRead,
  filesWrite,
  filesCopy,
  filesMove,
  filesRemove,
  filesHash,
  inventory,
  split,
  analyse,
  merge,
  report,
]);
/** A task whose references are filled in. */
export type WorkerTask = z.infer<typeof WorkerTask>;
/** The name of an operation. */
export type Op = WorkerTask['op'];
/** The task of one operation. */
export type TaskOf<O extends Op> = Extract<WorkerTask, { op: O }>;
