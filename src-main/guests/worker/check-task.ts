/**
 * Checks a task before anything of it runs: its own fields, and, as far as no reference stands in them, the tasks inside it;
 * and that every {"$ref"} names a step that comes before. So a slip in the last step is found before the first has an effect.
 */
import { describeInvalid } from '#shared/kernel/describe-issues.ts';
import type { Json } from '#shared/kernel/json.ts';
import { OPS, WorkerTask } from '#shared/worker/model.ts';
import type { TaskOf } from '#shared/worker/model.ts';
import { isObject, referenceIn } from './references.ts';
import type { JsonObject } from './references.ts';
import { TaskFailure } from './task-failure.ts';

/** Reads a task whose references are filled in. Throws a TaskFailure that names the field and what is allowed. */
export function parseTask(data: Json): WorkerTask {
  const parsed = WorkerTask.safeParse(data);
  if (parsed.success) return parsed.data;
  if (!isObject(data))
    throw new TaskFailure('invalid-task', `The data of a task must be an object with "op", one of: ${OPS.join(', ')}`);
  const op = OPS.find((name) => name === data['op']);
  if (op === undefined) {
    throw new TaskFailure('invalid-task', `"op" is ${JSON.stringify(data['op'] ?? null)}; it must be one of: ${OPS.join(', ')}`);
  }
  throw new TaskFailure('invalid-task', `Not a valid "${op}" task: ${describeInvalid(WorkerTask, parsed.error, data).message}`);
}

/** Names what steps and batches around a task make known. */
interface Known {
  readonly names: ReadonlySet<string>;
  readonly hasItem: boolean;
}

/** Checks a message's task as a whole. Throws a TaskFailure. */
export function checkTask(data: Json): JsonObject {
  if (!isObject(data))
    throw new TaskFailure('invalid-task', `The data of a task must be an object with "op", one of: ${OPS.join(', ')}`);
  check(data, { names: new Set(), hasItem: false });
  return data;
}

function check(task: JsonObject, known: Known): void {
  const open = checkReferences(withoutInner(task), known);
  // With references still open the fields cannot be checked yet; with none, the task must be right as it stands.
  const parsed = open ? undefined : parseTask(withoutStep(task));
  const op = task['op'];
  if (!OPS.some((name) => name === op)) parseTask(withoutStep(task));
  if (op === 'pipeline' && Array.isArray(task['steps']))
    checkSteps(task['steps'], known, parsed?.op === 'pipeline' ? parsed : undefined);
  if (op === 'batch' || op === 'ask') checkInner(task['task'], { ...known, hasItem: known.hasItem || op === 'batch' });
  if (op === 'askAll' && Array.isArray(task['asks']))
    for (const ask of task['asks']) if (isObject(ask)) checkInner(ask['task'], known);
}

function checkInner(task: Json | undefined, known: Known): void {
  if (isObject(task)) check(task, known);
}

function checkSteps(steps: readonly Json[], known: Known, pipeline: TaskOf<'pipeline'> | undefined): void {
  const names = new Set(known.names);
  const own = new Set<string>();
  for (const step of steps) {
    if (!isObject(step)) continue;
    const name = typeof step['name'] === 'string' ? step['name'] : '';
    try {
      if (own.has(name)) throw new TaskFailure('invalid-task', `two steps are named "${name}"`);
      check(step, { ...known, names });
    } catch (error) {
      throw error instanceof TaskFailure ? error.within(name) : error;
    }
    own.add(name);
    names.add(name);
  }
  const missing = pipeline?.returns?.find((name) => !own.has(name));
  if (missing !== undefined)
    throw new TaskFailure('invalid-task', `"returns" names "${missing}", which is no step of the pipeline`);
}

/** The fields of a task that are its own. */
function withoutInner(task: JsonObject): JsonObject {
  const own = { ...task };
  if (task['op'] === 'pipeline') delete own['steps'];
  if (task['op'] === 'batch' || task['op'] === 'ask') delete own['task'];
  if (task['op'] === 'askAll' && Array.isArray(task['asks'])) {
    own['asks'] = task['asks'].map((ask) =>
      isObject(ask) ? Object.fromEntries(Object.entries(ask).filter(([key]) => key !== 'task')) : ask,
    );
  }
  return own;
}

/** A step of a pipeline without what belongs to the pipeline: its task. */
export function withoutStep(step: JsonObject): JsonObject {
  const { name: _name, when: _when, ...task } = step;
  return task;
}

/** Whether there are references; throws when one leads nowhere. */
function checkReferences(value: Json, known: Known): boolean {
  if (Array.isArray(value)) return value.map((element) => checkReferences(element, known)).includes(true);
  if (!isObject(value)) return false;
  const reference = referenceIn(value);
  if (reference === undefined)
    return Object.values(value)
      .map((inner) => checkReferences(inner, known))
      .includes(true);
  if (reference.kind === 'step' && !known.names.has(reference.name)) {
    throw new TaskFailure(
      'invalid-task',
      `{"$ref": "${reference.text}"} names no step before this one${known.names.size === 0 ? '' : `: there are ${[...known.names].join(', ')}`}`,
    );
  }
  if (reference.kind !== 'step' && !known.hasItem)
    throw new TaskFailure('invalid-task', `{"$${reference.kind}": …} is only known inside the task of a batch`);
  return true;
}
