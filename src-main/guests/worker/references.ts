/**
 * Filling in references: {"$ref": "step.path.to.value"} and {"$item": "path"}, {"$index": true} in the fields of a task.
 * A "*" in a path goes through all elements of a list. Values that are filled in are data: references inside them are not looked at.
 * References that belong to a task further inside (a nested pipeline's own steps, a nested batch's own items) are left alone.
 */
import type { Json } from '#shared/kernel/json.ts';
import { TaskFailure } from './task-failure.ts';

/** What references can see. */
export interface Scope {
  /** Results of the steps so far, by name; null for a step that was skipped. */
  readonly results: ReadonlyMap<string, Json>;
  /** The item of the innermost batch. */
  readonly item?: { readonly value: Json; readonly index: number };
}

/** A scope without results and item. */
export const EMPTY_SCOPE: Scope = { results: new Map() };

/** A JSON object. */
export type JsonObject = { [key: string]: Json };

/** References that inner tasks will fill in themselves. */
interface Bound {
  readonly names: ReadonlySet<string>;
  readonly hasItem: boolean;
}

const NOTHING_BOUND: Bound = { names: new Set(), hasItem: false };

/** Whether a value is a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A task with the references of this scope filled in. Throws a TaskFailure naming a reference that leads nowhere. */
export function resolveTask(task: JsonObject, scope: Scope, bound: Bound = NOTHING_BOUND): JsonObject {
  const resolved: JsonObject = {};
  for (const [key, value] of Object.entries(task)) resolved[key] = resolveField(task, key, value, scope, bound);
  return resolved;
}

function resolveField(task: JsonObject, key: string, value: Json, scope: Scope, bound: Bound): Json {
  const op = task['op'];
  if (op === 'pipeline' && key === 'steps' && Array.isArray(value)) {
    const names = new Set([
      ...bound.names,
      ...value.flatMap((step) => (isObject(step) && typeof step['name'] === 'string' ? [step['name']] : [])),
    ]);
    return value.map((step) => (isObject(step) ? resolveTask(step, scope, { ...bound, names }) : step));
  }
  if (key === 'task' && isObject(value) && typeof value['op'] === 'string') {
    // What a peer is asked sees nothing but itself, so everything of ours is filled in; a batch's task keeps its items.
    return resolveTask(value, scope, op === 'batch' ? { ...bound, hasItem: true } : bound);
  }
  if (op === 'askAll' && key === 'asks' && Array.isArray(value)) {
    return value.map((ask) => (isObject(ask) ? resolveTask(ask, scope, bound) : ask));
  }
  return resolveValue(value, scope, bound);
}

/** A value with the references of this scope filled in. */
export function resolveValue(value: Json, scope: Scope, bound: Bound = NOTHING_BOUND): Json {
  if (Array.isArray(value)) return value.map((element) => resolveValue(element, scope, bound));
  if (!isObject(value)) return value;
  const reference = referenceIn(value);
  if (reference !== undefined) return isBound(reference, bound) ? value : lookUp(reference, scope);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolveValue(inner, scope, bound)]));
}

/** A reference: to a step's result, or to a batch's item or its number. */
export type Reference =
  | { readonly kind: 'step'; readonly name: string; readonly path: readonly string[]; readonly text: string }
  | { readonly kind: 'item'; readonly path: readonly string[]; readonly text: string }
  | { readonly kind: 'index' };

/** The reference that an object is, if it is one. */
export function referenceIn(value: JsonObject): Reference | undefined {
  const keys = Object.keys(value);
  if (keys.length !== 1) return undefined;
  const { $ref, $item, $index } = value;
  if (typeof $ref === 'string') {
    const [name = '', ...path] = $ref.split('.');
    return { kind: 'step', name, path, text: $ref };
  }
  if (typeof $item === 'string') return { kind: 'item', path: $item === '' ? [] : $item.split('.'), text: $item };
  if ($index === true) return { kind: 'index' };
  return undefined;
}

function isBound(reference: Reference, bound: Bound): boolean {
  return reference.kind === 'step' ? bound.names.has(reference.name) : bound.hasItem;
}

function lookUp(reference: Reference, scope: Scope): Json {
  if (reference.kind === 'step') {
    const result = scope.results.get(reference.name);
    if (result === undefined) {
      const known = [...scope.results.keys()];
      throw new TaskFailure(
        'input',
        `{"$ref": "${reference.text}"} names no step before this one${known.length === 0 ? '' : `: there are ${known.join(', ')}`}`,
      );
    }
    return follow(result, reference.path, `{"$ref": "${reference.text}"}`);
  }
  if (scope.item === undefined)
    throw new TaskFailure('input', `{"$${reference.kind}": …} is only known inside the task of a batch`);
  return reference.kind === 'index'
    ? scope.item.index
    : follow(scope.item.value, reference.path, `{"$item": "${reference.text}"}`);
}

function follow(value: Json, path: readonly string[], shown: string): Json {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  if (Array.isArray(value)) {
    if (head === '*') return value.map((element) => follow(element, rest, shown));
    const element = /^\d+$/.test(head) ? value[Number(head)] : undefined;
    if (element !== undefined) return follow(element, rest, shown);
    throw new TaskFailure('input', `${shown}: the list has no element "${head}" (it has ${value.length})`);
  }
  const inner = isObject(value) && Object.hasOwn(value, head) ? value[head] : undefined;
  if (inner === undefined) {
    const known = isObject(value)
      ? `; there are ${Object.keys(value).slice(0, 20).join(', ')}`
      : `: it is ${value === null ? 'null' : `a ${typeof value}`}`;
    throw new TaskFailure('input', `${shown}: there is no "${head}"${known}`);
  }
  return follow(inner, rest, shown);
}
