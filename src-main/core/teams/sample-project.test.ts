import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeSampleProject } from './sample-project.ts';

/** Matchers are `any` by their types. */
const containing = (text: string): string => expect.stringContaining(text) as string;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-sample-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

const git = (...args: string[]): string => execFileSync('git', ['-C', join(dir, 'sample'), ...args], { encoding: 'utf8' }).trim();

it('makes a repository with one commit and a clean tree', async () => {
  await makeSampleProject(join(dir, 'sample'));
  expect(git('log', '--format=%an %s')).toBe('Quarterdeck Start the sample');
  expect(git('status', '--porcelain')).toBe('');
  expect(git('ls-files').split('\n')).toContain('src/cart.ts');
  expect(readdirSync(dir)).toEqual(['sample']);
});

it('takes an empty folder, and leaves one in which something is as it is', async () => {
  mkdirSync(join(dir, 'sample'));
  await makeSampleProject(join(dir, 'sample'));
  writeFileSync(join(dir, 'sample', 'README.md'), 'mine');
  await makeSampleProject(join(dir, 'sample'));
  expect(readFileSync(join(dir, 'sample', 'README.md'), 'utf8')).toBe('mine');
});

it('is made once when several ask at the same time', async () => {
  await Promise.all(Array.from({ length: 4 }, () => makeSampleProject(join(dir, 'sample'))));
  expect(git('rev-list', '--count', 'HEAD')).toBe('1');
  expect(readdirSync(dir)).toEqual(['sample']);
});

it('heeds neither the settings of the operator nor the repository a hook is run in', async () => {
  mkdirSync(join(dir, 'hooks'));
  writeFileSync(join(dir, 'hooks', 'pre-commit'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  writeFileSync(
    join(dir, 'config'),
    `[core]\n\thooksPath = ${join(dir, 'hooks')}\n[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = /bin/false\n`,
  );
  vi.stubEnv('GIT_CONFIG_GLOBAL', join(dir, 'config'));
  vi.stubEnv('GIT_DIR', join(dir, 'elsewhere.git'));
  vi.stubEnv('GIT_INDEX_FILE', join(dir, 'index'));
  await makeSampleProject(join(dir, 'sample'));
  vi.unstubAllEnvs();
  expect(git('rev-list', '--count', 'HEAD')).toBe('1');
  expect(readdirSync(dir).sort()).toEqual(['config', 'hooks', 'sample']);
});

it('leaves nothing half made without git, and makes it when git is there', async () => {
  vi.stubEnv('PATH', join(dir, 'empty'));
  await expect(makeSampleProject(join(dir, 'sample'))).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: containing('git'),
  });
  expect(readdirSync(dir)).toEqual([]);
  vi.unstubAllEnvs();
  await makeSampleProject(join(dir, 'sample'));
  expect(git('rev-list', '--count', 'HEAD')).toBe('1');
});
