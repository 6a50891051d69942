import { readFile, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import type { Json } from '#shared/kernel/json.ts';
import type { TransformStep } from '#shared/worker/transform-model.ts';
import { TaskBench } from '../testing/task-bench.ts';
import { formatRows, parseRows } from './formats.ts';
import { transformRows } from './transform-rows.ts';

const people: Json[] = [
  { name: 'Ada', team: 'a', age: 36, tags: ['x', 'y'] },
  { name: 'Bob', team: 'b', age: 20, tags: [] },
  { name: 'cy', team: 'a', age: 50, tags: ['y'], city: { zip: '10' } },
];
const names = (...steps: TransformStep[]): unknown[] =>
  transformRows(people, steps).map((row) => (typeof row === 'object' && row !== null && !Array.isArray(row) ? row['name'] : row));

describe('transformRows', () => {
  it('filters', () => {
    expect(names({ filter: { field: 'age', above: 20, atMost: 36 } })).toEqual(['Ada']);
    expect(names({ filter: { field: 'tags', contains: 'y' } })).toEqual(['Ada', 'cy']);
    expect(names({ filter: { field: 'city.zip', exists: true } })).toEqual(['cy']);
    expect(
      names({
        filter: {
          any: [
            { field: 'name', startsWith: 'B' },
            { all: [{ field: 'team', equals: 'a' }, { not: { field: 'age', in: [36] } }] },
          ],
        },
      }),
    ).toEqual(['Bob', 'cy']);
    expect(names({ filter: { field: 'age', above: '1' } })).toEqual([]);
  });

  it('maps, selects, sorts, pages and flattens', () => {
    expect(
      transformRows(people, [
        { limit: 1 },
        {
          map: {
            label: {
              concat: [{ upper: { field: 'name' } }, { value: '-' }, { text: { add: [{ field: 'age' }, { value: 1 }] } }],
            },
            half: { divide: [{ field: 'age' }, { value: 2 }] },
            none: { divide: [{ value: 1 }, { value: 0 }] },
          },
        },
        { select: ['label', 'half', 'none'] },
      ]),
    ).toEqual([{ label: 'ADA-37', half: 18, none: null }]);
    expect(
      names({
        sort: [
          { field: 'team', order: 'descending' },
          { field: 'age', order: 'ascending' },
        ],
      }),
    ).toEqual(['Bob', 'Ada', 'cy']);
    expect(names({ skip: 1 }, { limit: 1 })).toEqual(['Bob']);
    expect(transformRows(people, [{ flatten: 'tags' }, { select: { who: 'name', tag: 'tags' } }])).toEqual([
      { who: 'Ada', tag: 'x' },
      { who: 'Ada', tag: 'y' },
      { who: 'cy', tag: 'y' },
    ]);
  });

  it('groups, aggregates and removes repeats', () => {
    expect(
      transformRows(people, [
        {
          group: {
            by: ['team'],
            aggregate: { n: { count: true }, sum: { sum: 'age' }, oldest: { max: 'age' }, who: { collect: 'name' } },
          },
        },
      ]),
    ).toEqual([
      { team: 'a', n: 2, sum: 86, oldest: 50, who: ['Ada', 'cy'] },
      { team: 'b', n: 1, sum: 20, oldest: 20, who: ['Bob'] },
    ]);
    expect(
      transformRows(people, [
        { aggregate: { mean: { mean: 'age' }, first: { first: 'name' }, last: { last: 'name' }, least: { min: 'name' } } },
      ]),
    ).toEqual([{ mean: 106 / 3, first: 'Ada', last: 'cy', least: 'Ada' }]);
    expect(names({ unique: ['team'] })).toEqual(['Ada', 'Bob']);
    expect(transformRows([{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 2 }], [{ unique: [] }])).toHaveLength(2);
  });

  it('names the step and the value that do not fit', () => {
    expect(() => transformRows(people, [{ limit: 3 }, { map: { x: { add: [{ field: 'name' }] } } }])).toThrow(
      'transform step 2 (map): "Ada" is not a number',
    );
    expect(() => transformRows(people, [{ flatten: 'name' }])).toThrow('field "name" is no list');
  });

  it('does not reach beyond the data', () => {
    expect(transformRows([{}], [{ select: ['constructor', '__proto__', 'toString.name'] }])).toEqual([
      { constructor: null, ['__proto__']: null, 'toString.name': null },
    ]);
  });
});

describe('formats', () => {
  it('read back what they wrote (property)', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'ü', ';') });
    const rows = fc.array(fc.record({ one: text, 'two, "2"': text, three: text }), { minLength: 1 });
    fc.assert(
      fc.property(rows, (table) => {
        expect(parseRows(formatRows(table, 'csv'), 'csv')).toEqual(table);
        expect(parseRows(formatRows(table, 'jsonl'), 'jsonl')).toEqual(table);
        expect(parseRows(formatRows(table, 'json'), 'json')).toEqual(table);
      }),
      { numRuns: effort.propertyRuns * 2 },
    );
  });

  it('take what other programs write, and say where it goes wrong', () => {
    expect(parseRows('\uFEFFa,b\r\n1,"x ""y"""\r\n\r\n2\r\n', 'csv')).toEqual([
      { a: '1', b: 'x "y"' },
      { a: '2', b: '' },
    ]);
    expect(parseRows('one\r\ntwo', 'lines')).toEqual([
      { line: 1, text: 'one' },
      { line: 2, text: 'two' },
    ]);
    expect(() => parseRows('{}\n{', 'jsonl')).toThrow('line 2 is not JSON');
    expect(() => parseRows('a\n1,2', 'csv')).toThrow('record 2 has 2 cells');
    expect(() => parseRows('a\n"x', 'csv')).toThrow('not closed');
    expect(formatRows([{ a: { b: 1 }, c: null }, 5], 'csv')).toBe('a,c,value\n"{""b"":1}",,\n,,5\n');
  });
});

describe('transform', () => {
  let bench: TaskBench;
  beforeEach(async () => {
    bench = await TaskBench.open();
  });
  afterEach(() => bench.dispose());

  it('goes by the names of the files, and by OUTPUT_FORMAT where there is none', async () => {
    await writeFile(bench.at('in.csv'), 'n\n3\n1\n');
    const steps = [{ map: { n: { number: { field: 'n' } } } }, { sort: [{ field: 'n' }] }];
    const { artefacts } = await bench.run({ op: 'transform', input: 'in.csv', steps, output: 'deep/out.jsonl' });
    expect(await readFile(bench.at('deep/out.jsonl'), 'utf8')).toBe('{"n":1}\n{"n":3}\n');
    expect(artefacts).toMatchObject([{ path: 'deep/out.jsonl', bytes: 16 }]);
    bench.settings = { ...bench.settings, outputFormat: 'csv' };
    expect(await bench.result({ op: 'transform', input: 'in.csv', steps })).toEqual({
      rows: 2,
      format: 'csv',
      data: 'n\n1\n3\n',
    });
    expect(await bench.result({ op: 'transform', input: 'in.csv', steps, to: 'json' })).toEqual({
      rows: 2,
      format: 'json',
      data: [{ n: 1 }, { n: 3 }],
    });
  });
});
