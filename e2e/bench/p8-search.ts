/** P8: searches over a million messages, from a thread of their own, while nothing else and while messages are sent. */
import * as z from 'zod';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { startFleet } from './fleet.ts';
import { fillHistory, untilIndexed } from './history.ts';
import type { Figure } from './report.ts';
import { percentile } from './report.ts';

const AGENTS = 5;
const STORED = Number(process.env['QD_BENCH_STORED'] ?? 1_000_000);
const SEARCHES = 400;

const Page = z.object({ results: z.array(z.unknown()), searchedTo: z.number().nullable() });
const Stats = z.object({ eventLoop: z.object({ p999Ms: z.number(), maxMs: z.number() }) });

/** A word that stands in about one of `rank` messages: a few are everywhere, most are rare, as in a language. */
const wordOf = (rank: number): string => `word${rank}`;

/** Forty words of a message, the frequent ones more often; the same for the same number. */
function bodyOf(number: number): string {
  let state = (number * 2_654_435_761) >>> 0;
  const words: string[] = [];
  for (let n = 0; n < 40; n += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words.push(wordOf(Math.floor(1 / ((state + 1) / 2 ** 32 + 1 / 200_000))));
  }
  return words.join(' ');
}

/** What is asked: rare and common words, both together, phrases, beginnings, filters, by relevance. */
function searchOf(n: number): string {
  const query = [
    'word1',
    `word${1_000 + n}`,
    `word1 word2 word${50 + (n % 200)}`,
    '"word1 word2"',
    `word${100 + n} -word1`,
    `word1${n % 10}*`,
    'word1 from:bench-3 kind:note',
    'word1 word2 word3 to:nobody',
    `word${20 + n} after:1h`,
  ][n % 10];
  return query === undefined ? 'query=word1%20word2&rank=relevance' : `query=${encodeURIComponent(query)}`;
}

async function searches(rest: RestClient): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < SEARCHES; n += 1) {
    const startedAt = performance.now();
    Page.parse(await rest.ok('GET', `/messages:search?${searchOf(n)}`));
    took.push(performance.now() - startedAt);
  }
  return took;
}

/** Measures; prints what it does on stderr. */
export async function measureSearch(say: (text: string) => void): Promise<Figure[]> {
  const dataDir = makeDataDir();
  let core = await startCore({ dataDir, isBuilt: true });
  try {
    await startFleet(core, AGENTS);
    await core.kill();
    say(`storing ${STORED} messages`);
    fillHistory(dataDir, STORED, bodyOf);
    core = await startCore({ dataDir, isBuilt: true });
    const rest = new RestClient(core);
    const startedAt = performance.now();
    await untilIndexed(rest);
    say(`indexed in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
    const alone = await searches(rest);
    say(
      `alone: p50 ${percentile(alone, 0.5).toFixed(1)} ms, p95 ${percentile(alone, 0.95).toFixed(1)} ms, longest ${Math.max(...alone).toFixed(0)} ms`,
    );
    let isOver = false;
    let sent = 0;
    const sending = (async () => {
      for (; !isOver; sent += 1) await rest.ok('POST', '/messages', { to: 'bench-1', body: bodyOf(sent) });
    })();
    const busy = await searches(rest);
    isOver = true;
    await sending;
    const stats = Stats.parse(await rest.ok('GET', '/system/stats'));
    say(
      `while ${sent} messages were sent: p50 ${percentile(busy, 0.5).toFixed(1)} ms, p95 ${percentile(busy, 0.95).toFixed(1)} ms; event loop blocked at most ${stats.eventLoop.maxMs} ms`,
    );
    const what = `over ${STORED.toLocaleString('en')} messages, REST, p95 of ${SEARCHES} of ten kinds`;
    const limit = { unit: 'ms', against: 100, againstWhat: 'limit', isLessBetter: true, runs: 1 } as const;
    return [
      { id: 'P8', what: `search ${what}`, figure: percentile(alone, 0.95), ...limit },
      { id: 'P8', what: 'search while messages are sent, p95', figure: percentile(busy, 0.95), ...limit },
      { id: 'P8', what: 'event loop blocked by that, p99.9', figure: stats.eventLoop.p999Ms, ...limit, against: 10 },
    ];
  } finally {
    await core.stop();
    removeDataDir(dataDir);
  }
}
