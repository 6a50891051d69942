/** Making a folder a git repository, as the operator's own settings have it. */
import { dirname, join } from 'node:path';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { git, GitError } from '#core/workspaces/git.ts';
import { hasGit } from './browse-folders.ts';

/** Where the operator's own settings name no branch. */
const DEFAULT_BRANCH = 'main';

/** The folder above `folder` that is a git repository, if it lies within one. */
async function repositoryAbove(folder: string): Promise<string | undefined> {
  for (let at = folder; dirname(at) !== at;) {
    at = dirname(at);
    if (await hasGit(at)) return at;
  }
  return undefined;
}

/**
 * Makes a folder a git repository, without a commit; one that is one already stays as it is. `folder` is absolute and there,
 * links resolved. CONFLICT when it lies within another repository, UNAVAILABLE when git is not there or cannot do it.
 */
export async function initRepository(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (await hasGit(folder)) return;
  const above = await repositoryAbove(folder);
  if (above !== undefined)
    throw new AppError(
      'CONFLICT',
      `"${folder}" lies within the git repository ${above}: a repository in a repository would be left out of it. Open that one, or open this folder without initGit.`,
      { data: { field: 'initGit', folder, repository: above } },
    );
  try {
    const branch = await git(env, { cwd: folder, isOperators: true }, 'config', '--get', 'init.defaultBranch').catch(() => '');
    await git(env, { cwd: folder, isOperators: true }, 'init', '--quiet', `--initial-branch=${branch || DEFAULT_BRANCH}`);
  } catch (error) {
    throw new AppError('UNAVAILABLE', explain(error, folder), { cause: error, retryable: false, data: { folder } });
  }
}

function explain(error: unknown, folder: string): string {
  if (error instanceof AppError)
    return 'git was not found. Install it (quarterdeck doctor says how), or open the folder as it is.';
  const said = (error instanceof GitError ? error.stderr.trim().split('\n').at(-1) : '') || messageOf(error);
  return `git could not make ${join(folder, '.git')}: ${said.slice(0, 300)}. Is the folder yours to write in?`;
}
