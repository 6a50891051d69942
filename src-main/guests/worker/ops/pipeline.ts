/** `pipeline`: steps in order, each seeing the results before it. */
import type { Json } from '#shared/kernel/json.ts';
import type { TaskOf, When } from '#shared/worker/model.ts';
import { Comparison } from '#shared/worker/transform-model.ts';
import { withoutStep } from '../check-task.ts';
import { resolveValue } from '../references.ts';
import type { Scope } from '../references.ts';
import { placeWithin } from '../task-context.ts';
import type { TaskContext } from '../task-context.ts';
import { TaskFailure } from '../task-failure.ts';
import { compares } from '../transform/compare.ts';

/** Runs the steps; stops at the first that fails and names it. The result maps steps to their results; null for a skipped one. */
export async function runPipeline(task: TaskOf<'pipeline'>, context: TaskContext): Promise<Json> {
  const results = new Map(context.scope.results);
  const own: { [name: string]: Json } = {};
  for (const [index, step] of task.steps.entries()) {
    context.signal.throwIfAborted();
    const scope: Scope = { ...context.scope, results };
    try {
      const isDue = step.when === undefined || holds(step.when, scope);
      if (isDue) context.say(`step ${index + 1} of ${task.steps.length}: ${step.name}`);
      else context.say(`step ${index + 1} of ${task.steps.length}: ${step.name} is skipped`);
      const place = placeWithin(context.place, step.name);
      const progress = (share: number): void => context.progress((index + share) / task.steps.length);
      own[step.name] = isDue ? await context.run(withoutStep(step as { [key: string]: Json }), { place, scope, progress }) : null;
    } catch (error) {
      throw error instanceof TaskFailure ? error.within(step.name) : error;
    }
    results.set(step.name, own[step.name] ?? null);
    context.progress((index + 1) / task.steps.length);
  }
  return task.returns === undefined ? own : Object.fromEntries(task.returns.map((name) => [name, own[name] ?? null]));
}

function holds(when: When, scope: Scope): boolean {
  if (typeof when === 'boolean') return when;
  if ('$ref' in when) return isTrue(resolveValue({ $ref: when.$ref }, scope));
  const { value, ...comparison } = when;
  const resolved = resolveValue(value, scope);
  return Object.keys(comparison).length === 0
    ? isTrue(resolved)
    : compares(resolved, Comparison.parse(resolveValue(comparison as { [key: string]: Json }, scope)));
}

/** false, null, 0, "" and empty lists are not true. */
function isTrue(value: Json): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
