/** For ./lock.test.ts: takes the lock named on the command line, says so, and holds it until it is killed. */
import { takeLock } from './lock.ts';

const [file = ''] = process.argv.slice(2);
try {
  // Nothing refers to the lock: it must hold all the same, whenever the garbage collector runs.
  takeLock(file, 'the test folder');
  globalThis.gc?.();
  process.stdout.write('held\n');
  setInterval(() => undefined, 60_000);
} catch (error) {
  process.stdout.write(`refused ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}\n`);
}
