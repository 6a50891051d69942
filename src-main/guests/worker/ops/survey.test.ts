import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findFiles } from '../find-files.ts';
import { TaskBench } from '../testing/task-bench.ts';

const git = (cwd: string, ...args: string[]) => promisify(execFile)('git', args, { cwd });
let bench: TaskBench;
beforeEach(async () => {
  bench = await TaskBench.open();
});
afterEach(() => bench.dispose());

async function write(file: string, content: string | Buffer = 'x\n'): Promise<void> {
  await mkdir(path.dirname(bench.at(file)), { recursive: true });
  await writeFile(bench.at(file), content);
}

const paths = async (task: object): Promise<unknown> => {
  const { result } = await bench.run({ op: 'inventory', ...task });
  return typeof result === 'object' && result !== null && 'files' in result && Array.isArray(result['files'])
    ? result['files'].map((file) => (typeof file === 'object' && file !== null && 'path' in file ? file['path'] : file))
    : result;
};

describe('inventory', () => {
  it('takes what git lists: tracked and untracked, not ignored, no links, no report.md', async () => {
    await git(bench.folder, 'init', '-q');
    for (const file of ['a.ts', 'sub/b.md', 'report.md', 'out/x', 'gone.ts', '.hidden', 'sub/report.md']) await write(file);
    await write('pic.png', Buffer.from([1, 0]));
    await write('.gitignore', 'out/\n');
    await symlink('a.ts', bench.at('link.ts'));
    await git(bench.folder, 'add', '-A');
    await promisify(execFile)('rm', [bench.at('gone.ts')]);
    await write('new.ts');
    expect(await paths({})).toEqual(['.gitignore', '.hidden', 'a.ts', 'new.ts', 'pic.png', 'sub/b.md', 'sub/report.md']);
    expect(await bench.result({ op: 'inventory', globs: ['*.png', '**/*.md'], ignore: ['sub/r*'] })).toMatchObject({
      source: 'git',
      files: [
        { path: 'pic.png', bytes: 2, language: 'Binary', isBinary: true },
        { path: 'sub/b.md', bytes: 2, language: 'Markdown', isBinary: false },
      ],
      totalFiles: 2,
      totalBytes: 4,
    });
  });

  it('walks a folder that is no repository, past dependencies and hidden caches', async () => {
    for (const file of ['a.ts', 'node_modules/x/i.js', '.cache/x', 'sub/.pytest_cache/x', '.config/x', 'sub/b'])
      await write(file);
    expect(await paths({})).toEqual(['.config/x', 'a.ts', 'sub/b']);
  });

  it('walks a folder that a repository around it ignores', async () => {
    await git(bench.folder, 'init', '-q');
    await write('.gitignore', 'work/\n');
    await write('work/a.ts');
    const inner = await TaskBench.open();
    try {
      await promisify(execFile)('cp', ['-r', `${bench.folder}/.`, inner.folder]);
      // The executor's workspace is the inner folder of a repository.
      expect(
        await findFiles(path.join(inner.folder, 'work'), { maxFiles: 10, signal: new AbortController().signal }),
      ).toMatchObject({ source: 'walk', files: [{ path: 'a.ts' }] });
    } finally {
      await inner.dispose();
    }
  });

  it('does not run programs that the repository configures', async () => {
    await git(bench.folder, 'init', '-q');
    await write('a.ts');
    await git(bench.folder, 'config', 'core.fsmonitor', `touch ${bench.at('pwned')}; false`);
    await paths({});
    expect(await paths({})).toEqual(['a.ts']);
  });

  it('says when there are more files than allowed', async () => {
    for (const file of ['a', 'b', 'c']) await write(file);
    expect(await bench.failure({ op: 'inventory', maxFiles: 2 })).toMatchObject({
      kind: 'too-large',
      message: expect.stringContaining('3 files') as string,
    });
  });
});

describe('the survey alone', () => {
  const survey = (steps: object[] = []) => ({
    op: 'pipeline',
    steps: [
      { name: 'inventory', op: 'inventory' },
      { name: 'split', op: 'split', files: { $ref: 'inventory.files' }, parts: 3 },
      { name: 'analyse', op: 'batch', items: { $ref: 'split.shares' }, task: { op: 'analyse', files: { $item: 'files' } } },
      { name: 'merge', op: 'merge', reports: { $ref: 'analyse.results' } },
      ...steps,
    ],
  });

  it('needs no peers, and lists what went away meanwhile', async () => {
    for (const file of ['a.ts', 'b.ts']) await write(file, `${file}\n`);
    expect(await bench.result(survey())).toMatchObject({
      merge: { totals: { files: 2, lines: 2 }, analysts: [{ analyst: 'bench' }, {}, {}] },
    });
    expect(await bench.result({ op: 'analyse', files: ['a.ts', 'none.ts'] })).toMatchObject({
      files: [{ path: 'a.ts' }],
      missing: ['none.ts'],
    });
  });

  it('replaces its own page, and no other without being told to', async () => {
    await write('a.ts');
    const report = { name: 'report', op: 'report', survey: { $ref: 'merge' } };
    const first = await bench.run(survey([report]));
    expect(first.artefacts.map((artefact) => artefact.path)).toEqual(['report.md']);
    const page = await readFile(bench.at('report.md'), 'utf8');
    await bench.run(survey([report]));
    expect((await readFile(bench.at('report.md'), 'utf8')).replace(/\d+ \|\n/g, '')).toBe(page.replace(/\d+ \|\n/g, ''));
    await write('report.md', 'My own notes');
    expect(await bench.failure(survey([report]))).toMatchObject({ kind: 'file', step: 'report' });
    expect(await readFile(bench.at('report.md'), 'utf8')).toBe('My own notes');
    await bench.run(survey([{ ...report, overwrite: true }]));
    expect(await readFile(bench.at('report.md'), 'utf8')).toContain('# Survey of the workspace');
  });
});
