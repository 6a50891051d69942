/**
 * P5: reading and acknowledging, and sending, against crowd-mcp. It is not on npm, so that its figures are those measured once
 * (commit 9b660ed, HTTP, with agents that its Docker client listed), scaled by how much faster or slower this machine
 * is at the two things it spends its time on: JSON and writing.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, scratchFolder } from '#core/runtimes/testing/support.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import * as z from 'zod';
import { McpHttp } from './drivers/mcp-http.ts';
import { startFleet } from './fleet.ts';
import type { FleetAgent } from './fleet.ts';
import { fillHistory } from './history.ts';
import type { Figure } from './report.ts';
import { median, percentile } from './report.ts';

/** What was measured of crowd-mcp on the machine of those figures, a second. */
const CROWD = [
  { history: 1_000, acknowledgedPerS: 221, sentPerS: 7_000, times: 50 },
  { history: 100_000, acknowledgedPerS: 3.2, sentPerS: 4_200, times: 1_000 },
] as const;
/** The floors of that machine: encoding an object of 600 bytes as JSON, and a synced append of 4 KB, in milliseconds. */
const THEIR_JSON_MS = 0.0029;
const THEIR_FSYNC_MS = 0.17;

const RUNS = 3;
const UNREAD = 2_000;
const PAGE = 200;
const SENDS = 3_000;
const SENDERS = 50;

const Mail = z.object({ messages: z.array(z.object({ id: z.string() })) });

/** Measures; prints what it does on stderr. */
export async function measureAgainstCrowd(say: (text: string) => void): Promise<Figure[]> {
  const floor = { json: jsonFloorMs(), fsync: fsyncFloorMs() };
  // Marking rewrites its whole history as JSON; sending parses one call and appends, without a sync.
  const jsonScale = THEIR_JSON_MS / floor.json;
  say(
    `floors here: JSON ${(floor.json * 1_000).toFixed(1)} µs (theirs ${THEIR_JSON_MS * 1_000}), synced append ${floor.fsync.toFixed(2)} ms (theirs ${THEIR_FSYNC_MS})`,
  );
  const figures: Figure[] = [];
  for (const peer of CROWD) {
    const dataDir = makeDataDir();
    let core = await startCore({ dataDir, isBuilt: true });
    try {
      const agents = await startFleet(core, 2);
      await core.kill();
      fillHistory(dataDir, peer.history);
      core = await startCore({ dataDir, isBuilt: true });
      const rest = new RestClient(core);
      const acknowledged: number[] = [];
      const sent: number[] = [];
      for (let run = 0; run < RUNS; run += 1) {
        sent.push(await sendRate(core.run.agentMcpUrl, agents));
        acknowledged.push(await acknowledgeRate(rest, core.run.agentMcpUrl, agents));
      }
      const where = `${peer.history.toLocaleString('en')} stored`;
      say(`${where}: ${median(acknowledged).toFixed(0)} read and acknowledged a second, ${median(sent).toFixed(0)} sent`);
      figures.push(
        {
          id: 'P5',
          what: `read and acknowledged, ${where}`,
          figure: median(acknowledged),
          unit: 'msg/s',
          against: peer.times * peer.acknowledgedPerS * jsonScale,
          againstWhat: `${peer.times} × crowd-mcp, scaled`,
          isLessBetter: false,
          runs: RUNS,
        },
        {
          id: 'P5',
          what: `sent over HTTP by ${SENDERS} at once, ${where}`,
          figure: median(sent),
          unit: 'msg/s',
          against: peer.sentPerS * jsonScale,
          againstWhat: 'crowd-mcp, scaled; it does not sync, we do',
          isLessBetter: false,
          runs: RUNS,
        },
      );
    } finally {
      await core.stop();
      removeDataDir(dataDir);
    }
  }
  return figures;
}

async function sendRate(url: string, [from, to]: readonly FleetAgent[]): Promise<number> {
  if (from === undefined || to === undefined) throw new Error('two agents are needed');
  const client = new McpHttp(url, from.token);
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      for (let n = 0; n < SENDS / SENDERS; n += 1) await client.call('send_message', { to: to.id, body: 'x'.repeat(500) });
    }),
  );
  const perSecond = (SENDS / (performance.now() - startedAt)) * 1_000;
  client.close();
  return perSecond;
}

/** Empties the inbox page by page: read, acknowledge, again. */
async function acknowledgeRate(rest: RestClient, url: string, [, reader]: readonly FleetAgent[]): Promise<number> {
  if (reader === undefined) throw new Error('two agents are needed');
  for (let n = 0; n < UNREAD; n += SENDERS)
    await Promise.all(
      Array.from({ length: SENDERS }, () => rest.ok('POST', '/messages', { to: reader.id, body: 'x'.repeat(500) })),
    );
  const client = new McpHttp(url, reader.token);
  let count = 0;
  const startedAt = performance.now();
  for (;;) {
    const { messages } = Mail.parse(await client.call('get_messages', { limit: PAGE }));
    if (messages.length === 0) break;
    await client.call('mark_messages_read', { messageIds: messages.map(({ id }) => id) });
    count += messages.length;
  }
  const perSecond = (count / (performance.now() - startedAt)) * 1_000;
  client.close();
  return perSecond;
}

/** Encoding an object of 600 bytes, in milliseconds. */
function jsonFloorMs(): number {
  const message = { id: 'msg_0', from: 'a', to: ['b'], body: 'x'.repeat(520), at: Date.now(), isRead: false };
  const rounds: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const startedAt = performance.now();
    for (let n = 0; n < 2_000; n += 1) JSON.parse(JSON.stringify(message));
    // Encoded and decoded: both took the same time there.
    rounds.push((performance.now() - startedAt) / 2_000 / 2);
  }
  return median(rounds);
}

function fsyncFloorMs(): number {
  const folder = scratchFolder();
  const fd = openSync(join(folder, 'floor'), 'a');
  const page = Buffer.alloc(4096, 1);
  const times = Array.from({ length: 200 }, () => {
    writeSync(fd, page);
    const startedAt = performance.now();
    fsyncSync(fd);
    return performance.now() - startedAt;
  });
  closeSync(fd);
  removeFolder(folder);
  return percentile(times, 0.5);
}
