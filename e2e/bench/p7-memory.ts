/** P7: memory of the headless core: at the start, per connected agent, with 200 agents' terminals open. */
import WebSocket from 'ws';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { ClientFrame, decodeFrame, encodeFrame, ServerFrame } from '#shared/terminals/frames.ts';
import { McpSocket } from './drivers/mcp-socket.ts';
import { startFleet } from './fleet.ts';
import type { Figure } from './report.ts';
import { median } from './report.ts';

const AGENTS = 200;
/** Views on one link; the core allows 64. */
const VIEWS_PER_LINK = 50;
const MB = 2 ** 20;

const Stats = z.object({ memoryBytes: z.number() });

/** The middle of some readings: garbage comes and goes. */
async function memoryOf(core: TestCore): Promise<number> {
  const rest = new RestClient(core);
  const readings: number[] = [];
  for (let n = 0; n < 7; n += 1) {
    readings.push(Stats.parse(await rest.ok('GET', '/system/stats')).memoryBytes);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return median(readings);
}

async function openViews(core: TestCore, ids: readonly string[]): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  for (let from = 0; from < ids.length; from += VIEWS_PER_LINK) {
    const socket = new WebSocket(`${core.run.url.replace('http', 'ws')}terminals`, {
      headers: { authorization: `Bearer ${core.token}` },
      perMessageDeflate: false,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    const share = ids.slice(from, from + VIEWS_PER_LINK);
    const painted = new Set<number>();
    const all = new Promise<void>((resolve, reject) => {
      socket.on('message', (data: Buffer) => {
        const frame = decodeFrame(data);
        if (frame?.type === ServerFrame.failed) reject(new Error(Buffer.from(frame.payload).toString('utf8')));
        if (frame?.type === ServerFrame.screen) painted.add(frame.channel);
        if (painted.size === share.length) resolve();
      });
    });
    for (const [channel, agentId] of share.entries()) {
      socket.send(encodeFrame(ClientFrame.open, channel, Buffer.from(JSON.stringify({ agentId, cols: 120, rows: 32 }))));
    }
    await all;
    sockets.push(socket);
  }
  return sockets;
}

/** Measures; prints what it does on stderr. */
export async function measureMemory(say: (text: string) => void): Promise<Figure[]> {
  const core = await startCore({ isBuilt: true });
  try {
    const atStart = await memoryOf(core);
    say(`at the start: ${(atStart / MB).toFixed(0)} MB`);
    const agents = await startFleet(core, AGENTS);
    const before = await memoryOf(core);
    const sockets = await Promise.all(agents.map((agent) => McpSocket.open(core.run.agentWsUrl, agent.token)));
    for (const socket of sockets) await socket.call('get_messages', {});
    const connected = await memoryOf(core);
    say(`${AGENTS} agents: ${(before / MB).toFixed(0)} MB, connected: ${(connected / MB).toFixed(0)} MB`);
    const views = await openViews(
      core,
      agents.map((agent) => agent.id),
    );
    const viewed = await memoryOf(core);
    say(`with their terminals open: ${(viewed / MB).toFixed(0)} MB`);
    for (const socket of sockets) socket.close();
    for (const view of views) view.close();
    return [
      {
        id: 'P7',
        what: 'memory of the headless core at the start',
        figure: atStart / MB,
        unit: 'MB',
        against: 150,
        againstWhat: 'limit',
        isLessBetter: true,
        runs: 7,
      },
      {
        id: 'P7',
        what: 'memory per connected agent',
        figure: Math.max(0, connected - before) / AGENTS / 1024,
        unit: 'KB',
        against: 100,
        againstWhat: 'limit',
        isLessBetter: true,
        runs: 7,
      },
      {
        id: 'P7',
        what: `memory with the terminals of ${AGENTS} agents open`,
        figure: viewed / MB,
        unit: 'MB',
        against: 350,
        againstWhat: 'limit',
        isLessBetter: true,
        runs: 7,
      },
    ];
  } finally {
    await core.stop();
    removeDataDir(core.dataDir);
  }
}
