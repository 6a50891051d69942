/** Asking programs of this machine something: found by PATH, run without a shell, and never waited for beyond a deadline. */
import { spawn } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { endGroup } from './end-group.ts';

/** What of a program's output is looked at, in characters. */
const MAX_CHARS = 64 * 1024;
/** A line that people are shown is cut here, in characters. */
const MAX_LINE = 200;

/** One look at one thing: what it may see, and until when. */
export interface Probe {
  readonly env: NodeJS.ProcessEnv;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
}

/** What came of asking. */
export type Answer =
  | { readonly kind: 'ended'; readonly code: number; readonly stdout: string; readonly stderr: string; readonly tookMs: number }
  /** It did not end in time, and is ended with everything it started. */
  | { readonly kind: 'silent' }
  /** It could not be started, or a signal ended it. */
  | { readonly kind: 'broken'; readonly problem: string };

/** Path of a program in the probe's PATH. Folders count as executable too, and a PATH may well lead to one of that name. */
export async function locate(name: string, probe: Probe): Promise<string | undefined> {
  for (const folder of (probe.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, name);
    if (folder !== '' && (await isProgram(file))) return file;
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    async () => (await stat(file)).isFile(),
    () => false,
  );
}

/**
 * Runs a program and returns what it said. In a process group of its own, so that one that hangs is ended together with what
 * it started; without input, so that nothing in it waits for any. Never rejects.
 */
export function ask(file: string, args: readonly string[], probe: Probe): Promise<Answer> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const child = spawn(file, args, { env: probe.env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const said = { stdout: '', stderr: '' };
    const finish = (answer: Answer): void => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      resolve(answer);
    };
    const timer = setTimeout(
      () => {
        endGroup(child.pid);
        finish({ kind: 'silent' });
      },
      Math.max(1, probe.deadline - startedAt),
    );
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        if (said[name].length < MAX_CHARS) said[name] += chunk.slice(0, MAX_CHARS - said[name].length);
      });
    child.on('error', (error) => finish({ kind: 'broken', problem: error.message }));
    child.on('close', (code, signal) =>
      finish(
        code === null
          ? { kind: 'broken', problem: `ended by ${signal ?? 'a signal'}` }
          : { kind: 'ended', code, ...said, tookMs: performance.now() - startedAt },
      ),
    );
  });
}

/** Why an answer is none, in a few words. */
export function problemOf(answer: Answer): string {
  if (answer.kind === 'silent') return 'no answer in time';
  if (answer.kind === 'broken') return answer.problem;
  return firstLine(answer.stderr) || firstLine(answer.stdout) || `it ends with code ${answer.code}`;
}

/** The first line that says something, cut to what people read. */
export function firstLine(text: string): string {
  const line = text
    .split('\n')
    .map((one) => one.trim())
    .find((one) => one !== '');
  return (line ?? '').slice(0, MAX_LINE);
}

/** The version in what a program says of itself; undefined when it ends with an error. */
export function versionIn(answer: Answer): string | undefined {
  if (answer.kind !== 'ended' || answer.code !== 0) return undefined;
  return /\d+(\.\d+)+\w*/.exec(answer.stdout)?.[0].slice(0, 40) ?? (firstLine(answer.stdout).slice(0, 60) || undefined);
}

/** The pieces of a line that there are, with a dot between. */
export function line(...pieces: readonly (string | null | undefined)[]): string {
  return pieces.filter((piece) => piece !== undefined && piece !== null && piece !== '').join(' · ');
}
