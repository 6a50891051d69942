/** `batch`: the same task for many items, some at a time. */
import type { Json } from '#shared/kernel/json.ts';
import type { TaskOf } from '#shared/worker/model.ts';
import type { JsonObject } from '../references.ts';
import { placeWithin } from '../task-context.ts';
import type { TaskContext } from '../task-context.ts';
import { failureOf, TaskFailure } from '../task-failure.ts';

/** One item's outcome, in the order of the items. */
type ItemOutcome =
  | { readonly ok: true; readonly result: Json }
  | { readonly ok: false; readonly error: ReturnType<typeof failureOf> };

/**
 * Runs the task for each item: in chunks of `batchSize`, one chunk after the other, `concurrency` items at once within one.
 * With onError "stop" the first failure stops what has not begun, waits for what has, and fails the batch.
 */
export async function runBatch(task: TaskOf<'batch'>, context: TaskContext): Promise<Json> {
  const batchSize = task.batchSize ?? context.settings.batchSize;
  const concurrency = task.concurrency ?? context.settings.poolSize;
  const outcomes: ItemOutcome[] = [];
  let done = 0;
  let failed: { readonly index: number; readonly error: TaskFailure } | undefined;

  for (let from = 0; from < task.items.length && failed === undefined; from += batchSize) {
    const to = Math.min(from + batchSize, task.items.length);
    if (task.items.length > batchSize) context.say(`items ${from + 1} to ${to} of ${task.items.length}`);
    let next = from;
    const lane = async (): Promise<void> => {
      while (next < to && failed === undefined) {
        context.signal.throwIfAborted();
        const index = next;
        next += 1;
        const item = { value: task.items[index] ?? null, index };
        try {
          const result = await context.run(task.task as JsonObject, {
            place: placeWithin(context.place, index),
            scope: { ...context.scope, item },
            progress: () => undefined,
          });
          outcomes[index] = { ok: true, result };
        } catch (error) {
          if (!(error instanceof TaskFailure)) throw error;
          outcomes[index] = { ok: false, error: failureOf(error) };
          if (task.onError === 'stop') failed ??= { index, error };
        }
        done += 1;
        context.progress(done / task.items.length);
      }
    };
    // Every lane is waited for, also after a failure: nothing of the batch runs on when it has been answered.
    const lanes = await Promise.allSettled(Array.from({ length: Math.min(concurrency, to - from) }, lane));
    const broken = lanes.find((ended) => ended.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
  }

  if (failed !== undefined) {
    throw new TaskFailure(failed.error.kind, `item ${failed.index} failed: ${failed.error.message}`, {
      detail: { index: failed.index, done, error: failureOf(failed.error) },
    });
  }
  const failures = outcomes.filter((outcome) => !outcome.ok).length;
  return task.onError === 'stop'
    ? { items: outcomes.length, results: outcomes.map((outcome) => (outcome.ok ? outcome.result : null)) }
    : { items: outcomes.length, failed: failures, outcomes: outcomes.map((outcome): JsonObject => ({ ...outcome })) };
}
