import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { engineSockets } from '#core/runtimes/docker/engine.ts';
import { CLAUDE_CODE_MISSING, findClaudeCode } from '#e2e/support/claude-code/find-claude-code.ts';

/** Something beside npm packages that tests use, and where it was found. */
export interface Tool {
  readonly name: string;
  /** The executable; undefined where this machine has none. */
  readonly path: string | undefined;
  /** What is not proven without it, and how to get it. */
  readonly without: string;
}

/** The tools of this machine that tests use. Nothing is installed: on a newcomer's machine that is theirs to decide. */
export function findTools(): Tool[] {
  return [
    {
      name: 'chromium',
      path: findChromium(),
      without: 'the browser specs do not run; install chromium, or name its executable in CHROMIUM',
    },
    { name: 'tmux', path: findOnPath('tmux'), without: 'nothing that runs an agent in tmux is tested; install tmux' },
    {
      name: 'container engine',
      path: engineSockets(process.env).find(isSocket),
      without: 'nothing that runs in a container is tested; install docker.io and start it, or name an engine in DOCKER_HOST',
    },
    {
      name: 'bubblewrap',
      path: process.platform === 'linux' ? findOnPath('bwrap') : 'not on this system',
      without: 'agents in bubblewrap are not tested; install bubblewrap',
    },
    { name: 'git', path: findOnPath('git'), without: 'workspaces are not tested; install git' },
    { name: 'claude', path: findClaudeCode(), without: `the real Claude Code is not tested. ${CLAUDE_CODE_MISSING}` },
  ];
}

/** The Chromium the specs drive: CHROMIUM, else Debian's, else another on the PATH. */
export function findChromium(): string | undefined {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') return isExecutable(named) ? named : undefined;
  return findOnPath('chromium') ?? findOnPath('chromium-browser') ?? findOnPath('google-chrome');
}

/** The executable of that name on the PATH, undefined where there is none. */
export function findOnPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
