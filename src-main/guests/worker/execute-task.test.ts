import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { OPS } from '#shared/worker/model.ts';
import { taskOfBody } from './execute-task.ts';
import { TaskFailure } from './task-failure.ts';
import { TaskBench } from './testing/task-bench.ts';

let bench: TaskBench;
beforeEach(async () => {
  bench = await TaskBench.open();
});
afterEach(() => bench.dispose());

describe('a task', () => {
  it('that is none is refused with the operations there are', async () => {
    for (const data of [null, 'run', 7, [], {}, { op: 'dance' }]) {
      const failure = await bench.failure(data);
      expect(failure.kind).toBe('invalid-task');
      for (const op of OPS) expect(failure.message).toContain(op);
    }
  });

  it('with a wrong field is refused by the name of the field', async () => {
    expect((await bench.failure({ op: 'run' })).message).toContain('command');
    expect((await bench.failure({ op: 'run', command: 'true', timeOut: 5 })).message).toContain('timeOut');
    expect((await bench.failure({ op: 'batch', items: 'x', task: { op: 'run', command: 'true' } })).message).toContain('items');
  });

  it('never ends in a defect, whatever the data (property)', async () => {
    const op = fc.constantFrom(...OPS.filter((name) => name !== 'run'), 'nonsense');
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.jsonValue({ maxDepth: 3 }),
          fc
            .tuple(
              op,
              fc.dictionary(
                fc.constantFrom('steps', 'items', 'task', 'path', 'files', 'to', 'asks', 'name', '$ref', 'input', 'from'),
                fc.jsonValue({ maxDepth: 2 }),
              ),
            )
            .map(([name, fields]) => ({ ...fields, op: name })),
        ),
        withinTime(async (data) => {
          const ended = await bench.run(JSON.parse(JSON.stringify(data))).then(
            () => 'done',
            (error: unknown) => (error instanceof Error ? error.name : 'thrown'),
          );
          expect(['done', 'TaskFailure']).toContain(ended);
        }),
      ),
      { numRuns: effort.propertyRuns * 5 },
    );
  });

  it('can be a line "$ command" of a message', () => {
    expect(taskOfBody(' $ ls -l \n')).toEqual({ op: 'run', command: 'ls -l' });
    expect(taskOfBody('$ one\n$ two')).toBeUndefined();
    expect(taskOfBody('costs $ 5')).toBeUndefined();
  });
});

