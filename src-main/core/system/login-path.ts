/** The PATH of a login shell: a desktop app is started with a shorter one than the operator's terminal has. */
import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Start files may be slow; after this long the present PATH has to do. */
const TIMEOUT_MS = 3_000;
/** Marks the value among whatever start files print. */
const MARK = '__quarterdeck_path__';

/** The login shell's PATH with the present one's further folders behind it. Falls back to the present PATH. */
export async function loginPath(env: NodeJS.ProcessEnv): Promise<string> {
  const present = env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  const shell = env['SHELL'];
  if (process.platform === 'win32' || shell === undefined || shell === '') return present;
  try {
    const { stdout } = await run(shell, ['-lc', `printf '%s%s%s' ${MARK} "$PATH" ${MARK}`], { env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
    const found = stdout.split(MARK)[1];
    return found === undefined || found === '' ? present : mergePaths(found, present);
  } catch {
    return present;
  }
}

/** `first` followed by those folders of `second` that it does not have. */
export function mergePaths(first: string, second: string): string {
  return [...new Set([...first.split(delimiter), ...second.split(delimiter)].filter((folder) => folder !== ''))].join(delimiter);
}
