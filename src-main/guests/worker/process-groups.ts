/**
 * The commands a worker runs, each in a process group of its own.
 * Invariant: no group outlives its command's end, the task's end or the worker: when the worker itself is killed, a small
 * guard process (a shell that reads from a pipe the worker holds) sees the pipe close and kills what is left.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessByStdio } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** Time between SIGTERM and SIGKILL for a group, in milliseconds. */
export const KILL_GRACE_MS = 2_000;

/**
 * Reads "+<group>" and "-<group>" lines; at the end of input kills the groups that are left. It ignores the signals that a
 * terminal sends, because it must outlive the worker by a moment.
 */
const GUARD_SCRIPT = `
trap '' HUP INT TERM QUIT PIPE
groups=' '
while read -r line; do
  group=\${line#?}
  case $line in
    +*) groups="$groups$group " ;;
    -*) case $groups in *" $group "*) groups="\${groups%%" $group "*} \${groups#*" $group "}" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
exit 0
`;

/** What to run. */
export interface CommandSpec {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A command whose streams are pipes. */
export type CommandProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** Starts commands and ends their groups. */
export class ProcessGroups {
  readonly #groups = new Set<number>();
  #guard: ChildProcess | undefined;
  #guardInput: Writable | undefined;

  /** Starts a command as the leader of a new group. A command that cannot be started emits `error` on the process. */
  start(spec: CommandSpec): CommandProcess {
    // The guard is there first: from the start of the command to its being told is then a moment of this process only.
    this.#startGuard();
    const [program, ...args] = spec.argv;
    const child = spawn(program, args, { cwd: spec.cwd, env: { ...spec.env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const group = child.pid;
    if (group !== undefined) {
      this.#groups.add(group);
      this.#tellGuard(`+${group}`);
    }
    return child;
  }

  /** Ends a whole group: SIGTERM, and SIGKILL after the grace for what is left. Resolves when it is gone or killed. */
  async end(group: number, graceMs: number = KILL_GRACE_MS): Promise<void> {
    const deadline = Date.now() + graceMs;
    signalGroup(group, 'SIGTERM');
    // Looking is the only way to learn that a group other than our own child is gone.
    while (isGroupAlive(group) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    this.kill(group);
  }

  /** Kills what is left of a group at once, and forgets it. */
  kill(group: number): void {
    signalGroup(group, 'SIGKILL');
    if (this.#groups.delete(group)) this.#tellGuard(`-${group}`);
  }

  /** Ends all groups and the guard. */
  async dispose(graceMs: number = KILL_GRACE_MS): Promise<void> {
    await Promise.all([...this.#groups].map((group) => this.end(group, graceMs)));
    this.#guardInput?.end();
    this.#guard = undefined;
  }

  #startGuard(): void {
    if (this.#guard !== undefined) return;
    const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'quarterdeck-worker-guard'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env: {},
    });
    // Without a guard, or when it is gone, commands run all the same.
    guard.on('error', () => undefined);
    guard.stdin.on('error', () => undefined);
    guard.unref();
    // A pipe to a child is a socket; an idle one must not keep the worker alive.
    if (guard.stdin instanceof Socket) guard.stdin.unref();
    this.#guard = guard;
    this.#guardInput = guard.stdin;
  }

  #tellGuard(line: string): void {
    this.#guardInput?.write(`${line}\n`);
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // ESRCH: nobody is left in it.
  }
}

function isGroupAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
