/**
 * Looks at this machine: what agents need, found by really running it, and for each gap the one command that closes it.
 * All looks run side by side, each with a deadline of its own: one that hangs holds up no other.
 */
import { statfs } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { messageOf } from '#shared/kernel/errors.ts';
import type { SystemCheck } from '#shared/system/model.ts';
import { isRecentEnough } from '#core/runtimes/tmux/tmux-server.ts';
import { checkAgentClis } from './agent-clis.ts';
import { checkBubblewrap } from './bubblewrap-check.ts';
import { checkDocker } from './docker-check.ts';
import { installCommand } from './install-command.ts';
import type { LoginPath } from './login-path.ts';
import type { Probe } from './probe.ts';
import { ask, line, locate, problemOf, versionIn } from './probe.ts';

/** What does not answer within this time counts as broken, in milliseconds. */
const TIMEOUT_MS = 10_000;
/** Below this much free space, in bytes, the journal and logs will soon fail. */
const LOW_DISK_BYTES = 2 * 2 ** 30;

/** Where to look. */
export interface DoctorOptions {
  /** Where programs are looked for. */
  readonly login: LoginPath;
  /** The core's own environment. */
  readonly env: NodeJS.ProcessEnv;
  /** What agents have of it: logins are asked for in this one. */
  readonly agentEnv: NodeJS.ProcessEnv;
  readonly dataDir: string;
  /** Reference of the agent image of this version, where it is known: whether it is there is said then. */
  readonly agentImage?: string | undefined;
  /** How long one look may take, in milliseconds. */
  readonly timeoutMs?: number;
}

/** Looks at everything. Never rejects. */
export async function runDoctor(o: DoctorOptions): Promise<SystemCheck[]> {
  const probe = (env: NodeJS.ProcessEnv) => (): Probe => ({
    env: { ...env, PATH: o.login.path },
    deadline: performance.now() + (o.timeoutMs ?? TIMEOUT_MS),
  });
  const own = probe(o.env);
  const found = await Promise.all([
    checkAgentClis(probe(o.agentEnv)),
    checkDocker(own(), o.agentImage),
    checkBubblewrap(own()),
    checkTmux(own()),
    checkGit(probe(o.agentEnv)()),
    checkDisk(o.dataDir),
  ]);
  return [...found.flat(), checkPath(o.login), checkNode()];
}

/** Looks at bubblewrap alone. Never rejects. */
export function checkBubblewrapNow(login: LoginPath, env: NodeJS.ProcessEnv): Promise<SystemCheck> {
  return checkBubblewrap({ env: { ...env, PATH: login.path }, deadline: performance.now() + TIMEOUT_MS });
}

async function checkTmux(probe: Probe): Promise<SystemCheck> {
  const base = { id: 'tmux', title: 'tmux', group: 'runtimes' as const, loginState: null, version: null, path: null };
  const path = await locate('tmux', probe);
  const install = await installCommand({ other: 'tmux' }, probe);
  if (path === undefined) {
    const detail = 'Not found: without it agents run in plain terminals, which end with the app';
    return { ...base, state: 'missing', detail, remedy: install };
  }
  const answer = await ask(path, ['-V'], probe);
  const version = versionIn(answer);
  if (version === undefined) return unanswered({ ...base, path }, problemOf(answer));
  const found = { ...base, path, version };
  if (!isRecentEnough(version))
    return { ...found, state: 'failed', detail: line(`${version} is too old: 3.2 or newer is needed`, path), remedy: install };
  return { ...found, state: 'ok', detail: line(version, path), remedy: null };
}

async function checkGit(probe: Probe): Promise<SystemCheck> {
  const base = { id: 'git', title: 'git', group: 'work' as const, loginState: null, version: null, path: null };
  const path = await locate('git', probe);
  if (path === undefined) {
    const remedy = process.platform === 'darwin' ? 'xcode-select --install' : await installCommand({ other: 'git' }, probe);
    return { ...base, state: 'missing', detail: 'Not found: without it no repository can be worked on', remedy };
  }
  const answer = await ask(path, ['--version'], probe);
  const version = versionIn(answer);
  if (version === undefined) return unanswered({ ...base, path }, problemOf(answer));
  const found = { ...base, path, version };
  const [name, email] = await Promise.all(['user.name', 'user.email'].map((key) => gitSetting(path, key, probe)));
  if (name && email) return { ...found, state: 'ok', detail: line(version, 'name and email are set', path), remedy: null };
  const missing = name ? 'email is' : email ? 'name is' : 'name and email are';
  return {
    ...found,
    state: 'needs',
    detail: line(version, `${missing} not set: agents cannot commit in your name`, path),
    remedy: [
      ...(name ? [] : ['git config --global user.name "Your Name"']),
      ...(email ? [] : ['git config --global user.email you@example.com']),
    ].join(' && '),
  };
}

/** A setting of the operator's, whatever repository this process stands in. */
async function gitSetting(git: string, key: string, probe: Probe): Promise<string> {
  const answer = await ask(git, ['-C', '/', 'config', '--get', key], probe);
  return answer.kind === 'ended' && answer.code === 0 ? answer.stdout.trim() : '';
}

async function checkDisk(dataDir: string): Promise<SystemCheck> {
  const base = { id: 'disk', title: 'Disk', group: 'work' as const, loginState: null, path: dataDir, version: null };
  try {
    const facts = await statfs(dataDir).catch(() => statfs('/'));
    const free = facts.bavail * facts.bsize;
    const text = `${free < 100 * 2 ** 30 ? (free / 2 ** 30).toFixed(1) : Math.round(free / 2 ** 30)} GB free for the data folder`;
    if (free >= LOW_DISK_BYTES) return { ...base, state: 'ok', detail: line(text, dataDir), remedy: null };
    const remedy = 'du -xhd 2 "$HOME" 2>/dev/null | sort -h | tail -n 20';
    return { ...base, state: 'failed', detail: line(`Only ${text}; the command shows what takes it`, dataDir), remedy };
  } catch (error) {
    return { ...base, state: 'failed', detail: messageOf(error), remedy: null };
  }
}

function checkPath(login: LoginPath): SystemCheck {
  const base = { id: 'path', title: 'PATH', group: 'work' as const, loginState: null, version: null, path: login.shell };
  const folders = login.path.split(delimiter).length;
  const count = `${folders} ${folders === 1 ? 'folder' : 'folders'}`;
  if (login.problem !== null)
    return {
      ...base,
      state: 'failed',
      detail: `${login.problem}: programs are looked for in the ${count} of this process instead`,
      remedy: `time ${login.shell ?? 'sh'} -lc true`,
    };
  const from = login.shell === null ? 'of this process: SHELL names no login shell' : `of the login shell ${login.shell}`;
  return { ...base, state: 'ok', detail: `${count}, ${from}`, remedy: null };
}

function checkNode(): SystemCheck {
  return {
    id: 'node',
    title: 'Node',
    group: 'work',
    state: 'ok',
    loginState: null,
    detail: line(process.versions.node, 'brought along', process.execPath),
    path: process.execPath,
    version: process.versions.node,
    remedy: null,
  };
}

function unanswered(
  found: Pick<SystemCheck, 'id' | 'title' | 'group' | 'loginState' | 'version' | 'path'>,
  problem: string,
): SystemCheck {
  return { ...found, state: 'failed', detail: line(`Found, but it does not answer: ${problem}`, found.path), remedy: null };
}
