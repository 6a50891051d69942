/**
 * `npm test` and `npm run test:deep` (`--deep`): builds what is stale, checks types, lint, format and unused code, runs vitest and then the
 * Playwright specs, and ends with the one line `N passed, N failed, N skipped` over all of it. The exit code is 1 when
 * anything failed or nothing passed. A deep run leaves out what would only be done again as `npm test` does it, the checks
 * of the sources among it.
 *
 * Environment: QD_REQUIRE_ALL=1 (CI) makes a missing tool a failure.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import { readSources } from '#e2e/checks/sources.ts';
import { deepTests } from './deep-tests.ts';
import { findTools } from './machine.ts';
import { failure, playwrightOutcome, sum, toLine, vitestOutcome } from './summary.ts';
import type { Outcome } from './summary.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const results = join(root, 'test-results');
const isDeep = process.argv.includes('--deep');
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  QD_DEEP: isDeep ? '1' : '0',
  // Built once, before the first test: nothing is swapped under a running core, and every start is quick.
  QUARTERDECK_SKIP_BUILD: '1',
};

/** Runs a command to its end with our standard streams; its exit code, or null when a signal ended it. */
function run(command: string, args: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<number | null> {
  const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...environment, ...extra } });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.once('SIGTERM', forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      process.off('SIGTERM', forward);
      resolve(code);
    });
  });
}

/** A step that is no test: it passes silently, and counts as one failure when it fails. */
async function check(name: string, command: string, args: readonly string[]): Promise<Outcome[]> {
  process.stdout.write(`\n# ${name}\n`);
  const code = await run(command, args);
  return code === 0 ? [] : [failure(`${name} failed`)];
}

async function makeAgentImage(): Promise<Outcome[]> {
  process.stdout.write('\n# agent image\n');
  try {
    process.stdout.write(`${(await ensureTestKit()).reference}\n`);
    return [];
  } catch (error) {
    return [failure(`the agent image could not be made: ${messageOf(error)}`)];
  }
}

/** Runs the tests named, or all of them. */
async function runVitest(paths: readonly string[]): Promise<Outcome> {
  const report = join(results, 'vitest.json');
  process.stdout.write('\n# vitest\n');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run('npx', ['vitest', 'run', ...reporters, ...paths]);
  return vitestOutcome(report, code);
}

/** Runs the browser specs named, or all of them; where there is no browser, only counts them, as skipped. */
async function runPlaywright(hasBrowser: boolean, paths: readonly string[]): Promise<Outcome> {
  const report = join(results, 'playwright.json');
  const args = ['playwright', 'test', '--pass-with-no-tests', ...paths];
  process.stdout.write('\n# Playwright\n');
  const code = await run('npx', hasBrowser ? args : [...args, '--list'], { QD_PLAYWRIGHT_REPORT: report });
  const outcome = playwrightOutcome(report, code);
  if (hasBrowser) return outcome;
  const specs = outcome.passed + outcome.skipped;
  process.stdout.write(`no browser: ${specs} specs were not run\n`);
  return { ...outcome, passed: 0, skipped: specs };
}

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const tools = findTools();
const missing = tools.filter(({ path }) => path === undefined);
for (const { name, without } of missing) process.stdout.write(`This machine has no ${name}: ${without}\n`);

const outcomes: Outcome[] = [];
if (process.env['QD_REQUIRE_ALL'] === '1') outcomes.push(...missing.map(({ name }) => failure(`${name} is required here`)));
outcomes.push(...(await check('build', process.execPath, ['bin/build.mjs', '--if-stale'])));
if (!isDeep) {
  outcomes.push(...(await check('types', 'npm', ['run', '--silent', 'typecheck'])));
  outcomes.push(...(await check('oxlint', 'npx', ['oxlint'])));
  outcomes.push(...(await check('format', 'npx', ['oxfmt', '--check'])));
  outcomes.push(...(await check('unused code', 'npx', ['knip'])));
}
// Once, before tests at the same time would each make it.
if (tools.some(({ name, path }) => name === 'container engine' && path !== undefined)) outcomes.push(...(await makeAgentImage()));
const only = isDeep ? deepTests(readSources()) : { vitest: [], playwright: [] };
const hasBrowser = tools.some(({ name, path }) => name === 'chromium' && path !== undefined);
outcomes.push(await runVitest(only.vitest));
outcomes.push(await runPlaywright(hasBrowser, only.playwright));

const total = sum(outcomes);
const isGood = total.failed === 0 && total.passed > 0;
process.stdout.write('\n');
const problems = outcomes.flatMap((outcome) => outcome.problems);
for (const problem of problems) process.stdout.write(`FAILED: ${problem}\n`);
if (missing.length > 0) process.stdout.write(`Missing on this machine: ${missing.map(({ name }) => name).join(', ')}\n`);
writeFileSync(join(results, 'summary.json'), `${JSON.stringify({ ...total, problems })}\n`);
process.stdout.write(`${toLine(total)}\n`);
process.exitCode = isGood ? 0 : 1;