describe('pipeline', () => {
  it('hands results on, skips, and returns what is asked for', async () => {
    const steps = [
      { name: 'first', op: 'run', command: 'echo one' },
      { name: 'write', op: 'files.write', path: 'out.txt', content: { $ref: 'first.stdout' } },
      { name: 'skipped', op: 'run', command: 'touch never', when: { value: { $ref: 'first.exitCode' }, above: 0 } },
      { name: 'again', op: 'run', command: ['printf', '%s', { $ref: 'write.path' }], when: { $ref: 'write.bytes' } },
    ];
    expect(await bench.result({ op: 'pipeline', steps, returns: ['skipped', 'again'] })).toEqual({
      skipped: null,
      again: expect.objectContaining({ stdout: 'out.txt' }) as object,
    });
    expect(await readFile(bench.at('out.txt'), 'utf8')).toBe('one\n');
    expect(bench.progress.at(-1)).toBe(1);
    expect(Object.keys((await bench.result({ op: 'pipeline', steps })) as object)).toEqual([
      'first',
      'write',
      'skipped',
      'again',
    ]);
  });

  it('stops at the first failure and names its step, inside others too', async () => {
    const inner = { op: 'pipeline', steps: [{ name: 'bad', op: 'run', command: 'exit 2' }] };
    const failure = await bench.failure({
      op: 'pipeline',
      steps: [
        { name: 'outer', ...inner },
        { name: 'never', op: 'files.write', path: 'never', content: '' },
      ],
    });
    expect(failure).toMatchObject({ kind: 'exit', step: 'outer.bad' });
    expect(failure.message).toContain('Step "outer.bad" failed');
    await expect(readFile(bench.at('never'))).rejects.toThrow('ENOENT');
  });

  it('finds a slip in a later step before the first has an effect', async () => {
    const first = { name: 'first', op: 'files.write', path: 'effect', content: '' };
    const slips = [
      { step: { name: 'second', op: 'files.read', path: 'x', maxBytes: 'many' }, text: 'maxBytes' },
      { step: { name: 'second', op: 'files.read', path: { $ref: 'frist.path' } }, text: 'names no step before' },
      { step: { name: 'second', op: 'files.read', path: { $ref: 'second.path' } }, text: 'names no step before' },
      { step: { name: 'first', op: 'files.read', path: 'x' }, text: 'two steps are named' },
      { step: { name: 'second', op: 'batch', items: [], task: { op: 'nope' } }, text: 'op' },
      { step: { name: 'second', op: 'files.read', path: { $item: '' } }, text: 'only known inside the task of a batch' },
    ];
    for (const { step, text } of slips) {
      const failure = await bench.failure({ op: 'pipeline', steps: [first, step] });
      expect(failure.kind).toBe('invalid-task');
      expect(failure.message).toContain(text);
    }
    await expect(readFile(bench.at('effect'))).rejects.toThrow('ENOENT');
  });

  it('follows references through lists, and says where one breaks off', async () => {
    const rows = { name: 'rows', op: 'transform', input: [{ a: { b: 1 } }, { a: { b: 2 } }], steps: [] };
    const use = (ref: string) => ({
      op: 'pipeline',
      steps: [rows, { name: 'use', op: 'transform', input: [{ $ref: ref }], steps: [] }],
      returns: ['use'],
    });
    expect(await bench.result(use('rows.data.*.a.b'))).toMatchObject({ use: { data: [[1, 2]] } });
    expect(await bench.result(use('rows.data.1.a'))).toMatchObject({ use: { data: [{ b: 2 }] } });
    expect((await bench.failure(use('rows.data.7'))).message).toContain('no element "7"');
    expect((await bench.failure(use('rows.data.0.c'))).message).toContain('there is no "c"; there are a');
    expect((await bench.failure(use('rows.data.0.constructor'))).kind).toBe('input');
  });

  it('lets inner steps see outer results, and leaves inner names to the inner pipeline', async () => {
    const inner = {
      op: 'pipeline',
      steps: [
        { name: 'x', op: 'run', command: 'echo inner' },
        { name: 'y', op: 'run', command: ['printf', '%s%s', { $ref: 'x.stdout' }, { $ref: 'w.stdout' }] },
      ],
      returns: ['y'],
    };
    const result = await bench.result({
      op: 'pipeline',
      steps: [
        { name: 'w', op: 'run', command: 'printf w' },
        { name: 'x', op: 'run', command: 'printf outer' },
        { name: 'z', ...inner },
      ],
      returns: ['z'],
    });
    expect(result).toMatchObject({ z: { y: { stdout: 'inner\nw' } } });
  });
});

describe('batch', () => {
  it('runs items in chunks, as many at once as the pool has, results in order', async () => {
    bench.settings = { ...bench.settings, batchSize: 3, poolSize: 2 };
    const command = 'echo start >> log; sleep 0.0$((5 - $1 % 5)); echo end >> log; echo $1';
    const result = await bench.result({
      op: 'batch',
      items: [0, 1, 2, 3, 4, 5, 6],
      task: { op: 'run', command: ['sh', '-c', command, 'sh', '0'], env: {}, stdin: '' },
    });
    expect(result).toMatchObject({ items: 7 });
    const log = (await readFile(bench.at('log'), 'utf8')).trim().split('\n');
    let running = 0;
    let most = 0;
    for (const line of log) {
      running += line === 'start' ? 1 : -1;
      most = Math.max(most, running);
    }
    expect(most).toBe(2);
    expect(bench.said.filter((line) => line.startsWith('items'))).toEqual([
      'items 1 to 3 of 7',
      'items 4 to 6 of 7',
      'items 7 to 7 of 7',
    ]);
  });

  it('fills in the item, parts of it and its number', async () => {
    const task = { op: 'run', command: ['printf', '%s %s', { $item: 'name' }, { $item: 'tags.0' }] };
    const items = [
      { name: 'a', tags: ['x'] },
      { name: 'b', tags: ['y'] },
    ];
    expect(await bench.result({ op: 'batch', items, task })).toMatchObject({ results: [{ stdout: 'a x' }, { stdout: 'b y' }] });
    const nested = {
      op: 'batch',
      items: [1],
      task: { op: 'transform', input: [{ item: { $item: '' }, index: { $index: true } }], steps: [] },
    };
    expect(await bench.result({ op: 'batch', items: ['p', 'q'], task: nested })).toMatchObject({
      results: [{ results: [{ data: [{ item: 1, index: 0 }] }] }, {}],
    });
  });

  it('stops at a failure or goes on, as told', async () => {
    const batch = {
      op: 'batch',
      items: ['true', 'false', 'true', 'touch late'],
      concurrency: 1,
      task: { op: 'run', command: { $item: '' } },
    };
    expect(await bench.failure(batch)).toMatchObject({ kind: 'exit', detail: { index: 1, done: 2 } });
    await expect(readFile(bench.at('late'))).rejects.toThrow('ENOENT');
    expect(await bench.result({ ...batch, onError: 'continue' })).toMatchObject({
      items: 4,
      failed: 1,
      outcomes: [{ ok: true }, { ok: false, error: { kind: 'exit' } }, { ok: true }, { ok: true }],
    });
  });

  it('does not look for references in data', async () => {
    expect(
      await bench.result({
        op: 'pipeline',
        steps: [
          { name: 'rows', op: 'run', command: ['printf', '[{"$ref":"secret"}]'] },
          { name: 'file', op: 'files.write', path: 'r.json', content: { $ref: 'rows.stdout' } },
          { name: 'read', op: 'transform', input: { $ref: 'file.path' }, steps: [] },
          {
            name: 'use',
            op: 'batch',
            items: { $ref: 'read.data' },
            task: { op: 'files.write', path: 'o.json', content: { $item: '' } },
          },
        ],
        returns: ['read'],
      }),
    ).toMatchObject({ read: { data: [{ $ref: 'secret' }] } });
    expect(JSON.parse(await readFile(bench.at('o.json'), 'utf8'))).toEqual({ $ref: 'secret' });
  });
});

