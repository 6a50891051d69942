/** The steps of a transformation, as functions from rows to rows. */
import { canonicalJson } from '#shared/kernel/json.ts';
import type { Json } from '#shared/kernel/json.ts';
import type { Aggregate, Expression, Predicate, TransformStep } from '#shared/worker/transform-model.ts';
import { isObject } from '../references.ts';
import type { JsonObject } from '../references.ts';
import { TaskFailure } from '../task-failure.ts';
import { compareForSort, compares } from './compare.ts';

/** Applies the steps one after the other. Throws a TaskFailure naming the step when rows do not fit. */
export function transformRows(rows: readonly Json[], steps: readonly TransformStep[]): Json[] {
  let current = [...rows];
  for (const [index, step] of steps.entries()) {
    try {
      current = applyStep(current, step);
    } catch (error) {
      if (!(error instanceof TaskFailure)) throw error;
      throw new TaskFailure(error.kind, `transform step ${index + 1} (${Object.keys(step)[0] ?? ''}): ${error.message}`, {
        cause: error,
      });
    }
  }
  return current;
}

function applyStep(rows: Json[], step: TransformStep): Json[] {
  if ('filter' in step) return rows.filter((row) => holds(row, step.filter));
  if ('map' in step) {
    return rows.map((row) => {
      const set = Object.entries(step.map).map(([name, expression]): [string, Json] => [name, evaluate(row, expression)]);
      return { ...(isObject(row) ? row : { value: row }), ...Object.fromEntries(set) };
    });
  }
  if ('select' in step) {
    const fields = Array.isArray(step.select)
      ? step.select.map((field): [string, string] => [field, field])
      : Object.entries(step.select);
    return rows.map((row) => Object.fromEntries(fields.map(([name, field]) => [name, fieldOf(row, field) ?? null])));
  }
  if ('sort' in step) return rows.toSorted((a, b) => compareRows(a, b, step.sort));
  if ('unique' in step) return uniqueRows(rows, step.unique);
  if ('group' in step) return groupRows(rows, step.group.by, step.group.aggregate);
  if ('aggregate' in step) return [aggregateRows(rows, step.aggregate)];
  if ('flatten' in step) return rows.flatMap((row) => flattenRow(row, step.flatten));
  if ('skip' in step) return rows.slice(step.skip);
  return rows.slice(0, step.limit);
}

/** The value in a field; undefined when it is not there. */
export function fieldOf(row: Json, field: string): Json | undefined {
  if (field === '') return row;
  let value: Json | undefined = row;
  for (const name of field.split('.')) {
    if (Array.isArray(value)) value = /^\d+$/.test(name) ? value[Number(name)] : undefined;
    else if (isObject(value) && Object.hasOwn(value, name)) value = value[name];
    else return undefined;
  }
  return value;
}

function holds(row: Json, predicate: Predicate): boolean {
  if ('all' in predicate) return predicate.all.every((inner) => holds(row, inner));
  if ('any' in predicate) return predicate.any.some((inner) => holds(row, inner));
  if ('not' in predicate) return !holds(row, predicate.not);
  const { field, ...comparison } = predicate;
  return compares(fieldOf(row, field), comparison);
}

function evaluate(row: Json, expression: Expression): Json {
  if ('field' in expression) return fieldOf(row, expression.field) ?? null;
  if ('value' in expression) return expression.value;
  if ('concat' in expression) return expression.concat.map((part) => textOf(evaluate(row, part))).join('');
  if ('lower' in expression) return textOf(evaluate(row, expression.lower)).toLowerCase();
  if ('upper' in expression) return textOf(evaluate(row, expression.upper)).toUpperCase();
  if ('trim' in expression) return textOf(evaluate(row, expression.trim)).trim();
  if ('number' in expression) return toNumber(evaluate(row, expression.number));
  if ('text' in expression) return textOf(evaluate(row, expression.text));
  if ('length' in expression) return lengthOf(evaluate(row, expression.length));
  if ('add' in expression) return expression.add.reduce((sum, part) => sum + numberIn(row, part), 0);
  if ('subtract' in expression) return numberIn(row, expression.subtract[0]) - numberIn(row, expression.subtract[1]);
  if ('multiply' in expression) return expression.multiply.reduce((product, part) => product * numberIn(row, part), 1);
  const divisor = numberIn(row, expression.divide[1]);
  // JSON has no infinity: dividing by zero has no value.
  return divisor === 0 ? null : numberIn(row, expression.divide[0]) / divisor;
}

