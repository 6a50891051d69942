/** Worktrees and private clones over real git; and that nothing an agent plants in its repository ever runs here. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentWorkspace } from '#shared/workspaces/model.ts';
import { AgentWorkspace as WorkspaceSchema } from '#shared/workspaces/model.ts';
import { branchOf, WorkspaceMaker } from './workspace-maker.ts';

let dir: string;
let project: string;
let scratch: string;
let maker: WorkspaceMaker;
const USER = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** git as an agent or an operator would run it, in a folder. */
function sh(folder: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@localhost', '-c', 'safe.directory=*', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: dir, GIT_CONFIG_NOSYSTEM: '1' },
  }).trim();
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-ws-'));
  project = join(dir, 'project');
  scratch = join(dir, 'scratch');
  for (const path of [project, scratch]) mkdirSync(path);
  sh(project, 'init', '--quiet', '--initial-branch=main');
  writeFileSync(join(project, 'a.txt'), 'one\n');
  writeFileSync(join(project, '.gitignore'), 'ignored\n');
  sh(project, 'add', '.');
  sh(project, 'commit', '--quiet', '-m', 'first');
  maker = new WorkspaceMaker({ env: process.env });
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function make(kind: 'worktree' | 'clone', id = 'ada'): Promise<AgentWorkspace> {
  const folder = join(dir, 'workspaces', id);
  const branch = branchOf(id);
  const base = (await maker.headOf(project)) ?? '';
  if (kind === 'clone') await maker.makeClone(project, folder, branch, base, USER);
  else await maker.makeWorktree(project, folder, branch, base);
  return WorkspaceSchema.parse({
    agentId: id,
    projectId: 'prj_00000000-0000-7000-8000-000000000001',
    kind,
    folder,
    inside: '/workspace',
    branch,
    base,
    createdAt: 1,
  });
}

function commitIn(folder: string, name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  sh(folder, 'add', name);
  sh(folder, 'commit', '--quiet', '-m', `write ${name}`);
  return sh(folder, 'rev-parse', 'HEAD');
}

describe.each(['worktree', 'clone'] as const)('a %s', (kind) => {
  it('holds the project on a branch of its own, and tells what is new there', async () => {
    const workspace = await make(kind);
    expect(readFileSync(join(workspace.folder, 'a.txt'), 'utf8')).toBe('one\n');
    expect(sh(workspace.folder, 'rev-parse', '--abbrev-ref', 'HEAD')).toBe('quarterdeck/ada');
    expect(await maker.stateOf(project, workspace, scratch)).toEqual({ ahead: 0, changedFiles: 0, head: workspace.base });
    const tip = commitIn(workspace.folder, 'b.txt', 'two\n');
    writeFileSync(join(workspace.folder, 'a.txt'), 'changed\n');
    writeFileSync(join(workspace.folder, 'new file'), 'new\n');
    writeFileSync(join(workspace.folder, 'ignored'), 'not counted\n');
    expect(await maker.stateOf(project, workspace, scratch)).toEqual({ ahead: 1, changedFiles: 2, head: tip });
    expect(sh(project, 'status', '--porcelain')).toBe('');
  });

  it('goes on with the branch that an earlier one left', async () => {
    const first = await make(kind);
    const tip = commitIn(first.folder, 'b.txt', 'two\n');
    const fetched = kind === 'clone' ? await maker.fetch(project, first) : undefined;
    expect(fetched?.commit ?? tip).toBe(tip);
    await maker.remove(project, first);
    expect(existsSync(first.folder)).toBe(false);
    const second = await make(kind);
    expect(sh(second.folder, 'rev-parse', 'HEAD')).toBe(tip);
  });

  it('takes the place of what a crash left half made', async () => {
    mkdirSync(join(dir, 'workspaces', 'ada', 'half'), { recursive: true });
    const workspace = await make(kind);
    expect(existsSync(join(workspace.folder, 'half'))).toBe(false);
    expect(existsSync(join(workspace.folder, 'a.txt'))).toBe(true);
  });
});

