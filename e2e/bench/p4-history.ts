/** P4: what a message costs does not depend on how many are stored: the same load on 10,000 and on ten million. */
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { McpSocket } from './drivers/mcp-socket.ts';
import { runDriver } from './drivers/run-driver.ts';
import type { FleetAgent } from './fleet.ts';
import { startFleet } from './fleet.ts';
import { fillHistory, untilIndexed } from './history.ts';
import type { Figure } from './report.ts';
import { median, percentile } from './report.ts';

const SIZES = [10_000, 10_000_000] as const;
const AGENTS = 50;
const RUNS = 3;
const SECONDS = 5;
const WINDOW = 40;
const PAGE = 50;
const PAGE_READS = 500;

const Rate = z.object({ perSecond: z.number() });

/** A data folder with its history, and the agents whose tokens the driver has. */
interface Store {
  readonly dataDir: string;
  readonly agents: readonly FleetAgent[];
  readonly rates: number[];
  readonly pages: number[];
}

/** Measures; prints what it does on stderr. */
export async function measureHistory(say: (text: string) => void): Promise<Figure[]> {
  const stores: Store[] = [];
  try {
    for (const size of SIZES) {
      say(`storing ${size.toLocaleString('en')} messages`);
      stores.push(await makeStore(size));
    }
    for (let run = 1; run <= RUNS; run += 1) {
      for (const [index, store] of stores.entries()) {
        const core = await startCore({ dataDir: store.dataDir, isBuilt: true });
        try {
          // The first start indexes all that was stored, which the later ones find done.
          await untilIndexed(new RestClient(core));
          await measureOne(core, store);
        } finally {
          await core.kill();
        }
        say(
          `run ${run}, ${SIZES[index]?.toLocaleString('en')} stored: ${store.rates.at(-1)?.toFixed(0)}/s, inbox page p99 ${percentile(store.pages, 0.99).toFixed(2)} ms`,
        );
      }
    }
  } finally {
    for (const { dataDir } of stores) {
      // Started once more to end the agents, which outlived the cores before.
      await (await startCore({ dataDir, isBuilt: true })).stop();
      removeDataDir(dataDir);
    }
  }
  const [few, many] = stores;
  if (few === undefined || many === undefined) return [];
  const least = median(few.rates) * 0.8;
  return [
    {
      id: 'P4',
      what: 'sent, delivered, acknowledged with 10,000,000 stored',
      figure: median(many.rates),
      unit: 'msg/s',
      against: least,
      againstWhat: `0.8 × with 10,000 stored (${median(few.rates).toFixed(0)}/s)`,
      isLessBetter: false,
      runs: RUNS,
    },
    {
      id: 'P4',
      what: `inbox page of ${PAGE} with 10,000,000 stored, p99`,
      figure: percentile(many.pages, 0.99),
      unit: 'ms',
      against: 5,
      againstWhat: 'limit',
      isLessBetter: true,
      runs: many.pages.length,
    },
  ];
}

async function makeStore(size: number): Promise<Store> {
  const dataDir = makeDataDir();
  const core = await startCore({ dataDir, isBuilt: true });
  const agents = await startFleet(core, AGENTS);
  await core.kill();
  fillHistory(dataDir, size);
  return { dataDir, agents, rates: [], pages: [] };
}

async function measureOne(core: TestCore, { agents, rates, pages }: Store): Promise<void> {
  const url = core.run.agentWsUrl;
  const load = { url, transport: 'ws', agents, seconds: SECONDS, window: WINDOW };
  rates.push(Rate.parse(await runDriver('mail-driver', load)).perSecond);
  const [reader, writer] = agents;
  if (reader === undefined || writer === undefined) return;
  const from = await McpSocket.open(url, writer.token);
  for (let n = 0; n < PAGE; n += 1) await from.call('send_message', { to: reader.id, body: 'y'.repeat(500) });
  from.close();
  const socket = await McpSocket.open(url, reader.token);
  for (let n = 0; n < PAGE_READS; n += 1) {
    const startedAt = performance.now();
    await socket.call('get_messages', { limit: PAGE });
    pages.push(performance.now() - startedAt);
  }
  socket.close();
}
