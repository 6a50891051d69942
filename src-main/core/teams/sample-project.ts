/** The sample repository: a small project that the sample crew can survey when no folder is chosen. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AppError, messageOf } from '#shared/kernel/errors.ts';

const run = promisify(execFile);

const CART = `export interface Line {
  readonly name: string;
  readonly cents: number;
  readonly count: number;
}

// TODO: take discounts into account
export function total(lines: readonly Line[]): number {
  let sum = 0;
  for (const line of lines) {
    if (line.count < 0) throw new Error('count must not be negative');
    if (line.cents < 0) throw new Error('cents must not be negative');
    const cost = line.cents * line.count;
    sum += cost;
  }
  return sum;
}
`;

/** The files of the sample. Two of them share a block on purpose: the crew finds it. */
const FILES: Readonly<Record<string, string>> = {
  'README.md':
    '# Harbor shop\n\nA very small shop, made as a sample.\n\n- `src/cart.ts` adds up a cart\n- `src/invoice.ts` writes an invoice\n- `tools/stock.py` counts the stock\n',
  'src/cart.ts': CART,
  'src/invoice.ts': `import type { Line } from './cart.ts';

// FIXME: the same sum as in cart.ts
export function invoice(lines: readonly Line[]): string {
  let sum = 0;
  for (const line of lines) {
    if (line.count < 0) throw new Error('count must not be negative');
    if (line.cents < 0) throw new Error('cents must not be negative');
    const cost = line.cents * line.count;
    sum += cost;
  }
  return \`Total: \${(sum / 100).toFixed(2)}\`;
}
`,
  'tools/stock.py': `import csv
import sys


def count(path):
    # TODO: read more than one warehouse
    with open(path, newline="") as handle:
        return sum(int(row["count"]) for row in csv.DictReader(handle))


if __name__ == "__main__":
    print(count(sys.argv[1]))
`,
  'data/stock.csv': 'name,count\nrope,12\nlantern,4\nmap,7\n',
  '.gitignore': 'node_modules/\n',
};

/** Nothing of the operator's own git settings: hooks, signing or a template could keep the commit from being made. */
const IDENTITY = ['-c', 'user.name=Quarterdeck', '-c', 'user.email=sample@quarterdeck.invalid'];

function gitEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TEMPLATE_DIR: '' };
  // A core started from a git hook has GIT_DIR and the like, which would lead to another repository.
  for (const [name, value] of Object.entries(process.env)) if (!name.startsWith('GIT_')) env[name] = value;
  return env;
}

/** Whether something is in a folder; a missing one is empty. */
async function isFilled(folder: string): Promise<boolean> {
  return (await readdir(folder).catch(() => [])).length > 0;
}

/**
 * Makes the sample repository in `folder`, or leaves it as it is when something is there. It appears whole or not at all:
 * it is made beside its place and then moved there.
 */
export async function makeSampleProject(folder: string): Promise<void> {
  if (await isFilled(folder)) return;
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}.`);
  try {
    for (const [name, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(draft, name)), { recursive: true });
      await writeFile(join(draft, name), text);
    }
    const env = gitEnv();
    await run('git', ['-C', draft, 'init', '--quiet', '--initial-branch=main'], { env });
    await run('git', ['-C', draft, 'add', '.'], { env });
    await run('git', ['-C', draft, ...IDENTITY, 'commit', '--quiet', '--message', 'Start the sample'], { env });
    await rename(draft, folder);
  } catch (error) {
    // Somebody who asked at the same time was faster: theirs is as good.
    if (await isFilled(folder)) return;
    throw new AppError(
      'UNAVAILABLE',
      `The sample repository in ${folder} could not be made: ${messageOf(error)}. Is git installed?`,
      { cause: error, retryable: false },
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