describe('a private clone', () => {
  it('shares no object, no link and no address with the project', async () => {
    const { folder } = await make('clone');
    expect(existsSync(join(folder, '.git', 'objects', 'info', 'alternates'))).toBe(false);
    expect(sh(folder, 'remote')).toBe('');
    expect(spawnSync('grep', ['-rlF', '--', project, join(folder, '.git')]).status).toBe(1);
  });

  it('hands over commits of its own branch only, and of a rewritten one what is new', async () => {
    const workspace = await make('clone');
    const first = commitIn(workspace.folder, 'b.txt', 'two\n');
    sh(workspace.folder, 'branch', 'other');
    await maker.fetch(project, workspace);
    expect(sh(project, 'branch', '--format=%(refname:short)').split('\n')).toEqual(['main', 'quarterdeck/ada']);
    sh(workspace.folder, 'commit', '--quiet', '--amend', '-m', 'said better');
    sh(workspace.folder, 'pack-refs', '--all');
    sh(workspace.folder, 'gc', '--quiet');
    const second = sh(workspace.folder, 'rev-parse', 'HEAD');
    expect(await maker.fetch(project, workspace)).toMatchObject({ commit: second, commits: 1 });
    expect(sh(project, 'rev-parse', 'quarterdeck/ada')).toBe(second);
    expect(second).not.toBe(first);
    expect(await maker.fetch(project, workspace)).toMatchObject({ commit: second, commits: 0 });
  });
});

describe('what an agent plants in its repository', () => {
  /** Everything here would write this file if git ran it. */
  let ran: string;
  let workspace: AgentWorkspace;

  beforeEach(async () => {
    workspace = await make('clone');
    ran = join(dir, 'ran');
    const script = join(workspace.folder, 'evil.sh');
    writeFileSync(script, `#!/bin/sh\ntouch '${ran}'\ncat\n`);
    chmodSync(script, 0o755);
    const gitDir = join(workspace.folder, '.git');
    mkdirSync(join(gitDir, 'hooks'));
    for (const hook of [
      'post-checkout',
      'pre-commit',
      'post-index-change',
      'reference-transaction',
      'fsmonitor-watchman',
      'pre-auto-gc',
    ])
      writeFileSync(join(gitDir, 'hooks', hook), `#!/bin/sh\ntouch '${ran}'\n`, { mode: 0o755 });
    writeFileSync(
      join(gitDir, 'config'),
      `[core]\n\trepositoryformatversion = 0\n\tfsmonitor = ${script}\n\thooksPath = ${join(gitDir, 'hooks')}\n\tpager = ${script}\n\teditor = ${script}\n\tsshCommand = ${script}\n\talternateRefsCommand = ${script}\n[filter "evil"]\n\tclean = ${script}\n\tsmudge = ${script}\n\tprocess = ${script}\n\trequired = true\n[diff]\n\texternal = ${script}\n[diff "evil"]\n\ttextconv = ${script}\n\tcommand = ${script}\n[merge "evil"]\n\tdriver = ${script}\n[uploadpack]\n\tpackObjectsHook = ${script}\n[gpg]\n\tprogram = ${script}\n[credential]\n\thelper = !${script}\n[include]\n\tpath = ${join(workspace.folder, 'more-config')}\n[alias]\n\tstatus = !${script}\n`,
    );
    writeFileSync(join(workspace.folder, 'more-config'), `[core]\n\tfsmonitor = ${script}\n`);
    writeFileSync(join(workspace.folder, '.gitattributes'), '* filter=evil diff=evil merge=evil\n');
    writeFileSync(
      join(workspace.folder, '.gitmodules'),
      `[submodule "evil"]\n\tpath = evil\n\turl = ext::${script}\n\tupdate = !${script}\n`,
    );
    const nested = join(workspace.folder, 'evil');
    mkdirSync(nested);
    sh(nested, 'init', '--quiet');
    writeFileSync(join(nested, '.git', 'config'), `[core]\n\trepositoryformatversion = 0\n\tfsmonitor = ${script}\n`);
    writeFileSync(join(workspace.folder, 'a.txt'), 'changed\n');
  });

  it('runs when git is run there without care (so this test would notice)', () => {
    const env = { PATH: process.env['PATH'], HOME: dir };
    spawnSync('git', ['-c', 'safe.directory=*', 'status'], { cwd: workspace.folder, env });
    expect(existsSync(ran)).toBe(true);
  });

  it('does not run when the core looks, fetches or removes', async () => {
    const tip = execFileSync('git', ['-C', workspace.folder, '--git-dir', join(workspace.folder, '.git'), 'rev-parse', 'HEAD'], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: dir,
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
      },
    }).trim();
    const state = await maker.stateOf(project, workspace, scratch);
    expect(state).toMatchObject({ ahead: 0, head: tip });
    expect(state.changedFiles).toBeGreaterThanOrEqual(5);
    expect(await maker.fetch(project, workspace)).toMatchObject({ commits: 0 });
    await maker.remove(project, workspace);
    expect(existsSync(ran)).toBe(false);
  });

  it.each([
    [
      'alternates',
      (git: string) =>
        mkdirSync(join(git, 'objects', 'info'), { recursive: true }) ??
        writeFileSync(join(git, 'objects', 'info', 'alternates'), '/somewhere/else\n'),
      /alternates/,
    ],
    [
      'a link for its objects',
      (git: string) => {
        rmSync(join(git, 'objects'), { recursive: true });
        symlinkSync(join(project, '.git', 'objects'), join(git, 'objects'));
      },
      /objects is no folder/,
    ],
    [
      'a link among its packs',
      (git: string) => symlinkSync('/etc/passwd', join(git, 'objects', 'pack', 'pack-1.pack')),
      /pack-1\.pack is no plain file/,
    ],
    [
      'a file for its .git',
      (git: string) => {
        rmSync(git, { recursive: true });
        writeFileSync(git, `gitdir: ${join(project, '.git')}\n`);
      },
      /\.git is no folder/,
    ],
    [
      'a branch that names no commit',
      (git: string) => writeFileSync(join(git, 'refs', 'heads', 'quarterdeck', 'ada'), 'ref: refs/heads/main\n'),
      /does not name a commit/,
    ],
  ])('is refused with the reason: %s', async (_what, plant, reason) => {
    plant(join(workspace.folder, '.git'));
    await expect(maker.fetch(project, workspace)).rejects.toThrow(reason);
    expect(sh(project, 'branch', '--format=%(refname:short)')).toBe('main');
  });

  it('is refused as a commit whose files would lead out of a checkout', async () => {
    // A tree with an entry ".git", made by hand: porcelain would not.
    const bare = { cwd: workspace.folder, encoding: 'utf8' as const };
    rmSync(join(workspace.folder, '.git', 'config'));
    writeFileSync(join(workspace.folder, '.git', 'config'), '[core]\n\trepositoryformatversion = 0\n');
    const run = (input: string | undefined, ...args: string[]): string =>
      execFileSync('git', ['-c', 'safe.directory=*', '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
        ...bare,
        input,
      }).trim();
    const blob = run('evil', 'hash-object', '-w', '--stdin');
    const inner = run(`100644 blob ${blob}\tconfig\n`, 'mktree');
    const tree = run(`040000 tree ${inner}\t.git\n`, 'mktree');
    const commit = run('', 'commit-tree', tree, '-p', 'HEAD', '-m', 'evil');
    writeFileSync(join(workspace.folder, '.git', 'refs', 'heads', 'quarterdeck', 'ada'), `${commit}\n`);
    await expect(maker.fetch(project, workspace)).rejects.toThrow(/were not taken over/);
    expect(sh(project, 'branch', '--format=%(refname:short)')).toBe('main');
  });
});

