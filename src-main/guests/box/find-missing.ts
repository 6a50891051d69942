/** Looks whether what is to be started is there, while a clear message can still be given. */
import { accessSync, constants, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BoxStart } from '#shared/box/model.ts';

/** What is missing for a start, in a sentence; undefined when nothing is. Only what is in the box counts. */
export function findMissing(start: Pick<BoxStart, 'argv' | 'cwd' | 'env'>): string | undefined {
  if (!statSync(start.cwd, { throwIfNoEntry: false })?.isDirectory()) return `there is no folder ${start.cwd} in the box`;
  const [program = ''] = start.argv;
  if (program.includes('/')) {
    return isExecutable(resolve(start.cwd, program)) ? undefined : `there is no program ${program} in the box`;
  }
  const path = start.env['PATH'] ?? '/usr/bin:/bin';
  if (program !== '' && path.split(':').some((folder) => isExecutable(join(resolve(start.cwd, folder), program))))
    return undefined;
  return `the program "${program}" is in none of the folders of the agent's PATH in the box (${path})`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
