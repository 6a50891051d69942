import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseTemplate, Templates } from './templates.ts';

/** Matchers are `any` by their types. */
const containing = (text: string): string => expect.stringContaining(text) as string;

let dir: string;
let templates: Templates;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-templates-'));
  for (const name of ['built-in', 'own']) mkdirSync(join(dir, name));
  templates = new Templates({ builtInDir: join(dir, 'built-in'), ownDir: join(dir, 'own') });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const put = (folder: 'built-in' | 'own', file: string, text: string): void => writeFileSync(join(dir, folder, file), text);
const template = (name: string, title: string): string => `name: ${name}\ntitle: ${title}\nagent: {type: worker}\n`;

describe('templates', () => {
  it('are listed by name, and own ones win over those that came along', async () => {
    put('built-in', 'b.yaml', template('batch', 'Built in'));
    put('built-in', 'a.yml', template('again', 'Built in'));
    put('own', 'mine.yaml', template('batch', 'Mine'));
    put('own', 'notes.txt', 'no template');
    const { templates: found, problems } = await templates.list();
    expect(found.map(({ name, title, source }) => [name, title, source])).toEqual([
      ['again', 'Built in', 'built-in'],
      ['batch', 'Mine', 'data-folder'],
    ]);
    expect(problems).toEqual([]);
    expect(await templates.get('batch')).toMatchObject({ title: 'Mine' });
  });

  it('that cannot be read are told with their file and what is wrong, and hide no other', async () => {
    put('built-in', 'good.yaml', template('good', 'Good'));
    put('own', 'broken.yaml', 'name: [x');
    put('own', 'field.yaml', 'name: x\ntitle: X\nagent: {type: robot}');
    put('own', 'empty.yaml', '');
    put('own', 'huge.yaml', `name: x # ${'x'.repeat(300_000)}`);
    put('own', 'unknown.yaml', 'name: x\ntitle: X\nagent: {type: worker, id: fixed}');
    mkdirSync(join(dir, 'own', 'folder.yaml'));
    const { templates: found, problems } = await templates.list();
    expect(found.map(({ name }) => name)).toEqual(['good']);
    const byFile = Object.fromEntries(problems.map(({ file, problem }) => [file.slice(join(dir, 'own').length + 1), problem]));
    expect(byFile).toEqual({
      'broken.yaml': containing('is not YAML'),
      'field.yaml': containing('agent.type'),
      'empty.yaml': containing('expected object'),
      'huge.yaml': containing('262144'),
      'unknown.yaml': containing('id'),
      'folder.yaml': containing('EISDIR'),
    });
  });

  it('are none where there is no folder, and a missing one is named with those that there are', async () => {
    put('built-in', 'a.yaml', template('alpha', 'A'));
    const none = new Templates({ builtInDir: join(dir, 'no'), ownDir: join(dir, 'where') });
    expect(await none.list()).toEqual({ templates: [], problems: [] });
    await expect(templates.get('beta')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: containing('There are: alpha.'),
    });
    await expect(none.get('beta')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: containing('There are none'),
    });
  });

  it('may be edited while the core runs', async () => {
    put('own', 'a.yaml', template('a', 'Before'));
    await templates.list();
    put('own', 'a.yaml', template('a', 'After'));
    expect(await templates.get('a')).toMatchObject({ title: 'After' });
  });
});

it('refuses aliases that would blow up, at once', () => {
  const levels = Array.from(
    { length: 20 },
    (_, level) => `l${level}: &l${level} [${Array.from({ length: 9 }, () => (level === 0 ? 'x' : `*l${level - 1}`)).join(', ')}]`,
  );
  expect(() => parseTemplate(levels.join('\n'))).toThrow(/is not YAML/);
});

it('refuses what is nested without end', () => {
  expect(() => parseTemplate(`{"name": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`)).toThrow(/YAML|name/);
});
