/** Looks at this machine: what agents need, found by really running it, and for each gap the one command that closes it. */
import { execFile } from 'node:child_process';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '#shared/kernel/errors.ts';
import type { SystemCheck } from '#shared/system/model.ts';

const run = promisify(execFile);
/** A program that does not tell its version within this time counts as broken. */
const TIMEOUT_MS = 10_000;
/** Below this much free space, in bytes, checkpoints and logs will soon fail. */
const LOW_DISK_BYTES = 2 * 2 ** 30;

interface Wanted {
  readonly id: string;
  readonly title: string;
  readonly group: SystemCheck['group'];
  readonly program: string;
  readonly args: readonly string[];
  readonly isNeeded: boolean;
  readonly withoutIt: string;
  readonly remedy: Readonly<Record<'linux' | 'darwin', string>>;
}

const WANTED: readonly Wanted[] = [
  {
    id: 'tmux',
    title: 'tmux',
    group: 'runtimes',
    program: 'tmux',
    args: ['-V'],
    isNeeded: true,
    withoutIt: 'without it agents run in plain terminals that end with the app',
    remedy: { linux: 'sudo apt-get install tmux', darwin: 'brew install tmux' },
  },
  {
    id: 'git',
    title: 'git',
    group: 'work',
    program: 'git',
    args: ['--version'],
    isNeeded: true,
    withoutIt: 'without it no repository can be worked on',
    remedy: { linux: 'sudo apt-get install git', darwin: 'xcode-select --install' },
  },
  {
    id: 'claude-code',
    title: 'Claude Code',
    group: 'agents',
    program: 'claude',
    args: ['--version'],
    isNeeded: false,
    withoutIt: 'optional: workers and commands run without it',
    remedy: { linux: 'npm install -g @anthropic-ai/claude-code', darwin: 'npm install -g @anthropic-ai/claude-code' },
  },
  {
    id: 'docker',
    title: 'Docker',
    group: 'runtimes',
    program: 'docker',
    args: ['version', '--format', '{{.Server.Version}}'],
    isNeeded: false,
    withoutIt: 'optional: this version runs agents in tmux and plain terminals only',
    remedy: { linux: 'sudo apt-get install docker.io', darwin: 'brew install --cask docker' },
  },
];

/** Where to look. */
export interface DoctorOptions {
  /** PATH to search, best that of a login shell. */
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
  /** How long one program may take, in milliseconds. */
  readonly timeoutMs?: number;
}

async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    if (folder !== '' && (await isProgram(file))) return file;
  }
  return undefined;
}

/** Folders count as executable too, and a PATH may well lead to one of that name. */
async function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    async () => (await stat(file)).isFile(),
    () => false,
  );
}

/** How a program is asked. One that ignores a friendly end would be waited for without end: it is killed. */
function limits(options: DoctorOptions): { env: NodeJS.ProcessEnv; timeout: number; killSignal: 'SIGKILL' } {
  return { env: { ...options.env, PATH: options.path }, timeout: options.timeoutMs ?? TIMEOUT_MS, killSignal: 'SIGKILL' };
}

function remedyOf(wanted: Wanted): string {
  return process.platform === 'darwin' ? wanted.remedy.darwin : wanted.remedy.linux;
}

async function checkProgram(wanted: Wanted, options: DoctorOptions): Promise<SystemCheck> {
  const base = { id: wanted.id, title: wanted.title, group: wanted.group, loginState: null };
  const path = await findProgram(wanted.program, options.path);
  if (path === undefined) {
    return {
      ...base,
      state: wanted.isNeeded ? 'missing' : 'optional',
      detail: `not found; ${wanted.withoutIt}`,
      path: null,
      version: null,
      remedy: remedyOf(wanted),
    };
  }
  try {
    const { stdout } = await run(path, [...wanted.args], limits(options));
    const version = /\d+(\.\d+)+\w*/.exec(stdout)?.[0] ?? stdout.trim().slice(0, 60);
    return { ...base, state: 'ok', detail: `${version} at ${path}`, path, version, remedy: null };
  } catch (error) {
    const isKilled = error instanceof Error && 'killed' in error && error.killed === true;
    const problem = isKilled
      ? 'no answer in time'
      : messageOf(error)
          .split('\n')
          .filter((line) => !line.startsWith('Command failed'))[0] || messageOf(error);
    return {
      ...base,
      state: wanted.isNeeded ? 'failed' : 'optional',
      detail: `found at ${path}, but it does not answer: ${problem.slice(0, 200)}`,
      path,
      version: null,
      remedy: null,
    };
  }
}

async function checkGitIdentity(options: DoctorOptions): Promise<SystemCheck> {
  const base = {
    id: 'git-identity',
    title: 'git name and email',
    group: 'work' as const,
    loginState: null,
    path: null,
    version: null,
  };
  const ask = async (key: string): Promise<string> =>
    run('git', ['config', '--global', '--get', key], limits(options)).then(
      ({ stdout }) => stdout.trim(),
      () => '',
    );
  const [name, email] = [await ask('user.name'), await ask('user.email')];
  if (name !== '' && email !== '') return { ...base, state: 'ok', detail: `${name} <${email}>`, remedy: null };
  return {
    ...base,
    state: 'missing',
    detail: 'not set: agents cannot commit in your name',
    remedy: 'git config --global user.name "Your Name" && git config --global user.email you@example.com',
  };
}

async function checkDisk(options: DoctorOptions): Promise<SystemCheck> {
  const base = { id: 'disk', title: 'Disk', group: 'work' as const, loginState: null, path: options.dataDir, version: null };
  try {
    const facts = await statfs(options.dataDir).catch(() => statfs('/'));
    const free = facts.bavail * facts.bsize;
    const text = `${(free / 2 ** 30).toFixed(1)} GB free for the data folder`;
    return free < LOW_DISK_BYTES
      ? { ...base, state: 'failed', detail: `only ${text}`, remedy: 'Free some space, or choose another folder with --data-dir' }
      : { ...base, state: 'ok', detail: text, remedy: null };
  } catch (error) {
    return { ...base, state: 'failed', detail: messageOf(error), remedy: null };
  }
}

/** Looks at everything, side by side. Never rejects. */
export async function runDoctor(options: DoctorOptions): Promise<SystemCheck[]> {
  const node: SystemCheck = {
    id: 'node',
    title: 'Node',
    group: 'work',
    loginState: null,
    state: 'ok',
    detail: `${process.versions.node} (brought along)`,
    path: process.execPath,
    version: process.versions.node,
    remedy: null,
  };
  const found = await Promise.all([
    ...WANTED.map((wanted) => checkProgram(wanted, options)),
    checkGitIdentity(options),
    checkDisk(options),
  ]);
  return [node, ...found];
}
