/**
 * The one way in which the core runs git for projects. The environment is stated, not inherited: a core that was started
 * from a git hook has GIT_DIR and the like, which lead to another repository. Hooks, templates and monitors that somebody's
 * settings name are off: git runs nothing but itself here, in whatever folder it is.
 */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { hasGit } from './browse-folders.ts';

const run = promisify(execFile);
/** A folder on a network that does not answer must not hold a call for good. In milliseconds. */
const TIMEOUT_MS = 15_000;
/** What git gets of the environment: where programs and the operator's own settings are, and in which language nobody reads. */
const INHERITED = ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'TMPDIR'];
/** Settings that could make git run something else. */
const NOTHING_ELSE_RUNS = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'init.templateDir=',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.pager=cat',
];
/** Where the operator's own settings name no branch. */
const DEFAULT_BRANCH = 'main';

const Failure = z.object({ code: z.union([z.string(), z.number()]), stderr: z.string().default('') });

async function git(folder: string, env: NodeJS.ProcessEnv, ...args: string[]): Promise<string> {
  const stated: NodeJS.ProcessEnv = { LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };
  for (const name of INHERITED) if (env[name] !== undefined) stated[name] = env[name];
  const { stdout } = await run('git', [...NOTHING_ELSE_RUNS, ...args], { cwd: folder, env: stated, timeout: TIMEOUT_MS });
  return stdout.trim();
}

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
    const branch = await git(folder, env, 'config', '--get', 'init.defaultBranch').catch(() => '');
    await git(folder, env, 'init', '--quiet', `--initial-branch=${branch || DEFAULT_BRANCH}`);
  } catch (error) {
    throw new AppError('UNAVAILABLE', explain(error, folder), { cause: error, retryable: false, data: { folder } });
  }
}

function explain(error: unknown, folder: string): string {
  const failure = Failure.safeParse(error).data;
  if (failure?.code === 'ENOENT')
    return 'git was not found. Install it (quarterdeck doctor says how), or open the folder as it is.';
  const said = failure?.stderr.trim().split('\n').at(-1) || messageOf(error);
  return `git could not make ${join(folder, '.git')}: ${said.slice(0, 300)}. Is the folder yours to write in?`;
}
