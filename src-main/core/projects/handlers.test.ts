import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CORE } from '#core/caller.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { explainFolderError } from './browse-folders.ts';
import { projectsHandlers } from './handlers.ts';
import { ProjectsService } from './projects-service.ts';

/** Matchers are `any` by their types. */
const containing = (text: string): string => expect.stringContaining(text) as string;
const call = { caller: CORE, signal: new AbortController().signal };

let test: TestStore;
let dir: string;
let env: NodeJS.ProcessEnv;
let handlers: ReturnType<typeof projectsHandlers>;

beforeEach(() => {
  test = openTestStore();
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'qd-folders-')));
  mkdirSync(join(dir, 'home'));
  env = { PATH: process.env['PATH'], HOME: join(dir, 'home') };
  const projects = new ProjectsService({ store: test.store });
  projects.open();
  handlers = projectsHandlers(projects, env);
});
afterEach(async () => {
  await test.dispose();
  rmSync(dir, { recursive: true, force: true });
});

function folder(...names: string[]): string {
  const path = join(dir, ...names);
  mkdirSync(path, { recursive: true });
  return path;
}

describe('looking for a folder', () => {
  it('lists folders only, as people sort them, hidden ones last, and says which are repositories', async () => {
    for (const name of ['v10', 'v9', '.hidden', 'Shop', 'repository/.git', 'worktree']) folder('work', name);
    writeFileSync(join(dir, 'work', 'worktree', '.git'), 'gitdir: elsewhere');
    writeFileSync(join(dir, 'work', 'file.txt'), '');
    symlinkSync(join(dir, 'work', 'Shop'), join(dir, 'work', 'link'));
    symlinkSync(join(dir, 'nowhere'), join(dir, 'work', 'dangling'));
    symlinkSync(join(dir, 'work', 'file.txt'), join(dir, 'work', 'to-a-file'));
    const listing = await handlers.browse({ path: join(dir, 'work') }, call);
    expect(listing.folders.map(({ name }) => name)).toEqual(['link', 'repository', 'Shop', 'v9', 'v10', 'worktree', '.hidden']);
    expect(listing.folders.filter((one) => one.isGitRepository).map(({ name }) => name)).toEqual(['repository', 'worktree']);
    expect(listing).toMatchObject({ path: join(dir, 'work'), parent: dir, isGitRepository: false, isCut: false });
    expect(listing.folders[1]?.path).toBe(join(dir, 'work', 'repository'));
    expect(await handlers.browse({ path: join(dir, 'work', 'repository') }, call)).toMatchObject({ isGitRepository: true });
  });

  it('starts at home, follows links, and ends at the root', async () => {
    expect((await handlers.browse({}, call)).path).toBe(realpathSync(homedir()));
    symlinkSync(folder('far', 'away'), join(dir, 'near'));
    expect(await handlers.browse({ path: join(dir, 'near') }, call)).toMatchObject({
      path: join(dir, 'far', 'away'),
      parent: join(dir, 'far'),
    });
    expect(await handlers.browse({ path: '/' }, call)).toMatchObject({ path: '/', parent: null });
  });

  it('lists no more than people look through, and says that there are more', async () => {
    for (let n = 0; n < 510; n += 1) folder('many', `f${n}`);
    const { folders, isCut } = await handlers.browse({ path: join(dir, 'many') }, call);
    expect([folders.length, isCut, folders[0]?.name, folders[2]?.name]).toEqual([500, true, 'f0', 'f2']);
  });

  it('says what is wrong and what to do', async () => {
    writeFileSync(join(dir, 'file'), '');
    symlinkSync(join(dir, 'round'), join(dir, 'round'));
    const complaints: [string, string, string][] = [
      ['work', 'BAD_REQUEST', 'absolute'],
      [join(dir, 'nowhere'), 'NOT_FOUND', 'Go up'],
      [join(dir, 'file'), 'BAD_REQUEST', 'not a folder'],
      [join(dir, 'file', 'below'), 'BAD_REQUEST', 'not a folder'],
      [join(dir, 'round'), 'BAD_REQUEST', 'Name another'],
      [`/${'x'.repeat(4_000)}`, 'BAD_REQUEST', 'Name another'],
      ['/nul\0byte', 'BAD_REQUEST', 'Name another'],
    ];
    for (const [path, code, message] of complaints)
      await expect(handlers.browse({ path }, call), path.slice(0, 60)).rejects.toMatchObject({
        code,
        message: containing(message),
        data: { field: 'path' },
      });
  });

  it('says so where it may not look', () => {
    // Whoever runs the tests may look everywhere: root can.
    for (const code of ['EACCES', 'EPERM'])
      expect(explainFolderError(Object.assign(new Error(code), { code }), '/closed')).toMatchObject({
        code: 'FORBIDDEN',
        message: containing('permission'),
        data: { field: 'path', folder: '/closed' },
      });
    const other = new Error('anything else');
    expect(explainFolderError(other, '/closed')).toBe(other);
  });
});

