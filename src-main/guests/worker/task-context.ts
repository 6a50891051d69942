/** What an operation gets to work with: one object per place in a task, made by the executor. */
import type { Json } from '#shared/kernel/json.ts';
import type { Artefact } from '#shared/worker/outcome.ts';
import type { OutputFormat } from '#shared/worker/transform-model.ts';
import type { ProcessGroups } from './process-groups.ts';
import type { JsonObject, Scope } from './references.ts';
import type { Workspace } from './workspace.ts';

/** What the environment sets for all tasks. */
export interface TaskSettings {
  /** Items per chunk of a batch: BATCH_SIZE, default 100. */
  readonly batchSize: number;
  /** Items of a batch at once: WORKER_POOL_SIZE, default 4. */
  readonly poolSize: number;
  /** OUTPUT_FORMAT, default json. */
  readonly outputFormat: OutputFormat;
}

/** What is asked of a peer. */
export interface AskRequest {
  readonly to: string;
  readonly task: JsonObject;
  readonly subject: string | undefined;
  /** The place in the task that asks, unique in it and the same each time the task is run. */
  readonly place: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What the operator is asked. */
export interface OperatorQuestion {
  readonly text: string;
  /** Answers to choose from. */
  readonly options: readonly string[];
  /** As in AskRequest. */
  readonly place: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What one task shares with all its operations. */
export interface TaskServices {
  /** The worker's own id. */
  readonly agentId: string;
  readonly workspace: Workspace;
  readonly processes: ProcessGroups;
  readonly settings: TaskSettings;
  /** The environment of commands. */
  readonly commandEnv: Readonly<Record<string, string>>;
  /** Asks a peer and resolves to the result of its reply. Rejects with a TaskFailure. */
  readonly ask: (request: AskRequest) => Promise<Json>;
  /** Asks the operator and resolves to the text of the answer. Rejects with a TaskFailure, kind timeout when none came. */
  readonly askOperator: (question: OperatorQuestion) => Promise<string>;
  /** Shows output of a command, as it comes. */
  readonly output: (chunk: Buffer) => void;
  /** Shows one line about what is done. */
  readonly say: (text: string) => void;
  /** Reports how far the whole task is, 0 to 1. */
  readonly progress: (share: number) => void;
}

/** One place in a task. */
export interface TaskContext extends TaskServices {
  /** Where in the task this is: "" at the top, then names and numbers joined by dots. */
  readonly place: string;
  readonly scope: Scope;
  /** Aborted when the task's time is up or the worker ends. */
  readonly signal: AbortSignal;
  /** Files that belong to the result. */
  readonly artefacts: Artefact[];
  /** Runs a task inside this one. Its references are filled in from `scope`. */
  readonly run: (
    task: JsonObject,
    at: { place: string; scope: Scope; signal?: AbortSignal; progress?: (share: number) => void },
  ) => Promise<Json>;
}

/** A place inside a place. */
export function placeWithin(outer: string, inner: string | number): string {
  return outer === '' ? String(inner) : `${outer}.${inner}`;
}
