import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { playwrightOutcome, sum, toLine, vitestOutcome } from './summary.ts';

let folder = '';
let report = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qd-report-'));
  report = join(folder, 'report.json');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (content: unknown): void => writeFileSync(report, JSON.stringify(content));

const VITEST = { numPassedTests: 5, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, testResults: [] };
const PLAYWRIGHT = { stats: { expected: 3, unexpected: 0, flaky: 0, skipped: 1 }, errors: [] };

describe('vitest', () => {
  it('is counted', () => {
    write(VITEST);
    expect(vitestOutcome(report, 0)).toEqual({ passed: 5, failed: 0, skipped: 2, problems: [] });
  });

  it('counts a file that could not be loaded as failed', () => {
    write({
      ...VITEST,
      testResults: [
        { name: 'a.test.ts', status: 'failed', message: 'no such module', assertionResults: [] },
        { name: 'b.test.ts', status: 'failed', message: '', assertionResults: [{ status: 'failed', fullName: 'b holds' }] },
      ],
    });
    expect(vitestOutcome(report, 1)).toMatchObject({
      failed: 1,
      problems: ['b.test.ts: b holds', 'a.test.ts failed to run: no such module'],
    });
  });

  it('counts a bad end without a failed test as failed', () => {
    write(VITEST);
    expect(vitestOutcome(report, 1).failed).toBe(1);
    expect(vitestOutcome(report, null).failed).toBe(1);
  });

  it('counts a missing report as failed', () => {
    expect(vitestOutcome(report, 0).failed).toBe(1);
    writeFileSync(report, '');
    expect(vitestOutcome(report, 0).failed).toBe(1);
  });
});

describe('Playwright', () => {
  it('is counted', () => {
    write(PLAYWRIGHT);
    expect(playwrightOutcome(report, 0)).toEqual({ passed: 3, failed: 0, skipped: 1, problems: [] });
  });

  it('counts flaky specs and errors outside specs as failed', () => {
    write({ stats: { ...PLAYWRIGHT.stats, unexpected: 1, flaky: 1 }, errors: [{ message: 'bad config' }] });
    expect(playwrightOutcome(report, 1)).toMatchObject({ failed: 3, problems: ['Playwright: bad config'] });
  });

  it('names the specs that failed or passed only on a retry, however deep they stand', () => {
    const spec = (title: string, ok: boolean, status: string) => ({ title, file: 'a.spec.ts', ok, tests: [{ status }] });
    write({
      ...PLAYWRIGHT,
      stats: { ...PLAYWRIGHT.stats, unexpected: 1, flaky: 1 },
      suites: [
        {
          specs: [spec('good', true, 'expected')],
          suites: [{ specs: [spec('bad', false, 'unexpected'), spec('odd', true, 'flaky')] }],
        },
      ],
    });
    expect(playwrightOutcome(report, 1).problems).toEqual(['a.spec.ts: bad', 'a.spec.ts: odd']);
  });

  it('counts a bad end without a failed spec as failed', () => {
    write(PLAYWRIGHT);
    expect(playwrightOutcome(report, 1).failed).toBe(1);
  });
});

it('the last line is plain', () => {
  const one = { passed: 1, failed: 0, skipped: 2 };
  expect(toLine(sum([one, one, { passed: 0, failed: 1, skipped: 0 }]))).toBe('2 passed, 1 failed, 4 skipped');
});
