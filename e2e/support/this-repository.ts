/** A copy of this very repository, to be surveyed: the files git lists, in a repository of their own. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** The root of this checkout. */
export const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Copies the working tree (what git would commit), or one folder of it, into a new temporary folder and makes it a repository. */
export async function copyThisRepository(part = '.'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'qd-repo-'));
  const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', part], {
    cwd: REPOSITORY,
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const name of new Set(stdout.split('\0').filter((entry) => entry !== ''))) {
    const from = join(REPOSITORY, name);
    // A file deleted in the working tree is still listed.
    if (
      await stat(from).then(
        (facts) => facts.isFile(),
        () => false,
      )
    )
      await cp(from, join(folder, name));
  }
  await run('git', ['init', '--quiet'], { cwd: folder });
  await run('git', ['add', '.'], { cwd: folder });
  return folder;
}
