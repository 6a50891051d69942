import { mkdir, readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TaskBench } from '../testing/task-bench.ts';
import { isAlive, until } from '../testing/worker-process.ts';

let bench: TaskBench;
beforeEach(async () => {
  bench = await TaskBench.open();
});
afterEach(() => bench.dispose());

describe('run', () => {
  it('runs a program without a shell, and a text with one', async () => {
    expect(await bench.result({ op: 'run', command: ['printf', '%s', '$HOME `x` *'] })).toMatchObject({
      exitCode: 0,
      signal: null,
      stdout: '$HOME `x` *',
      stderr: '',
      truncated: false,
    });
    expect(await bench.result({ op: 'run', command: 'echo $((1 + 2)); echo oops >&2' })).toMatchObject({
      stdout: '3\n',
      stderr: 'oops\n',
    });
    expect(bench.output).toContain('oops');
  });

  it('gives it input, environment and a folder of the workspace', async () => {
    await mkdir(bench.at('sub'));
    expect(
      await bench.result({ op: 'run', command: 'cat; echo $X; basename "$PWD"', stdin: 'in\n', env: { X: 'set' }, cwd: 'sub' }),
    ).toMatchObject({ stdout: 'in\nset\nsub\n' });
    expect(await bench.failure({ op: 'run', command: 'true', cwd: '..' })).toMatchObject({ kind: 'path' });
  });

  it('does not mind a command that leaves its input unread', async () => {
    expect(await bench.result({ op: 'run', command: 'true', stdin: 'x'.repeat(1_000_000) })).toMatchObject({ exitCode: 0 });
  });

  it('fails with the exit code and the last line of the errors, unless that is allowed', async () => {
    const failure = await bench.failure({ op: 'run', command: 'echo first >&2; echo why >&2; exit 3' });
    expect(failure).toMatchObject({ kind: 'exit', detail: { exitCode: 3, stderr: 'first\nwhy\n' } });
    expect(failure.message).toContain('exited with code 3: why');
    expect(await bench.result({ op: 'run', command: 'exit 3', allowFailure: true })).toMatchObject({ exitCode: 3 });
    expect(await bench.failure({ op: 'run', command: 'kill -9 $$' })).toMatchObject({
      kind: 'exit',
      detail: { exitCode: null, signal: 'SIGKILL' },
    });
  });

  it('says what cannot be started', async () => {
    expect(await bench.failure({ op: 'run', command: ['no-such-program'] })).toMatchObject({
      kind: 'spawn',
      message: '"no-such-program" is not found',
    });
  });

  it('keeps the end of a long output and says so', async () => {
    const result = await bench.result({ op: 'run', command: 'seq 1 20000', maxOutputBytes: 1000 });
    expect(result).toMatchObject({ truncated: true, stdout: expect.stringMatching(/19999\n20000\n$/) as string });
    expect(bench.output.startsWith('1\n2\n')).toBe(true);
  });

  it('ends a command that takes too long, with everything that it started', async () => {
    const failure = await bench.failure({ op: 'run', command: 'sleep 60 & echo $! > pid; wait', timeoutMs: 200 });
    expect(failure).toMatchObject({ kind: 'timeout' });
    const pid = Number(await readFile(bench.at('pid'), 'utf8'));
    await until(
      () => !isAlive(pid),
      () => 'the background process lives on',
    );
  });

  it('ends what a command leaves in the background', async () => {
    expect(await bench.result({ op: 'run', command: 'sleep 60 & echo $! > pid' })).toMatchObject({ exitCode: 0 });
    const pid = Number(await readFile(bench.at('pid'), 'utf8'));
    await until(
      () => !isAlive(pid),
      () => 'the background process lives on',
    );
  });

  it('ends when the task is stopped, with the reason for it', async () => {
    const stop = new AbortController();
    const run = bench.run({ op: 'run', command: 'echo started; sleep 60' }, stop.signal);
    await until(
      () => bench.output.includes('started'),
      () => bench.output,
    );
    stop.abort(new Error('stopped by the test'));
    await expect(run).rejects.toThrow('stopped by the test');
  });
});
