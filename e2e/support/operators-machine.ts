/**
 * For browser specs: a home folder as an operator has one, with programs that only a login shell finds, and a tmux server of
 * the operator's own.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A Claude Code that answers what the checklist asks, and otherwise waits in its terminal as an agent does. */
const CLAUDE = `#!/bin/sh
here=$(dirname "$0")
case "$*" in
  --version) echo '2.1.34 (Claude Code)' ;;
  'auth --help') printf 'Usage: claude auth [options] [command]\\n\\nCommands:\\n  status [options]  Show authentication status\\n' ;;
  'auth status --json')
    if [ -e "$here/logged-in" ]; then echo '{"loggedIn": true, "authMethod": "claude.ai", "email": "ada@example.com", "loginExpiresAt": null}'
    else echo '{"loggedIn": false, "authMethod": "none"}'; exit 1; fi ;;
  'auth login') touch "$here/logged-in"; echo 'Login successful.' ;;
  *) echo 'waiting for work'; while true; do sleep 1; done ;;
esac
`;

/** A machine of an operator; everything in one temporary folder. */
export class OperatorsMachine {
  readonly home: string = mkdtempSync(join(tmpdir(), 'qd-home-'));
  readonly #bin = join(this.home, 'tools');
  readonly #tmux = join(this.home, 'tmux');

  constructor() {
    mkdirSync(this.#bin);
    mkdirSync(this.#tmux);
    writeFileSync(join(this.#bin, 'claude'), CLAUDE);
    chmodSync(join(this.#bin, 'claude'), 0o755);
    writeFileSync(join(this.home, '.bash_profile'), `export PATH="${this.#bin}:$PATH"\nexport PS1='$ '\n`);
    writeFileSync(join(this.home, '.gitconfig'), '[user]\n\tname = Ada\n\temail = ada@example.com\n');
  }

  /** What a core on this machine has in its environment: not the PATH of a login shell. */
  get env(): NodeJS.ProcessEnv {
    return { HOME: this.home, SHELL: '/bin/bash', TMUX_TMPDIR: this.#tmux, XDG_CONFIG_HOME: join(this.home, '.config') };
  }

  /** Makes a folder in the home folder. */
  makeFolder(name: string): string {
    const folder = join(this.home, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'notes.md'), '# Notes\n');
    return folder;
  }

  /** Starts `claude` in a session of the operator's own tmux server. */
  startClaudeInTmux(session: string, cwd: string): void {
    this.#runTmux('new-session', '-d', '-s', session, '-c', cwd, '-x', '90', '-y', '20', join(this.#bin, 'claude'));
  }

  /** The sessions of the operator's own tmux server. */
  tmuxSessions(): string[] {
    return this.#runTmux('list-sessions', '-F', '#{session_name}').split('\n');
  }

  /** Ends the tmux server and removes the folder. */
  dispose(): void {
    spawnSync('tmux', ['-L', 'theirs', 'kill-server'], { env: { ...process.env, TMUX_TMPDIR: this.#tmux }, stdio: 'ignore' });
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }

  #runTmux(...args: readonly string[]): string {
    const env = { ...process.env, TMUX_TMPDIR: this.#tmux, TMUX: '' };
    return execFileSync('tmux', ['-f', '/dev/null', '-L', 'theirs', ...args], { env, encoding: 'utf8', stdio: 'pipe' }).trim();
  }
}