describe('ask', () => {
  it('sends tasks with everything filled in, from places that are the same each time', async () => {
    const task = {
      op: 'pipeline',
      steps: [
        { name: 'a', op: 'run', command: 'printf 5' },
        { name: 'one', op: 'ask', to: 'p1', task: { op: 'files.read', path: { $ref: 'a.stdout' } } },
        {
          name: 'many',
          op: 'askAll',
          asks: [
            { to: 'p2', task: { op: 'files.list' } },
            {
              to: 'p3',
              task: {
                op: 'pipeline',
                steps: [
                  { name: 'q', op: 'files.list' },
                  { name: 'r', op: 'files.read', path: { $ref: 'q.files.0.path' } },
                ],
              },
            },
          ],
        },
        { name: 'each', op: 'batch', items: ['p4', 'p5'], task: { op: 'ask', to: { $item: '' }, task: { op: 'files.list' } } },
      ],
    };
    expect(await bench.result(task)).toMatchObject({
      one: { from: 'p1' },
      many: { answers: [{ to: 'p2', result: { from: 'p2' } }, { to: 'p3' }] },
      each: { results: [{ from: 'p4' }, { from: 'p5' }] },
    });
    expect(bench.asked.find((request) => request.to === 'p1')?.task).toEqual({ op: 'files.read', path: '5' });
    expect(JSON.stringify(bench.asked.find((request) => request.to === 'p3')?.task)).toContain('q.files.0.path');
    const places = bench.asked.map((request) => request.place);
    expect(places).toEqual(['one.ask', 'many.ask-0', 'many.ask-1', 'each.0.ask', 'each.1.ask']);
    bench.asked.length = 0;
    await bench.run(task);
    expect(bench.asked.map((request) => request.place)).toEqual(places);
  });
});

describe('question', () => {
  const task = { op: 'question', text: 'Tea or coffee?', options: ['Tea', 'Coffee'] };

  it('asks the operator and gives the answer', async () => {
    bench.operatorAnswer = () => Promise.resolve('Tea');
    expect(await bench.result(task)).toEqual({ answer: 'Tea', isAnswered: true });
    expect(bench.questions).toMatchObject([{ text: 'Tea or coffee?', options: ['Tea', 'Coffee'], place: 'question' }]);
  });

  it('takes "otherwise" when no answer comes in time, and fails without one', async () => {
    bench.operatorAnswer = () => Promise.reject(new TaskFailure('timeout', 'no reply within 5 ms'));
    expect(await bench.result({ ...task, otherwise: 'Water' })).toEqual({ answer: 'Water', isAnswered: false });
    expect(await bench.failure(task)).toMatchObject({ kind: 'timeout' });
  });

  it('does not ask where nobody is to be waited for', async () => {
    expect(await bench.result({ ...task, otherwise: 'Water', waitMs: 0 })).toEqual({ answer: 'Water', isAnswered: false });
    expect(bench.questions).toEqual([]);
    expect(await bench.failure({ ...task, waitMs: 0 })).toMatchObject({ kind: 'input' });
  });

  it('passes on that the operator could not be asked', async () => {
    bench.operatorAnswer = () => Promise.reject(new TaskFailure('ask', 'refused'));
    expect(await bench.failure({ ...task, otherwise: 'Water' })).toMatchObject({ kind: 'ask' });
  });
});
