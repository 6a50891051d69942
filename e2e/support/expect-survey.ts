/** Compares what a sample crew reported with the facts found by other means. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import * as z from 'zod';
import { Survey } from '#shared/worker/survey-model.ts';
import type { Facts } from './facts.ts';

/** The `data` of the reply that ends a survey. */
export const SurveyReply = z.object({
  ok: z.literal(true),
  result: z.object({ merge: Survey, report: z.looseObject({ path: z.string() }) }),
  artefacts: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
});

/** The survey has exactly the facts. */
export function expectFacts(survey: Survey, facts: Facts): void {
  expect(survey.totals).toMatchObject({ files: facts.files, bytes: facts.bytes, lines: facts.lines, blank: facts.blank });
  for (const [language, expected] of facts.languages) {
    expect(survey.languages.find((row) => row.language === language)).toMatchObject({ language, ...expected });
  }
  expect(survey.todoCount).toBe(facts.todos.length);
  const todos = survey.todos.map((todo) => `${todo.path}:${todo.line}:${todo.kind}`);
  expect(facts.todos).toEqual(expect.arrayContaining(todos));
  expect(new Set(todos).size).toBe(Math.min(1000, facts.todos.length));
  expect(survey.largestFiles.map((file) => `${file.path}:${file.bytes}`)).toEqual(facts.largest);
  expect(survey.duplicates).toMatchObject({ blocks: facts.duplicateBlocks, lines: facts.duplicateLines });
}

/** The reply and the report.md of a crew that surveyed `folder` are right. */
export async function expectReport(folder: string, reply: unknown, facts: Facts): Promise<void> {
  const parsed = SurveyReply.safeParse(reply);
  if (!parsed.success) throw new Error(`the crew did not succeed: ${JSON.stringify(reply).slice(0, 2_000)}`);
  expectFacts(parsed.data.result.merge, facts);
  const page = await readFile(join(folder, 'report.md'), 'utf8');
  expect(page).toContain(`${facts.files} files, ${facts.bytes} bytes, ${facts.lines} lines`);
  expect(parsed.data.artefacts).toMatchObject([{ path: 'report.md', bytes: Buffer.byteLength(page) }]);
}
