/** A small repository for a fleet to work on: the booking of pilots and berths in a harbour. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const MODULES = [
  ['berth', 'assignBerth', 'Gives a ship the smallest free berth that holds it.'],
  ['pilot', 'bookPilot', 'Books the pilot who is nearest to the ship.'],
  ['tide', 'isHighWater', 'Whether a ship of this draught can pass the bar.'],
  ['fee', 'harbourFee', 'What a stay costs.'],
  ['tug', 'tugsFor', 'How many tugs a ship of this length takes.'],
  ['queue', 'nextShip', 'Who comes in next.'],
  ['outbox', 'sendOutbox', 'Sends what waits in the outbox, once.'],
  ['report', 'dayReport', 'What came and went today.'],
  ['clock', 'harbourTime', 'The time at the pier.'],
  ['money', 'roundFee', 'Rounds to whole cents, half to even.'],
] as const;

const TODOS: Readonly<Record<string, string>> = {
  fee: 'TODO: refunds are not counted',
  tide: 'TODO: take the tables of 2027',
  outbox: 'TODO: retry with backoff',
};

const COMMITS = ['Book pilots', 'Assign berths', 'Count tugs by length', 'Round fees half to even', 'Send the outbox once'];

/** Makes the repository in `folder`, with a few commits of a fixed time. */
export function makeHarbor(folder: string): void {
  const files = new Map<string, string>();
  for (const [name, what, does] of MODULES) {
    const todo = TODOS[name] === undefined ? '' : `  // ${TODOS[name]}\n`;
    files.set(
      `src/${name}.mjs`,
      `// ${does}\nexport function ${what}(input) {\n${todo}  return { ...input, by: '${name}' };\n}\n`,
    );
    files.set(
      `test/${name}.test.mjs`,
      `import { ${what} } from '../src/${name}.mjs';\n\nif (${what}({}).by !== '${name}') throw new Error('${what}');\n`,
    );
  }
  files.set('docs/index.md', '# Harbor\n\nSee [berths](berths.md), [pilots](pilots.md) and [fees](fees.md).\n');
  files.set('docs/berths.md', '# Berths\n\nBack to [the start](index.md).\n');
  files.set('docs/pilots.md', '# Pilots\n\nBack to [the start](index.md).\n');
  files.set('README.md', '# harbor\n\nBooks pilots and berths.\n');
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const when = '2026-01-05T09:00:00Z';
  const who = { GIT_AUTHOR_NAME: 'Harbor', GIT_AUTHOR_EMAIL: 'harbor@example.invalid', GIT_AUTHOR_DATE: when };
  const env = {
    ...process.env,
    ...who,
    GIT_COMMITTER_NAME: 'Harbor',
    GIT_COMMITTER_EMAIL: 'harbor@example.invalid',
    GIT_COMMITTER_DATE: when,
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  const git = (...args: string[]): void => void execFileSync('git', args, { cwd: folder, env, stdio: 'ignore' });
  git('init', '--initial-branch=main');
  git('add', '.');
  for (const text of COMMITS) git('commit', '--allow-empty', '--message', text);
}
