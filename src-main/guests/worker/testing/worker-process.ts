/** The real worker program in a test: started with Node, its terminal collected, ended for certain. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { AgentDoor } from './agent-door.ts';

const MAIN = path.join(import.meta.dirname, '..', 'main.ts');

/** A worker that runs. */
export class WorkerProcess {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #output = '';

  constructor(options: { agentId: string; door: AgentDoor; workspace: string; env?: Readonly<Record<string, string>> }) {
    this.#child = spawn(process.execPath, [MAIN], {
      cwd: options.workspace,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '',
        QUARTERDECK_AGENT_ID: options.agentId,
        QUARTERDECK_AGENT_URL: options.door.url,
        QUARTERDECK_AGENT_TOKEN: `token-${options.agentId}`,
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.exited = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve({ code, signal })));
  }

  /** All that it has printed. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it, if it still runs. */
  async dispose(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

/** Whether a process (or, with a negative number, any of a group) is there. One that has ended counts until its parent has noticed. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // One that is dead and that init has not collected yet answers, too.
  const table = execFileSync('ps', ['-eo', pid < 0 ? 'pgid=,stat=' : 'pid=,stat='], { encoding: 'utf8' });
  return table.split('\n').some((line) => {
    const [id, stat = 'Z'] = line.trim().split(/\s+/);
    return Number(id) === Math.abs(pid) && !stat.startsWith('Z');
  });
}

/** Waits until something holds. Rejects after the deadline with what `describe` says. */
export async function until(holds: () => boolean | Promise<boolean>, describe: () => string, deadlineMs = 30_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within ${deadlineMs} ms: ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
