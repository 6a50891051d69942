/**
 * Makes the folders that agents work in, each on a branch of its own: a git worktree of the project for an agent on the host,
 * a private clone without alternates for one in a box. Git runs here in the operator's own repository only; what an agent
 * could have written is read as data (`agent-objects.ts`).
 */
import { randomUUID } from 'node:crypto';
import { chown, lchown, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentWorkspace, WorkspaceKind } from '#shared/workspaces/model.ts';
import { KeyedMutex } from '#core/agents/keyed-mutex.ts';
import { readAgentRepository } from './agent-objects.ts';
import { git, GitError, runGit } from './git.ts';

/** What the project does not have of a branch. */
export interface BranchState {
  readonly ahead: number;
  readonly changedFiles: number;
  readonly head: string | null;
}

/** A commit that was brought into the project. */
export interface Fetched {
  readonly branch: string;
  readonly commit: string;
  readonly commits: number;
}

/** Branches of agents; the name of an agent is a valid part of a branch but for the endings git forbids. */
export function branchOf(agentId: string): string {
  return `quarterdeck/${agentId.replaceAll('..', '-').replace(/(\.lock|\.)$/, '-')}`;
}

/** Makes, reads and removes workspaces. Without state: what is there is told by rows elsewhere. */
export class WorkspaceMaker {
  readonly #env: NodeJS.ProcessEnv;
  readonly #turns = new KeyedMutex<string>();

  constructor(options: { env: NodeJS.ProcessEnv }) {
    this.#env = options.env;
  }

