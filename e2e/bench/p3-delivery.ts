/** P3: delivery at 1,000 messages a second, 200 agents, a million stored messages; and P8 over the same load. */
import * as z from 'zod';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { runDriver } from './drivers/run-driver.ts';
import { startFleet } from './fleet.ts';
import { fillHistory, untilIndexed } from './history.ts';
import type { Figure } from './report.ts';
import { median, percentile } from './report.ts';

const AGENTS = 200;
const STORED = 1_000_000;
const RATE_PER_S = 1_000;
const SECONDS = 10;
const RUNS = 3;

const Result = z.object({ sent: z.number(), failures: z.number(), latencies: z.array(z.number()) });
const Stats = z.object({
  eventLoop: z.object({ p999Ms: z.number(), maxMs: z.number() }),
  store: z.object({ commitP50Ms: z.number(), commitP99Ms: z.number(), commitMaxMs: z.number() }),
  memoryBytes: z.number(),
});

/** Measures; prints what it does on stderr. */
export async function measureDelivery(say: (text: string) => void): Promise<Figure[]> {
  const dataDir = makeDataDir();
  let core = await startCore({ dataDir, isBuilt: true });
  try {
    say(`starting ${AGENTS} agents`);
    const agents = await startFleet(core, AGENTS);
    await core.kill();
    say(`storing ${STORED} messages`);
    fillHistory(dataDir, STORED);
    core = await startCore({ dataDir, isBuilt: true });
    const rest = new RestClient(core);
    say('waiting for the search index');
    await untilIndexed(rest);
    const p50: number[] = [];
    const p99: number[] = [];
    for (let run = 1; run <= RUNS; run += 1) {
      const result = Result.parse(
        await runDriver('delivery-driver', { url: core.run.agentWsUrl, agents, ratePerS: RATE_PER_S, seconds: SECONDS }),
      );
      if (result.failures > 0) throw new Error(`${result.failures} calls failed`);
      p50.push(percentile(result.latencies, 0.5));
      p99.push(percentile(result.latencies, 0.99));
      say(
        `run ${run}: ${result.sent} sent, ${result.latencies.length} measured, p50 ${p50.at(-1)?.toFixed(2)} ms, p99 ${p99.at(-1)?.toFixed(2)} ms`,
      );
    }
    const stats = Stats.parse(await rest.ok('GET', '/system/stats'));
    say(
      `commits: p50 ${stats.store.commitP50Ms.toFixed(2)} ms, p99 ${stats.store.commitP99Ms.toFixed(2)} ms, longest ${stats.store.commitMaxMs.toFixed(0)} ms; longest block of the event loop without them ${stats.eventLoop.maxMs} ms; ${(stats.memoryBytes / 2 ** 20).toFixed(0)} MB`,
    );
    const pages: number[] = [];
    for (let n = 0; n < 50; n += 1) {
      const startedAt = performance.now();
      await rest.ok('GET', `/messages?participant=bench-${n}&limit=50`);
      pages.push(performance.now() - startedAt);
    }
    const where = `${RATE_PER_S} msg/s, ${AGENTS} agents, ${STORED.toLocaleString('en')} stored, WebSocket MCP`;
    return [
      {
        id: 'P3',
        what: `delivery p50 (${where})`,
        figure: median(p50),
        unit: 'ms',
        against: 1,
        againstWhat: 'limit',
        isLessBetter: true,
        runs: RUNS,
      },
      {
        id: 'P3',
        what: 'delivery p99',
        figure: median(p99),
        unit: 'ms',
        against: 5,
        againstWhat: 'limit',
        isLessBetter: true,
        runs: RUNS,
      },
      {
        id: 'P8',
        what: 'event loop blocked, p99.9 under that load, commits apart',
        figure: stats.eventLoop.p999Ms,
        unit: 'ms',
        against: 10,
        againstWhat: 'limit',
        isLessBetter: true,
        runs: 1,
      },
      {
        id: 'P8',
        what: `page of one participant's history at ${STORED.toLocaleString('en')}, p95`,
        figure: percentile(pages, 0.95),
        unit: 'ms',
        against: 100,
        againstWhat: 'limit for reads from the worker',
        isLessBetter: true,
        runs: pages.length,
      },
    ];
  } finally {
    await core.stop();
    removeDataDir(dataDir);
  }
}
