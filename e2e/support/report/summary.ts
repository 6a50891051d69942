import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';

/** How many tests ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What a runner left behind: its counts, and a line for each failure: the test's name, or a sentence where no test stands for it. */
export interface Outcome extends Counts {
  readonly problems: readonly string[];
}

const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };

/** The sum of several counts. */
export function sum(all: readonly Counts[]): Counts {
  return all.reduce(
    (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }),
    NONE,
  );
}

/** The one plain line that a run ends with; .ci/run and people read it. */
export function toLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** A failure that no test stands for counts as one failed test, so that the last line cannot look clean. */
export function failure(problem: string): Outcome {
  return { passed: 0, failed: 1, skipped: 0, problems: [problem] };
}

/** The part of vitest's JSON report that is read (jest's format). */
const VitestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string().optional() })),
    }),
  ),
});

/**
 * vitest's outcome, from its JSON report and exit code. A file that failed without a failed test (an import error) and a
 * bad exit without any failure (an unhandled rejection) count as failed too.
 */
export function vitestOutcome(reportFile: string, exitCode: number | null): Outcome {
  const report = parseReport(VitestReport, reportFile);
  if (report === undefined) return failure(`vitest left no report (exit code ${exitCode})`);
  const failedTests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map((test) => `${name}: ${test.fullName ?? 'a test without a name'}`),
  );
  const failedFiles = report.testResults
    .filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'))
    .map(({ name, message }) => `${name} failed to run${message ? `: ${message}` : ''}`);
  return withExitCode(
    'vitest',
    {
      passed: report.numPassedTests,
      failed: report.numFailedTests + failedFiles.length,
      skipped: report.numPendingTests + report.numTodoTests,
      problems: [...failedTests, ...failedFiles],
    },
    exitCode,
  );
}

/** A file's or a describe block's specs, as Playwright nests them. */
const PlaywrightSuite = z.object({
  specs: z
    .array(z.object({ title: z.string(), file: z.string(), ok: z.boolean(), tests: z.array(z.object({ status: z.string() })) }))
    .default([]),
  get suites() {
    return z.array(PlaywrightSuite).default([]);
  },
});

function failedSpecs(suites: readonly z.infer<typeof PlaywrightSuite>[]): string[] {
  return suites.flatMap(({ specs, suites: inner }) => [
    ...specs
      .filter(({ ok, tests }) => !ok || tests.some(({ status }) => status === 'flaky'))
      .map(({ file, title }) => `${file}: ${title}`),
    ...failedSpecs(inner),
  ]);
}

/** The part of Playwright's JSON report that is read. */
const PlaywrightReport = z.object({
  suites: z.array(PlaywrightSuite).default([]),
  stats: z.object({ expected: z.number(), unexpected: z.number(), flaky: z.number(), skipped: z.number() }),
  errors: z.array(z.object({ message: z.string().optional() })),
});

/** Playwright's outcome, from its JSON report and exit code. A flaky test (passed on a retry) counts as failed. */
export function playwrightOutcome(reportFile: string, exitCode: number | null): Outcome {
  const report = parseReport(PlaywrightReport, reportFile);
  if (report === undefined) return failure(`Playwright left no report (exit code ${exitCode})`);
  const { stats } = report;
  const errors = report.errors.map(({ message }) => `Playwright: ${message ?? 'an error without a message'}`);
  return withExitCode(
    'Playwright',
    {
      passed: stats.expected,
      failed: stats.unexpected + stats.flaky + errors.length,
      skipped: stats.skipped,
      problems: [...failedSpecs(report.suites), ...errors],
    },
    exitCode,
  );
}

function withExitCode(runner: string, outcome: Outcome, exitCode: number | null): Outcome {
  if (exitCode === 0 || outcome.failed > 0) return outcome;
  const problem = `${runner} ended with ${exitCode ?? 'a signal'} although no test failed`;
  return { ...outcome, failed: 1, problems: [...outcome.problems, problem] };
}

function parseReport<T>(schema: z.ZodType<T>, file: string): T | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  return text.trim() === '' ? undefined : schema.parse(JSON.parse(text));
}
