/** The one typed error for what can go wrong in a task. Anything else that is thrown is a defect of the worker. */
import type { Json } from '#shared/kernel/json.ts';
import type { FailureKind, TaskOutcome } from '#shared/worker/outcome.ts';

/** An expected failure of a task: becomes the `error` of its reply. */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure';
  readonly kind: FailureKind;
  readonly detail: Json | undefined;
  /** The steps that lead to where it happened, outermost first. */
  readonly steps: readonly string[];

  constructor(
    kind: FailureKind,
    message: string,
    options: { detail?: Json | undefined; steps?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.detail = options.detail;
    this.steps = options.steps ?? [];
  }

  /** The same failure, seen from the step around it. */
  within(step: string): TaskFailure {
    return new TaskFailure(this.kind, this.message, { detail: this.detail, steps: [step, ...this.steps], cause: this.cause });
  }
}

/** An outcome's `error` for anything thrown. */
export function failureOf(error: unknown): Extract<TaskOutcome, { ok: false }>['error'] {
  if (!(error instanceof TaskFailure))
    return { kind: 'internal', message: error instanceof Error ? error.message : String(error) };
  const step = error.steps.length === 0 ? {} : { step: error.steps.join('.') };
  const message = error.steps.length === 0 ? error.message : `Step "${error.steps.join('.')}" failed: ${error.message}`;
  return { kind: error.kind, message, ...step, ...(error.detail === undefined ? {} : { detail: error.detail }) };
}

/** The code of a Node system error such as ENOENT; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
