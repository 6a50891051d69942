/**
 * `npm run typecheck`: runs tsc on every project that tsconfig.json refers to, as many at a time as there are cores, and
 * ends with 1 when one of them has an error. A project without a source yet has nothing to check.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { references } = /** @type {{references: {path: string}[]}} */ (
  JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'))
);

/** TypeScript's "No inputs were found in config file". */
const NO_INPUTS = 'error TS18003';

/**
 * @param {string} project
 * @returns {Promise<boolean>} whether it has no error
 */
function check(project) {
  const child = spawn(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project, '--pretty', 'false'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (/** @type {Buffer} */ chunk) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const isEmpty = output.includes(NO_INPUTS);
      if (code !== 0 && !isEmpty) process.stdout.write(output);
      resolve(code === 0 || isEmpty);
    });
  });
}

const queue = references.map(({ path }) => path);
let isGood = true;
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let project = queue.shift(); project !== undefined; project = queue.shift()) {
      if (!(await check(project))) isGood = false;
    }
  }),
);
process.exitCode = isGood ? 0 : 1;