function textOf(value: Json): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Numbers, and texts that are one; null for anything else. */
function toNumber(value: Json): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string' || value.trim() === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

function numberIn(row: Json, expression: Expression): number {
  const value = evaluate(row, expression);
  const number = toNumber(value);
  if (number === null) throw new TaskFailure('input', `${JSON.stringify(value)?.slice(0, 80)} is not a number`);
  return number;
}

function lengthOf(value: Json): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}

function compareRows(
  a: Json,
  b: Json,
  keys: readonly { readonly field: string; readonly order: 'ascending' | 'descending' }[],
): number {
  for (const { field, order } of keys) {
    const compared = compareForSort(fieldOf(a, field), fieldOf(b, field));
    if (compared !== 0) return order === 'ascending' ? compared : -compared;
  }
  return 0;
}

function keyOf(row: Json, fields: readonly string[]): string {
  return fields.length === 0 ? canonicalJson(row) : canonicalJson(fields.map((field) => fieldOf(row, field) ?? null));
}

function uniqueRows(rows: readonly Json[], fields: readonly string[]): Json[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const key = keyOf(row, fields);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function groupRows(rows: readonly Json[], by: readonly string[], aggregate: Readonly<Record<string, Aggregate>>): Json[] {
  return [...Map.groupBy(rows, (row) => keyOf(row, by)).values()].map((group) => ({
    ...Object.fromEntries(by.map((field) => [field, fieldOf(group[0] ?? null, field) ?? null])),
    ...aggregateRows(group, aggregate),
  }));
}

function aggregateRows(rows: readonly Json[], aggregates: Readonly<Record<string, Aggregate>>): JsonObject {
  return Object.fromEntries(Object.entries(aggregates).map(([name, aggregate]) => [name, aggregateOne(rows, aggregate)]));
}

/** Sums and means take numbers and number-like texts and pass over missing values; min and max use the order of sorting. */
function aggregateOne(rows: readonly Json[], aggregate: Aggregate): Json {
  if ('count' in aggregate) return rows.length;
  const values = (field: string): Json[] => rows.map((row) => fieldOf(row, field) ?? null).filter((value) => value !== null);
  const numbers = (field: string): number[] =>
    values(field).map((value) => {
      const number = toNumber(value);
      if (number === null)
        throw new TaskFailure('input', `field "${field}" holds ${JSON.stringify(value)?.slice(0, 80)}, which is not a number`);
      return number;
    });
  if ('sum' in aggregate) return numbers(aggregate.sum).reduce((sum, value) => sum + value, 0);
  if ('mean' in aggregate) {
    const all = numbers(aggregate.mean);
    return all.length === 0 ? null : all.reduce((sum, value) => sum + value, 0) / all.length;
  }
  if ('min' in aggregate) return values(aggregate.min).toSorted(compareForSort)[0] ?? null;
  if ('max' in aggregate) return values(aggregate.max).toSorted(compareForSort).at(-1) ?? null;
  if ('first' in aggregate) return fieldOf(rows[0] ?? null, aggregate.first) ?? null;
  if ('last' in aggregate) return fieldOf(rows.at(-1) ?? null, aggregate.last) ?? null;
  return rows.map((row) => fieldOf(row, aggregate.collect) ?? null);
}

function flattenRow(row: Json, field: string): Json[] {
  const list = fieldOf(row, field);
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new TaskFailure('input', `field "${field}" is no list`);
  if (field === '' || field.includes('.') || !isObject(row)) return list;
  return list.map((element) => ({ ...row, [field]: element }));
}
