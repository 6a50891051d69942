import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { surveyFacts } from './facts.ts';

const run = promisify(execFile);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qd-facts-'));
  await run('git', ['init', '-q'], { cwd: folder });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(file: string, content: string | Buffer): Promise<void> {
  await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
  await writeFile(path.join(folder, file), content);
}

it('counts a small repository as it can be counted by hand', async () => {
  const block = ['one();', 'two();', '', '}', 'three();', 'four();', 'five();', 'six();', 'seven();'].join('\n');
  await write('a.ts', `// TODO first\n${block}\n`);
  await write('src/ü b.ts', `${block}\nlast FIXME TODO`);
  await write('empty.md', '');
  await write('blank.md', ' \t\r\n\n');
  await write('pic.bin', Buffer.from([1, 0, 2]));
  await write('ignored.log', 'TODO\n');
  await write('.gitignore', '*.log\n');
  await write('report.md', 'TODO\n');
  await write('TODOS.txt', 'TODOS\n');
  await symlink('a.ts', path.join(folder, 'link.ts'));
  await run('git', ['add', 'a.ts', 'empty.md'], { cwd: folder });

  const facts = await surveyFacts(folder);
  expect(facts.files).toBe(7);
  expect(facts.lines).toBe(10 + 10 + 0 + 2 + 0 + 1 + 1);
  expect(facts.blank).toBe(1 + 1 + 2);
  expect(facts.todos).toEqual(['a.ts:1:TODO', 'src/ü b.ts:10:FIXME']);
  expect(facts.languages.get('TypeScript')).toEqual({ files: 2, bytes: 72 + 73, lines: 20, blank: 2 });
  expect(facts.languages.get('Markdown')).toMatchObject({ files: 2, lines: 2, blank: 2 });
  expect(facts.languages.get('Binary')).toEqual({ files: 1, bytes: 3, lines: 0, blank: 0 });
  expect(facts.largest.slice(0, 2)).toEqual(['src/ü b.ts:73', 'a.ts:72']);
  expect(facts).toMatchObject({ duplicateBlocks: 1, duplicateLines: 14 });
});

it('does not take a run of equal lines for a duplicate of itself, but finds it twice', async () => {
  await write('short.txt', 'same\n'.repeat(11));
  expect(await surveyFacts(folder)).toMatchObject({ duplicateBlocks: 0, duplicateLines: 0 });
  await write('long.txt', 'same\n'.repeat(12));
  expect(await surveyFacts(folder)).toMatchObject({ duplicateBlocks: 1, duplicateLines: 18 });
});
