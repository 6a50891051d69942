/** `search`. */
import type { Command } from 'commander';
import * as z from 'zod';
import type { SearchResult, Snippet } from '#shared/search/model.ts';
import { SearchOrder } from '#shared/search/model.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import { usageError } from '../cli-error.ts';
import { wholeNumber } from '../option-schemas.ts';
import type { Output } from '../output.ts';
import { oneLine } from '../output.ts';
import { clockTime } from '../times.ts';
import { projectChoice } from './project-choice.ts';

const SearchOptions = z.object({
  project: z.string().optional(),
  rank: SearchOrder.default('newest'),
  limit: wholeNumber(1, 100).default(20),
  cursor: z.string().optional(),
});

/** A piece with what was found in it made strong. */
function marked(out: Output, { text, matches, isCutBefore, isCutAfter }: Snippet): string {
  let line = isCutBefore ? '… ' : '';
  let at = 0;
  for (const { start, end } of matches) {
    line += oneLine(text.slice(at, start)) + out.style(oneLine(text.slice(start, end)), 'strong');
    at = end;
  }
  return line + oneLine(text.slice(at)) + (isCutAfter ? ' …' : '');
}

function printResult(out: Output, result: SearchResult): void {
  const facts = [result.kind, clockTime(result.sentAt), result.messageId].join(' · ');
  out.line(`${out.style(`${result.from.id} → ${result.to.join(', ')}`, 'strong')}  ${out.style(facts, 'dim')}`);
  if (result.subject !== null) out.line(`  ${out.style(oneLine(result.subject), 'strong')}`);
  out.line(`  ${marked(out, result.snippet)}`);
}

async function search(call: Invocation<z.infer<typeof SearchOptions>>): Promise<void> {
  const { options: o, out } = call;
  const query = call.args.join(' ').trim();
  if (query === '') throw usageError('What to look for is missing: quarterdeck search deploy failed');
  await call.withCore(async (client) => {
    const page = await client.search.messages({
      query,
      rank: o.rank,
      limit: o.limit,
      ...(o.cursor === undefined ? {} : { cursor: o.cursor }),
      ...(o.project === undefined ? {} : { projectId: await projectChoice(client, o.project, call.io.cwd) }),
    });
    out.result(page, () => {
      for (const result of page.results) printResult(out, result);
      if (page.results.length === 0) out.note('Nothing was found.');
      if (!page.isComplete) out.note(`Messages are still being indexed: ${page.indexed} of ${page.total}.`);
      if (page.next !== null) out.note(`There may be more: --cursor ${page.next}`);
    });
  });
}

/** Adds `search`. */
export function addSearchCommand(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'search <query...>',
    summary: 'Find messages by what they say, the newest first',
    details:
      'All words must be there, in any order; "a phrase" stands side by side; dep* is a beginning; from:api to:operator kind:task priority:high topic:health.api session:current after:7d before:2026-11-01 narrow down. A minus before a word or filter excludes it: write it behind --.',
    examples: [
      ['quarterdeck search deploy failed after:1d', 'what was said of failed deploys since yesterday'],
      ['quarterdeck search -- from:api \'"exit code"\' -zero', 'a phrase in what "api" said, without a word'],
    ],
    flags: [
      flag('--project <folder or id>', 'only of this project'),
      flag('--rank <order>', 'newest (default) or relevance'),
      flag('--limit <number>', 'at most this many (default 20)'),
      flag('--cursor <cursor>', 'go on where a page ended'),
    ],
    options: SearchOptions,
    run: search,
  });
}
