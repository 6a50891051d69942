/** Where the product's own files are: in a checkout (run from source or built) and in a package. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { nodeOptionsOf } from '#core/agents/types/agent-driver.ts';
import type { AppOptions } from '#core/app.ts';

const here = dirname(fileURLToPath(import.meta.url));
/** Whether this runs from the sources, by Node's type stripping: tests and development do. */
const isSource = import.meta.url.endsWith('.ts');
/** The folder with package.json and assets. */
const root = isSource ? join(here, '..', '..', '..') : join(here, '..', '..');

/** The product's version. */
export const VERSION: string = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).version;

/** The files that the core needs from its host. */
export function productFiles(): Pick<AppOptions, 'assetsDir' | 'rendererDir' | 'programs' | 'guestsDir' | 'readerModule'> {
  const rendererDir = join(root, 'out', 'renderer');
  return {
    assetsDir: join(root, 'assets'),
    rendererDir: existsSync(join(rendererDir, 'index.html')) ? rendererDir : undefined,
    programs: {
      // The built guest starts faster; from the sources it is run as it is. The gateway outlives the core, and so what the core
      // was started from: one file that needs no package beside it.
      guest: (name) => [
        process.execPath,
        ...nodeOptionsOf(name),
        isSource
          ? join(root, 'src-main', 'guests', name, 'main.ts')
          : join(root, 'out', name === 'gateway' ? 'guests' : 'node', `${name}.js`),
      ],
    },
    guestsDir: join(root, 'out', 'guests'),
    readerModule: isSource ? new URL('../../core/read-worker.ts', import.meta.url) : new URL('./read-worker.js', import.meta.url),
  };
}
