/** What a worker answers: the `data` of its reply to a task or request. */
import * as z from 'zod';
import { Json } from '#shared/kernel/json.ts';

/** Why a task failed. Stable: peers and scripts may act on it. */
export const FailureKind = z
  .enum(['invalid-task', 'timeout', 'exit', 'spawn', 'path', 'file', 'input', 'ask', 'peer', 'too-large', 'internal'])
  .describe(
    'invalid-task: the data is no task. timeout: a time limit passed. exit: a command ended with another code than 0. spawn: a command could not be started. path: a path leaves the workspace. file: a file is missing, in the way or cannot be used. input: a $ref, rows or a field do not fit. ask: a peer could not be asked. peer: a peer answered that it failed. too-large: the answer does not fit. internal: a defect of the worker',
  );
/** Why a task failed. */
export type FailureKind = z.infer<typeof FailureKind>;

/** A file that a task produced, relative to the workspace. */
export const Artefact = z.object({ path: z.string(), bytes: z.number().int().min(0), sha256: z.string() });
/** A file that a task produced. */
export type Artefact = z.infer<typeof Artefact>;

/** The `data` of a worker's reply. Extra fields are kept by readers that do not know them. */
export const TaskOutcome = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    result: Json,
    artefacts: z.array(Artefact).optional(),
    /** From the start of the work to its end, in milliseconds; waiting in the queue is not counted. */
    durationMs: z.number().min(0),
  }),
  z.object({
    ok: z.literal(false),
    error: z.object({
      kind: FailureKind,
      message: z.string(),
      /** The step that failed, as "name" or "outer.inner", when the task is a pipeline. */
      step: z.string().optional(),
      /** More about it, for example the end of a command's output. */
      detail: Json.optional(),
    }),
    durationMs: z.number().min(0),
  }),
]);
/** The `data` of a worker's reply. */
export type TaskOutcome = z.infer<typeof TaskOutcome>;