  /** The commit that the project has checked out; undefined when it has none yet, or is no repository. */
  async headOf(project: string): Promise<string | undefined> {
    return git(this.#env, { cwd: project }, 'rev-parse', '--verify', '--quiet', 'HEAD^{commit}').catch((error: unknown) => {
      if (error instanceof GitError) return undefined;
      throw error;
    });
  }

  /** Makes a worktree in `folder`, on the agent's branch, which is made from `base` when it is new. */
  makeWorktree(project: string, folder: string, branch: string, base: string): Promise<void> {
    return this.#inTurn(project, async () => {
      await this.#clear(project, folder);
      const add = (await this.#hasBranch(project, branch)) ? [folder, branch] : ['-b', branch, folder, base];
      await this.#made(folder, git(this.#env, { cwd: project }, 'worktree', 'add', '--quiet', ...add));
    });
  }

  /** Makes a private clone in `folder`: its own objects, no remote, the agent's branch checked out, owned by `user`. */
  async makeClone(
    project: string,
    folder: string,
    branch: string,
    base: string,
    user: { readonly uid: number; readonly gid: number },
  ): Promise<void> {
    await this.#inTurn(project, () => this.#clear(project, folder));
    const tip = (await this.#hasBranch(project, branch)) ? `refs/heads/${branch}` : base;
    const gitDir = join(folder, '.git');
    const make = async (): Promise<void> => {
      await git(this.#env, { cwd: project }, 'init', '--quiet', `--initial-branch=${branch}`, folder);
      // Objects are handed over as one pack: no alternates, no links to the project's files, and no trace of where it is.
      const commits = await runGit(
        this.#env,
        { cwd: project, input: `${tip}\n` },
        'pack-objects',
        '--revs',
        '--stdout',
        '--quiet',
      );
      await git(this.#env, { cwd: folder, gitDir, input: commits }, 'index-pack', '--stdin', '--fix-thin');
      const commit = await git(this.#env, { cwd: project }, 'rev-parse', '--verify', `${tip}^{commit}`);
      await git(this.#env, { cwd: folder, gitDir, workTree: folder }, 'reset', '--quiet', '--hard', commit);
      await own(folder, user);
    };
    await this.#made(folder, make());
  }

  /** What is new in a workspace. Never runs git in a repository that an agent can write. */
  async stateOf(project: string, workspace: AgentWorkspace, scratch: string): Promise<BranchState> {
    const branch = workspace.branch ?? '';
    const source = await this.#sourceOf(project, workspace, branch);
    if (source.tip === undefined || workspace.base === null) return { ahead: 0, changedFiles: 0, head: source.tip ?? null };
    // A repository of nobody's, without a setting: the project's could name filters, which an agent's attributes would start.
    const gitDir = join(scratch, 'empty.git');
    await git(this.#env, { cwd: scratch }, 'init', '--quiet', '--bare', gitDir);
    const projectObjects = join(await this.#ownGitDir(project), 'objects');
    const call = { cwd: workspace.folder, gitDir, alternates: [projectObjects, ...source.alternates] };
    const ahead = Number(await git(this.#env, call, 'rev-list', '--count', `${workspace.base}..${source.tip}`));
    const indexFile = join(scratch, `index-${workspace.agentId}-${randomUUID()}`);
    try {
      const inTree = { ...call, workTree: workspace.folder, indexFile };
      await git(this.#env, inTree, 'read-tree', source.tip);
      // Exits with 1 when a file differs, which is what is asked next.
      await git(this.#env, inTree, 'update-index', '-q', '--refresh').catch(() => undefined);
      const changed = await git(this.#env, inTree, 'diff-files', '--name-only', '-z', '--ignore-submodules=all');
      const others = await git(this.#env, inTree, 'ls-files', '-z', '--others', '--exclude-standard');
      return { ahead, changedFiles: namesIn(changed) + namesIn(others), head: source.tip };
    } finally {
      await rm(indexFile, { force: true });
    }
  }

  /** Brings the commits of a clone's branch into the project, under the same branch. */
  async fetch(project: string, workspace: AgentWorkspace): Promise<Fetched> {
    const branch = workspace.branch ?? '';
    const { objects, tip } = await readAgentRepository(workspace.folder, branch);
    if (tip === undefined)
      throw new AppError('CONFLICT', `The agent's repository has no branch ${branch} any more.`, { data: { branch } });
    const before = (await this.#hasBranch(project, branch))
      ? await git(this.#env, { cwd: project }, 'rev-parse', '--verify', `refs/heads/${branch}`)
      : (workspace.base ?? tip);
    const gitDir = await this.#ownGitDir(project);
    const reading = { cwd: project, gitDir, alternates: [objects] };
    try {
      const commits = Number(await git(this.#env, reading, 'rev-list', '--count', `${before}..${tip}`));
      const known = (await git(this.#env, { cwd: project, gitDir }, 'for-each-ref', '--format=%(objectname)', 'refs/heads'))
        .split('\n')
        .filter((commit) => commit !== '');
      const pack = await runGit(
        this.#env,
        { ...reading, input: [tip, ...known.map((commit) => `^${commit}`), ''].join('\n') },
        ...['pack-objects', '--revs', '--stdout', '--quiet', '--thin'],
      );
      // `--strict` looks at every object: names such as ".git" in a tree, submodules with odd addresses.
      await git(this.#env, { cwd: project, gitDir, input: pack }, 'index-pack', '--stdin', '--fix-thin', '--strict');
      await git(
        this.#env,
        { cwd: project, gitDir },
        'update-ref',
        '-m',
        'fetched from a contained agent',
        `refs/heads/${branch}`,
        tip,
      );
      return { branch, commit: tip, commits };
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      throw new AppError(
        'CONFLICT',
        `The commits of ${branch} were not taken over: ${error.message}. Nothing in the project was changed.`,
        { cause: error, retryable: false, data: { branch } },
      );
    }
  }

  /** Removes a workspace's folder. Its branch stays in the project. */
  remove(project: string, workspace: AgentWorkspace): Promise<void> {
    return this.#inTurn(project, () => this.#clear(project, workspace.folder));
  }

  /** Two that make or prune worktrees of one project at once read what the other has half written, and fail. */
  #inTurn(project: string, task: () => Promise<void>): Promise<void> {
    return this.#turns.run(project, task);
  }

  /** A folder must be free before one is made there: what an earlier try left goes, with the project's note of it. */
  async #clear(project: string, folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    await git(this.#env, { cwd: project }, 'worktree', 'prune');
    await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  }

  async #made(folder: string, making: Promise<unknown>): Promise<void> {
    try {
      await making;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      if (error instanceof AppError) throw error;
      throw new AppError('UNAVAILABLE', `The workspace ${folder} could not be made: ${messageOf(error)}`, {
        cause: error,
        retryable: false,
        data: { folder },
      });
    }
  }

  async #hasBranch(project: string, branch: string): Promise<boolean> {
    return git(this.#env, { cwd: project }, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`).then(
      () => true,
      (error: unknown) => {
        if (error instanceof GitError) return false;
        throw error;
      },
    );
  }

  /** The operator's own repository: where its objects and references are. No agent's folder is asked. */
  #ownGitDir(project: string): Promise<string> {
    return git(this.#env, { cwd: project }, 'rev-parse', '--path-format=absolute', '--git-common-dir');
  }

  async #sourceOf(
    project: string,
    workspace: AgentWorkspace,
    branch: string,
  ): Promise<{ alternates: string[]; tip: string | undefined }> {
    if (workspace.kind === 'clone') {
      const { objects, tip } = await readAgentRepository(workspace.folder, branch);
      return { alternates: [objects], tip };
    }
    const tip = await git(this.#env, { cwd: project }, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`).catch(
      () => undefined,
    );
    return { alternates: [], tip };
  }
}

function namesIn(list: string): number {
  return list.split('\0').filter((name) => name !== '').length;
}

/** Which kind of workspace an agent gets. */
export function kindOf(wish: { mode: 'own' | 'shared'; isBoxed: boolean }): WorkspaceKind {
  if (wish.mode === 'shared') return 'shared';
  return wish.isBoxed ? 'clone' : 'worktree';
}

/** Gives a folder with all that is in it to a user. Links are given, not followed. Only root can; for others it is theirs already. */
async function own(folder: string, user: { readonly uid: number; readonly gid: number }): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await lchown(folder, user.uid, user.gid);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
    await lchown(join(entry.parentPath, entry.name), user.uid, user.gid);
}

/** Whose a folder is. */
export async function ownerOf(folder: string): Promise<{ uid: number; gid: number }> {
  const { uid, gid } = await lstat(folder);
  return { uid, gid };
}

/** Gives one folder of the product's own to the user who works in it. */
export async function giveFolder(folder: string, user: { readonly uid: number; readonly gid: number }): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (process.getuid?.() === 0) await chown(folder, user.uid, user.gid);
}