describe('opening with initGit', () => {
  it('makes a repository, on the branch that the operator likes, without anything of their hooks', async () => {
    const hooks = folder('hooks');
    writeFileSync(join(hooks, 'post-checkout'), `#!/bin/sh\ntouch ${dir}/hook-ran\n`, { mode: 0o755 });
    folder('template', 'hooks');
    writeFileSync(join(dir, 'template', 'hooks', 'pre-commit'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    writeFileSync(
      join(dir, 'home', '.gitconfig'),
      `[init]\n\tdefaultBranch = trunk\n\ttemplateDir = ${dir}/template\n[core]\n\thooksPath = ${hooks}\n`,
    );
    const project = await handlers.open({ folder: folder('shop'), initGit: true }, call);
    expect(project).toMatchObject({ isGitRepository: true, folder: join(dir, 'shop') });
    const branch = execFileSync('git', ['symbolic-ref', '--short', 'HEAD'], { cwd: join(dir, 'shop'), encoding: 'utf8' });
    expect(branch.trim()).toBe('trunk');
    expect(existsSync(join(dir, 'shop', '.git', 'hooks'))).toBe(false);
    expect(readdirSync(dir)).not.toContain('hook-ran');
  });

  it('begins with main where the operator named no branch, and leaves a repository as it is', async () => {
    await handlers.open({ folder: folder('shop'), initGit: true }, call);
    const head = join(dir, 'shop', '.git', 'HEAD');
    expect(execFileSync('cat', [head], { encoding: 'utf8' })).toBe('ref: refs/heads/main\n');
    writeFileSync(head, 'ref: refs/heads/other\n');
    const again = await handlers.open({ folder: join(dir, 'shop'), initGit: true }, call);
    expect(again).toMatchObject({ isGitRepository: true });
    expect(execFileSync('cat', [head], { encoding: 'utf8' })).toBe('ref: refs/heads/other\n');
  });

  it('is not led astray by the environment of a git hook', async () => {
    const other = folder('other');
    Object.assign(env, { GIT_DIR: join(other, '.git'), GIT_WORK_TREE: other });
    await handlers.open({ folder: folder('shop'), initGit: true }, call);
    expect([existsSync(join(dir, 'shop', '.git')), existsSync(join(other, '.git'))]).toEqual([true, false]);
  });

  it('makes none inside another, none where there is no folder, and opens nothing then', async () => {
    folder('outer', '.git');
    await expect(handlers.open({ folder: folder('outer', 'a', 'b'), initGit: true }, call)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: containing(join(dir, 'outer')),
    });
    await expect(handlers.open({ folder: join(dir, 'missing'), initGit: true }, call)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: containing('Create it first'),
    });
    expect((await handlers.list({}, call)).projects).toEqual([]);
    // Without it the folder inside may be opened.
    expect(await handlers.open({ folder: join(dir, 'outer', 'a'), initGit: false }, call)).toMatchObject({
      isGitRepository: false,
    });
  });

  it('says so when git is not there, or fails', async () => {
    env['PATH'] = folder('empty');
    await expect(handlers.open({ folder: folder('shop'), initGit: true }, call)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: containing('quarterdeck doctor'),
    });
    writeFileSync(join(dir, 'empty', 'git'), '#!/bin/sh\necho "fatal: disk full" >&2; exit 128\n', { mode: 0o755 });
    await expect(handlers.open({ folder: join(dir, 'shop'), initGit: true }, call)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: containing('disk full'),
    });
  });
});
