/** The sample repository: a small project that the sample crew can survey when no folder is chosen. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
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
    sum += line.cents * line.count;
  }
  return sum;
}
`;

/** The files of the sample. Two of them share a block on purpose: the crew finds it. */
const FILES: Readonly<Record<string, string>> = {
  'README.md': '# Harbor shop\n\nA very small shop, made as a sample.\n\n- `src/cart.ts` adds up a cart\n- `src/invoice.ts` writes an invoice\n- `tools/stock.py` counts the stock\n',
  'src/cart.ts': CART,
  'src/invoice.ts': `import type { Line } from './cart.ts';

// FIXME: the same sum as in cart.ts
export function invoice(lines: readonly Line[]): string {
  let sum = 0;
  for (const line of lines) {
    if (line.count < 0) throw new Error('count must not be negative');
    sum += line.cents * line.count;
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

/** Makes the sample repository in `folder`, or leaves it as it is when something is there. */
export async function makeSampleProject(folder: string): Promise<void> {
  if ((await readdir(folder).catch(() => [])).length > 0) return;
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  try {
    const identity = ['-c', 'user.name=Quarterdeck', '-c', 'user.email=sample@quarterdeck.invalid', '-c', 'commit.gpgsign=false'];
    await run('git', ['-C', folder, 'init', '--quiet', '--initial-branch=main']);
    await run('git', ['-C', folder, 'add', '.']);
    await run('git', ['-C', folder, ...identity, 'commit', '--quiet', '--message', 'Start the sample']);
  } catch (error) {
    throw new AppError('UNAVAILABLE', `The sample repository in ${folder} could not be made: ${messageOf(error)}. Is git installed?`, { cause: error, retryable: false });
  }
}
