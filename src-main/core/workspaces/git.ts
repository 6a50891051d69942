/**
 * The one way in which the core runs git. Where an agent may have written, git must do nothing but read and write git's own
 * files: the environment is stated, not inherited (a core that was started from a hook has GIT_DIR and the like), settings of
 * the system and of the operator are off, and whatever a setting could make git run is switched off by name.
 *
 * Settings of a repository are still read from the GIT_DIR that is used. Whoever gives one states by that that no agent can
 * write there; what an agent could write (a clone's `.git`) is never a GIT_DIR, see `agent-objects.ts`.
 */
import { spawn } from 'node:child_process';
import { AppError } from '#shared/kernel/errors.ts';

/** Longest time one call may take, in milliseconds: a folder on a network that does not answer must not hold a call for good. */
const TIMEOUT_MS = 120_000;
/** Most that is kept of what git prints, in bytes. */
const MAX_OUTPUT_BYTES = 64 << 20;
/** What git gets of the core's environment. */
const INHERITED = ['PATH', 'TMPDIR'];

/** Settings that could make git start another program, each off. `-c` wins over every file. */
const NOTHING_ELSE_RUNS: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.pager': 'cat',
  'core.editor': 'false',
  'core.askPass': 'false',
  'core.sshCommand': 'false',
  'core.gitProxy': '',
  'core.alternateRefsCommand': '',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'credential.helper': '',
  'diff.external': '',
  'diff.ignoreSubmodules': 'all',
  'gpg.program': 'false',
  'commit.gpgSign': 'false',
  'init.templateDir': '',
  'protocol.allow': 'never',
  'protocol.file.allow': 'always',
  'submodule.recurse': 'false',
  'fetch.recurseSubmodules': 'false',
  'maintenance.auto': 'false',
  'gc.auto': '0',
  'advice.detachedHead': 'false',
  // Who owns a repository says nothing here about who may have written its settings; see above.
  'safe.directory': '*',
};
const SWITCHES = Object.entries(NOTHING_ELSE_RUNS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** How one call of git is made. */
export interface GitCall {
  /** Where it runs, absolute. */
  readonly cwd: string;
  /** The repository; left out, git looks for the one of `cwd`, which must be the operator's own. */
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly indexFile?: string;
  /** Object folders that are read besides the repository's own. */
  readonly alternates?: readonly string[];
  /** Given to git's standard input. */
  readonly input?: string | Uint8Array;
  /** As whom: git writes files that are to be this user's. Only root can. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly timeoutMs?: number;
  /** Read the operator's own settings (their name for a first branch). Only where no agent's files are touched. */
  readonly isOperators?: boolean;
}

/** What git said when it failed. */
export class GitError extends Error {
  override readonly name = 'GitError';
  /** Exit code; null when it was ended by a signal (its time was over) or could not be started. */
  readonly code: number | null;
  readonly stderr: string;

  constructor(args: readonly string[], code: number | null, stderr: string) {
    super(`git ${args[0] ?? ''}: ${lastLine(stderr) || `exit code ${code ?? 'none'}`}`);
    this.code = code;
    this.stderr = stderr;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}

/** Runs git and returns what it printed. Fails with a GitError, or UNAVAILABLE when there is no git. */
export async function runGit(env: NodeJS.ProcessEnv, call: GitCall, ...args: string[]): Promise<Buffer> {
  const stated: NodeJS.ProcessEnv = {
    LC_ALL: 'C',
    HOME: '/nonexistent',
    ...(call.isOperators === true
      ? { HOME: env['HOME'], XDG_CONFIG_HOME: env['XDG_CONFIG_HOME'] }
      : { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_LITERAL_PATHSPECS: '1',
    ...(call.gitDir === undefined ? {} : { GIT_DIR: call.gitDir }),
    ...(call.workTree === undefined ? {} : { GIT_WORK_TREE: call.workTree }),
    ...(call.indexFile === undefined ? {} : { GIT_INDEX_FILE: call.indexFile }),
    ...(call.alternates === undefined ? {} : { GIT_ALTERNATE_OBJECT_DIRECTORIES: call.alternates.map(quotePath).join(':') }),
    ...IDENTITY,
  };
  for (const name of INHERITED) if (env[name] !== undefined) stated[name] = env[name];
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const child = spawn('git', [...SWITCHES, ...args], {
    cwd: call.cwd,
    env: stated,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: call.timeoutMs ?? TIMEOUT_MS,
    killSignal: 'SIGKILL',
    ...(call.user && process.getuid?.() === 0 ? call.user : {}),
  });
  const out: Buffer[] = [];
  let outBytes = 0;
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    outBytes += chunk.byteLength;
    if (outBytes > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
    else out.push(chunk);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-8_192);
  });
  // git may end before it has read everything; what it said about that counts.
  child.stdin.on('error', () => undefined);
  child.stdin.end(call.input ?? '');
  child.on('error', (error: NodeJS.ErrnoException) =>
    reject(
      error.code === 'ENOENT'
        ? new AppError('UNAVAILABLE', 'git was not found. Install it; quarterdeck doctor says how.', { retryable: false })
        : error,
    ),
  );
  child.on('close', (code) => (code === 0 ? resolve(Buffer.concat(out)) : reject(new GitError(args, code, stderr))));
  return promise;
}

/** Runs git and returns what it printed as text, without the last line break. */
export async function git(env: NodeJS.ProcessEnv, call: GitCall, ...args: string[]): Promise<string> {
  return (await runGit(env, call, ...args)).toString('utf8').replace(/\n$/, '');
}

/** A path in a list that is separated by colons: git takes it in C quotes (git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES). */
function quotePath(path: string): string {
  return /[:"\\\n]/.test(path) ? `"${path.replaceAll(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"` : path;
}

/** Commits of the core itself have no other author. */
const IDENTITY = {
  GIT_AUTHOR_NAME: 'Quarterdeck',
  GIT_AUTHOR_EMAIL: 'quarterdeck@localhost',
  GIT_COMMITTER_NAME: 'Quarterdeck',
  GIT_COMMITTER_EMAIL: 'quarterdeck@localhost',
} as const;
