import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { TaskBench } from '../testing/task-bench.ts';

let bench: TaskBench;
let outside: string;
beforeEach(async () => {
  bench = await TaskBench.open();
  outside = await mkdtemp(path.join(tmpdir(), 'qd-outside-'));
  await writeFile(path.join(outside, 'secret'), 'secret');
});
afterEach(async () => {
  await bench.dispose();
  await rm(outside, { recursive: true, force: true });
});

describe('files', () => {
  it('writes, reads, hashes, copies, moves, lists and removes', async () => {
    const written = await bench.run({ op: 'files.write', path: 'a/b.txt', content: 'hello' });
    const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    expect(written.result).toEqual({ path: 'a/b.txt', bytes: 5, sha256 });
    expect(written.artefacts).toEqual([{ path: 'a/b.txt', bytes: 5, sha256 }]);
    expect(await bench.result({ op: 'files.read', path: 'a/b.txt' })).toEqual({
      path: 'a/b.txt',
      content: 'hello',
      bytes: 5,
      truncated: false,
    });
    expect(await bench.result({ op: 'files.read', path: 'a/b.txt', maxBytes: 2, encoding: 'base64' })).toMatchObject({
      content: 'aGU=',
      truncated: true,
    });
    expect(await bench.result({ op: 'files.hash', paths: ['a/b.txt'] })).toEqual({
      algorithm: 'sha256',
      files: [{ path: 'a/b.txt', bytes: 5, digest: sha256 }],
    });
    await chmod(bench.at('a/b.txt'), 0o755);
    await bench.result({ op: 'files.copy', from: 'a/b.txt', to: 'c/d.txt' });
    expect((await lstat(bench.at('c/d.txt'))).mode & 0o777).toBe(0o755);
    await bench.result({ op: 'files.move', from: 'a/b.txt', to: 'e.md' });
    expect(await bench.result({ op: 'files.list', globs: ['**/*.txt', '*.md'], ignore: ['e.*'] })).toEqual({
      files: [{ path: 'c/d.txt', bytes: 5 }],
      total: 1,
      truncated: false,
    });
    await bench.result({ op: 'files.remove', path: 'c', recursive: true });
    expect(await readdir(bench.folder)).toEqual(['a', 'e.md']);
  });

  it('writes JSON and bytes, and leaves no half-written files', async () => {
    await bench.result({ op: 'files.write', path: 'x.json', content: { a: [1] } });
    await bench.result({ op: 'files.write', path: 'x.bin', content: 'AAE=', encoding: 'base64' });
    expect(JSON.parse(await readFile(bench.at('x.json'), 'utf8'))).toEqual({ a: [1] });
    expect(await readFile(bench.at('x.bin'))).toEqual(Buffer.from([0, 1]));
    expect(await bench.failure({ op: 'files.write', path: 'x.json/y', content: '' })).toMatchObject({ kind: 'file' });
    expect((await readdir(bench.folder)).sort()).toEqual(['x.bin', 'x.json']);
  });

  it('does not replace or remove without being told to', async () => {
    await writeFile(bench.at('a'), '1');
    await writeFile(bench.at('b'), '2');
    for (const task of [
      { op: 'files.write', path: 'b', content: '', overwrite: false },
      { op: 'files.copy', from: 'a', to: 'b' },
      { op: 'files.move', from: 'a', to: 'b' },
    ]) {
      expect(await bench.failure(task)).toMatchObject({
        kind: 'file',
        message: expect.stringContaining('"b" exists already') as string,
      });
    }
    await mkdir(bench.at('full'));
    await writeFile(bench.at('full/x'), '');
    expect(await bench.failure({ op: 'files.remove', path: 'full' })).toMatchObject({
      kind: 'file',
      message: expect.stringContaining('not empty') as string,
    });
    expect(await bench.failure({ op: 'files.remove', path: 'none' })).toMatchObject({ message: '"none" does not exist' });
    expect(await bench.result({ op: 'files.remove', path: 'none', allowMissing: true })).toMatchObject({ removed: false });
    expect(await readFile(bench.at('b'), 'utf8')).toBe('2');
  });

  it('refuses every path that leads out of the workspace or into .git', async () => {
    await symlink(outside, bench.at('out'));
    await symlink(path.join(outside, 'secret'), bench.at('link'));
    await symlink(path.join(outside, 'not-there'), bench.at('dangling'));
    await mkdir(bench.at('sub'));
    const leading = [
      '../x',
      'sub/../../x',
      '/etc/passwd',
      path.join(outside, 'secret'),
      'out/secret',
      'out/new',
      '.git/config',
      'sub/.GIT/hooks/x',
      '.',
      '',
      'sub/..',
      'a\0b',
    ];
    for (const bad of leading) {
      const tasks = [
        { op: 'files.read', path: bad },
        { op: 'files.write', path: bad, content: 'x' },
        { op: 'files.remove', path: bad, recursive: true },
        { op: 'files.copy', from: bad, to: 'copy' },
        { op: 'files.move', from: bad, to: 'moved' },
        { op: 'files.hash', paths: [bad] },
        { op: 'analyse', files: [bad] },
        { op: 'transform', input: bad, steps: [] },
        { op: 'transform', input: [], steps: [], output: bad },
      ];
      for (const task of tasks) expect(['path', 'invalid-task'], `${task.op} ${bad}`).toContain((await bench.failure(task)).kind);
    }
    expect(await bench.failure({ op: 'files.read', path: 'link' })).toMatchObject({ kind: 'path' });
    expect(await bench.failure({ op: 'files.read', path: 'dangling' })).toMatchObject({ kind: 'file' });
    expect(await bench.failure({ op: 'files.write', path: 'dangling/x', content: '' })).toMatchObject({ kind: 'file' });
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(path.join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  it('replaces and removes a link itself, not what it leads to', async () => {
    await symlink(path.join(outside, 'secret'), bench.at('one'));
    await symlink(outside, bench.at('two'));
    await bench.result({ op: 'files.write', path: 'one', content: 'mine' });
    await bench.result({ op: 'files.move', from: 'two', to: 'three' });
    expect(await readlink(bench.at('three'))).toBe(outside);
    await bench.result({ op: 'files.remove', path: 'three', recursive: true });
    expect(await readFile(bench.at('one'), 'utf8')).toBe('mine');
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(path.join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  it('never writes outside, whatever the path (property)', async () => {
    await symlink(outside, bench.at('out'));
    await mkdir(bench.at('in'));
    const part = fc.constantFrom('..', '.', '', 'in', 'out', 'secret', 'x', '.git', '~', '...');
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 5 }),
        withinTime(async (parts) => {
          const task = { op: 'files.write', path: parts.join('/') || '.', content: 'written' };
          await bench.run(task).catch(() => undefined);
          expect(await readdir(outside)).toEqual(['secret']);
          expect(await readFile(path.join(outside, 'secret'), 'utf8')).toBe('secret');
          expect(
            (await lstat(bench.at('out'))).isSymbolicLink() ||
              parts.filter((name) => name !== '.' && name !== '').join('/') === 'out',
          ).toBe(true);
          // Replacing the link itself is allowed; put it back for the next round.
          await rm(bench.at('out'), { force: true, recursive: true });
          await symlink(outside, bench.at('out'));
          await rm(bench.at('in'), { force: true, recursive: true });
          await mkdir(bench.at('in'));
        }),
      ),
      { numRuns: effort.propertyRuns },
    );
  });
});
