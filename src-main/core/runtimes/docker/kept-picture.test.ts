import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removeFolder, scratchFolder } from '../testing/support.ts';
import { KeptPicture } from './kept-picture.ts';

let folder: string;
let said: string[];
const picture = new Map([['main', { lines: ['\u001b[31mred\u001b[0m'], size: { cols: 80, rows: 24 }, cursor: { x: 3, y: 0 } }]]);
const keptOf = (runId: string, path = join(folder, 'ada', 'paused-screen.json')): KeptPicture =>
  new KeptPicture({ path, runId, log: (message) => said.push(message) });

beforeEach(() => {
  folder = scratchFolder();
  said = [];
});
afterEach(() => removeFolder(folder));

it('is there for the next core, for the same run, until it is removed; for its owner alone', async () => {
  await keptOf('run_1').save(picture);
  expect(await keptOf('run_1').load()).toEqual(picture);
  expect(await keptOf('run_2').load()).toBeUndefined();
  expect(statSync(join(folder, 'ada', 'paused-screen.json')).mode & 0o777).toBe(0o600);
  await keptOf('run_1').remove();
  await keptOf('run_1').remove();
  expect(await keptOf('run_1').load()).toBeUndefined();
});

it('is none where the file is damaged or cannot be written, and nothing fails for that', async () => {
  const path = join(folder, 'broken.json');
  writeFileSync(path, '{"runId":"run_1"');
  expect(await keptOf('run_1', path).load()).toBeUndefined();
  mkdirSync(join(folder, 'taken'));
  writeFileSync(join(folder, 'file'), '');
  await keptOf('run_1', join(folder, 'file', 'x.json')).save(picture);
  expect(said).toEqual(['What a paused terminal showed could not be kept']);
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('');
});