// Only root can give files away; for others they are theirs.
it.runIf(process.getuid?.() === 0)('gives a clone to the user who works in it', async () => {
  const folder = join(dir, 'workspaces', 'bob');
  await maker.makeClone(project, folder, 'quarterdeck/bob', (await maker.headOf(project)) ?? '', { uid: 1_000, gid: 1_000 });
  for (const path of ['', '.git', '.git/HEAD', 'a.txt']) expect(statSync(join(folder, path)).uid, path).toBe(1_000);
  expect(statSync(join(project, 'a.txt')).uid).toBe(0);
});

it('makes twenty worktrees and removes others, all at once', async () => {
  const old = await Promise.all(Array.from({ length: 5 }, (_, n) => make('worktree', `old-${n}`)));
  const made = Array.from({ length: 20 }, (_, n) => make('worktree', `new-${n}`));
  await Promise.all([...made, ...old.map((workspace) => maker.remove(project, workspace))]);
  for (const { folder } of await Promise.all(made)) expect(existsSync(join(folder, 'a.txt'))).toBe(true);
  expect(sh(project, 'worktree', 'list').split('\n')).toHaveLength(21);
});

it('names branches as git allows', () => {
  for (const id of ['ada', 'a.lock', 'a..b', 'a.', 'a-b_c.d'])
    expect(() => sh(project, 'check-ref-format', '--branch', branchOf(id)), id).not.toThrow();
});
