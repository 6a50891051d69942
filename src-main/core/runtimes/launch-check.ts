/** What must hold before a process is started, checked where a clear message can still be given. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { AppError } from '#shared/kernel/errors.ts';
import type { LaunchSpec } from './runtime.ts';

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The absolute path of a program: looked up in `searchPath` as execvp(3) does, or relative to `cwd` if it contains a slash. */
export async function findProgram(program: string, searchPath: string, cwd: string): Promise<string | undefined> {
  if (program.includes('/')) {
    const path = isAbsolute(program) ? program : resolve(cwd, program);
    return (await isExecutableFile(path)) ? path : undefined;
  }
  for (const folder of searchPath.split(delimiter)) {
    const path = join(resolve(cwd, folder), program);
    if (await isExecutableFile(path)) return path;
  }
  return undefined;
}

/** Checks what no system could start, wherever the program is, and returns the program as it is named. Fails with BAD_REQUEST. */
export function checkCommand(spec: LaunchSpec): string {
  const [program] = spec.argv;
  if (program === undefined || program === '') {
    throw new AppError('BAD_REQUEST', `Agent ${spec.agentId} has no program to run: its command is empty`);
  }
  const texts = [...spec.argv, spec.cwd, ...Object.keys(spec.env), ...Object.values(spec.env)];
  if (texts.some((text) => text.includes('\0'))) {
    throw new AppError(
      'BAD_REQUEST',
      `Agent ${spec.agentId} cannot be started: its command, folder or environment contains a NUL character`,
    );
  }
  const badName = Object.keys(spec.env).find((name) => name === '' || name.includes('='));
  if (badName !== undefined) {
    throw new AppError(
      'BAD_REQUEST',
      `Agent ${spec.agentId} cannot be started: "${badName}" is no name of an environment variable`,
    );
  }
  return program;
}

/**
 * Checks a launch on this machine and returns the program's absolute path.
 * Fails with UNAVAILABLE if program or folder are missing, with BAD_REQUEST if no system could start it (empty, NUL bytes).
 */
export async function checkLaunch(spec: LaunchSpec): Promise<string> {
  const program = checkCommand(spec);
  const folder = await stat(spec.cwd).catch(() => undefined);
  if (folder === undefined || !folder.isDirectory()) {
    throw new AppError(
      'UNAVAILABLE',
      `Agent ${spec.agentId} cannot be started: there is no folder ${spec.cwd}. Create it, or change the agent's workspace.`,
      {
        retryable: false,
        data: { cause: 'cwd', cwd: spec.cwd },
      },
    );
  }
  const searchPath = spec.env['PATH'] ?? '/usr/bin:/bin';
  const path = await findProgram(program, searchPath, spec.cwd);
  if (path === undefined) {
    const where = program.includes('/')
      ? 'there is no such executable file'
      : `it is in none of the folders of the agent's PATH (${searchPath})`;
    throw new AppError(
      'UNAVAILABLE',
      `Agent ${spec.agentId} cannot be started: the program "${program}" was not found: ${where}. Install it, or give its full path.`,
      { retryable: false, data: { cause: 'program', program } },
    );
  }
  return path;
}

/** Fails where a box was asked for and this runtime makes none: an agent that is to be contained is never started otherwise. */
export function refuseBox(spec: LaunchSpec, where: string): void {
  if (spec.box === undefined) return;
  throw new AppError(
    'UNAVAILABLE',
    `Agent ${spec.agentId} cannot be started: its boundary is to be "${spec.box.boundary}", and ${where} has none.`,
    { retryable: false, data: { cause: 'boundary', boundary: spec.box.boundary } },
  );
}
