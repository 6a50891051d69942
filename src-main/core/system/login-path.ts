/** The PATH of a login shell: a desktop app is started with a shorter one than the operator's terminal has. */
import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { endGroup } from './end-group.ts';

/** Start files may be slow; after this long the present PATH has to do. */
const TIMEOUT_MS = 3_000;
/** Marks the value among whatever start files print. */
const MARK = '__quarterdeck_path__';
/** What start files print beyond this is not looked at, in characters. */
const MAX_CHARS = 1024 * 1024;

/** Where programs are looked for, and how that was found out. */
export interface LoginPath {
  /** The login shell's PATH with the present one's further folders behind it; the present one where the shell does not tell. */
  readonly path: string;
  /** The shell that was asked; null when the environment names none. */
  readonly shell: string | null;
  /** Why the shell's PATH is not known; null when it is, or when there is no shell to ask. */
  readonly problem: string | null;
}

/** Asks the login shell for its PATH. Never rejects. */
export async function findLoginPath(env: NodeJS.ProcessEnv, timeoutMs: number = TIMEOUT_MS): Promise<LoginPath> {
  const present = env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  const shell = env['SHELL'];
  if (process.platform === 'win32' || shell === undefined || shell === '') return { path: present, shell: null, problem: null };
  const { found, isLate } = await askShell(shell, env, timeoutMs);
  if (found === undefined || found === '') {
    const problem = `${shell} did not tell its PATH${isLate ? ` within ${timeoutMs / 1_000} s` : ''}`;
    return { path: present, shell, problem };
  }
  return { path: mergePaths(found, present), shell, problem: null };
}

/** The PATH by which programs are looked for; see LoginPath. */
export async function loginPath(env: NodeJS.ProcessEnv, timeoutMs?: number): Promise<string> {
  return (await findLoginPath(env, timeoutMs)).path;
}

/** `first` followed by those folders of `second` that it does not have. */
export function mergePaths(first: string, second: string): string {
  return [...new Set([...first.split(delimiter), ...second.split(delimiter)].filter((folder) => folder !== ''))].join(delimiter);
}

/**
 * What the shell prints between the marks; undefined when it fails or takes too long. Taken as soon as it is there: a
 * start file may leave something in the background that keeps the output open. In a process group of its own, so that
 * whatever hangs in it can be ended; without input, so that nothing in it waits for any.
 */
function askShell(
  shell: string,
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<{ found: string | undefined; isLate: boolean }> {
  return new Promise((resolve) => {
    const child = spawn(shell, ['-lc', `printf '%s%s%s' ${MARK} "$PATH" ${MARK}`], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    let text = '';
    const finish = (found: string | undefined, isLate = false): void => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.unref();
      resolve({ found, isLate });
    };
    const timer = setTimeout(() => {
      endGroup(child.pid);
      finish(undefined, true);
    }, timeoutMs);
    child.on('error', () => finish(undefined));
    child.on('close', () => finish(undefined));
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.length < MAX_CHARS) text += chunk;
      const [, found, ...after] = text.split(MARK);
      if (after.length > 0) finish(found);
    });
  });
}
