/**
 * P1 and P2: durable messages a second, sent, delivered and acknowledged, over WebSocket and Streamable HTTP, with Redis streams
 * (`appendfsync always`) as the peer of the same run; and in process against raw SQLite.
 */
import * as z from 'zod';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { hasRedis, startRedis } from './drivers/redis.ts';
import { runDriver } from './drivers/run-driver.ts';
import { startFleet } from './fleet.ts';
import { measureInProcess } from './p2-in-process.ts';
import type { Figure } from './report.ts';
import { median } from './report.ts';

const AGENTS = 100;
const RUNS = 3;
const SECONDS = 5;
/** Messages of one agent that may be under way. */
const WINDOW = 40;
const REDIS_CLIENTS = 50;
/** P1's share of Redis: what is done besides (identity, validation, audit, the history) costs the rest. */
const SHARE_OF_REDIS = 0.3;

const Rate = z.object({ perSecond: z.number() });

/** Measures; prints what it does on stderr. */
export async function measureThroughput(say: (text: string) => void): Promise<Figure[]> {
  const overWebSocket: number[] = [];
  const overHttp: number[] = [];
  const overRedis: number[] = [];
  const redis = hasRedis() ? await startRedis() : undefined;
  if (redis === undefined) say('redis-server is not installed: measured without its peer');
  const dataDir = makeDataDir();
  const core = await startCore({ dataDir, isBuilt: true });
  try {
    const agents = await startFleet(core, AGENTS);
    const load = { agents, seconds: SECONDS, window: WINDOW };
    for (let run = 1; run <= RUNS; run += 1) {
      const ws = Rate.parse(await runDriver('mail-driver', { ...load, url: core.run.agentWsUrl, transport: 'ws' }));
      overWebSocket.push(ws.perSecond);
      if (redis !== undefined) {
        const input = { socketPath: redis.socketPath, clients: REDIS_CLIENTS, seconds: SECONDS };
        overRedis.push(Rate.parse(await runDriver('redis-driver', input)).perSecond);
      }
      const http = Rate.parse(await runDriver('mail-driver', { ...load, url: core.run.agentMcpUrl, transport: 'http' }));
      overHttp.push(http.perSecond);
      say(
        `run ${run}: WebSocket ${ws.perSecond.toFixed(0)}/s, HTTP ${http.perSecond.toFixed(0)}/s, Redis ${(overRedis.at(-1) ?? Number.NaN).toFixed(0)}/s`,
      );
    }
  } finally {
    await core.stop();
    removeDataDir(dataDir);
    await redis?.stop();
  }
  const inProcess = await measureInProcess(RUNS);
  say(`in process ${median(inProcess.router).toFixed(0)}/s, raw SQLite ${median(inProcess.raw).toFixed(0)}/s`);
  const rate = (id: string, what: string, values: readonly number[], against: number, againstWhat: string): Figure => ({
    id,
    what,
    figure: median(values),
    unit: 'msg/s',
    against,
    againstWhat,
    isLessBetter: false,
    runs: values.length,
  });
  return [
    rate('P1', `sent, delivered, acknowledged over WebSocket MCP, ${AGENTS} agents`, overWebSocket, 5_000, 'limit'),
    ...(overRedis.length === 0
      ? []
      : [
          rate(
            'P1',
            'the same against Redis streams',
            overWebSocket,
            median(overRedis) * SHARE_OF_REDIS,
            `${SHARE_OF_REDIS} × Redis streams, fsync always, ${REDIS_CLIENTS} clients (${median(overRedis).toFixed(0)}/s)`,
          ),
        ]),
    rate('P2', 'the same over Streamable HTTP by long-poll', overHttp, 2_000, 'limit'),
    rate('P2', 'in process: router and store', inProcess.router, median(inProcess.raw) * 0.6, '0.6 × raw SQLite, batched'),
  ];
}
