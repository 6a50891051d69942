/** P15, as far as the spine goes: what the reference programs claim, as floors. P9's part for tmux with it, against bare tmux. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { createORPCClient } from '@orpc/client';
import type { ContractRouterClient } from '@orpc/contract';
import { RPCLink } from '@orpc/client/websocket';
import type { Contract } from '#shared/contract.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import type { Figure } from './report.ts';
import { median, percentile } from './report.ts';

const run = promisify(execFile);
const CALLS = 100;
const SPAWNS = 24;
/** How long the idle core is watched, in milliseconds. */
const IDLE_MS = 10_000;

async function time(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** CPU time of a process in milliseconds, from /proc. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function connect(core: TestCore): { client: ContractRouterClient<Contract>; close: () => void } {
  const socket = new WebSocket(`${core.run.url.replace('http', 'ws')}rpc`, {
    headers: { authorization: `Bearer ${core.token}` },
    perMessageDeflate: false,
  });
  return { client: createORPCClient(new RPCLink({ websocket: socket })), close: () => socket.close() };
}

/** From a call to the moment a window that follows the journal has the event. */
async function eventTimes(core: TestCore, folder: string): Promise<number[]> {
  const { client, close } = connect(core);
  const rest = new RestClient(core);
  const { seq } = await client.journal.snapshot({});
  const abort = new AbortController();
  const items = await client.journal.follow({ after: seq }, { signal: abort.signal });
  const seen = new Map<string, (at: number) => void>();
  const reading = (async () => {
    for await (const item of items) {
      if (item.type !== 'events') continue;
      for (const event of item.events) if (event.kind === 'message.sent') seen.get(event.data.message.body)?.(performance.now());
    }
  })();
  const times: number[] = [];
  await rest.ok('POST', '/projects', { folder });
  for (let n = 0; n < CALLS; n += 1) {
    const body = `event ${n}`;
    const arrived = new Promise<number>((resolve) => seen.set(body, resolve));
    const startedAt = performance.now();
    await rest.ok('POST', '/messages', { to: 'operator', body });
    times.push((await arrived) - startedAt);
  }
  abort.abort();
  await reading.catch(() => undefined);
  close();
  return times;
}

async function bareTmux(folder: string): Promise<number[]> {
  const socket = join(folder, 'bare.sock');
  const times: number[] = [];
  for (let n = 0; n < 20; n += 1)
    times.push(await time(() => run('tmux', ['-S', socket, 'new-session', '-d', '-s', `s${n}`, 'sleep', '1000'])));
  await run('tmux', ['-S', socket, 'kill-server']);
  return times;
}

/** Measures; prints what it does on stderr. */
export async function measureClaims(say: (text: string) => void): Promise<Figure[]> {
  const core = await startCore({ isBuilt: true });
  const folder = join(core.dataDir, 'bench-project');
  mkdirSync(folder, { recursive: true });
  try {
    const rest = new RestClient(core);
    const spawn = (id: string, start: boolean) =>
      rest.ok('POST', '/agents', { id, type: 'command', command: ['sleep', '1000000'], projectFolder: folder, start });
    await spawn('warm-up', true);

    const registrations: number[] = [];
    for (let n = 0; n < CALLS; n += 1) registrations.push(await time(() => spawn(`reg-${n}`, false)));
    say(`registration: p50 ${median(registrations).toFixed(1)} ms, p95 ${percentile(registrations, 0.95).toFixed(1)} ms`);

    const bare = await bareTmux(folder);
    const ready: number[] = [];
    for (let n = 0; n < 20; n += 1) ready.push(await time(() => spawn(`one-${n}`, true)));
    say(`tmux agent ready: p50 ${median(ready).toFixed(0)} ms; bare new-session ${median(bare).toFixed(0)} ms`);

    const startedAt = performance.now();
    await Promise.all(Array.from({ length: SPAWNS }, (_, n) => spawn(`many-${n}`, true)));
    const perMinute = (SPAWNS / (performance.now() - startedAt)) * 60_000;
    say(`${SPAWNS} spawns at once: ${perMinute.toFixed(0)} a minute`);

    const events = await eventTimes(core, folder);
    const before = cpuMs(core.pid);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const idlePercent = ((cpuMs(core.pid) - before) / IDLE_MS) * 100;
    const { stdout } = await run('du', ['-sk', join(core.dataDir, 'agents', 'one-0')]);
    const diskMb = Number(stdout.split('\t')[0]) / 1024;

    return [
      {
        id: 'P15',
        what: 'registration of an agent, p50',
        figure: median(registrations),
        unit: 'ms',
        against: 15,
        againstWhat: "Vibe Ensemble's claim",
        isLessBetter: true,
        runs: CALLS,
      },
      {
        id: 'P15',
        what: 'tmux agent ready, p50',
        figure: median(ready),
        unit: 'ms',
        against: 5_000,
        againstWhat: "AgentFlow's claim",
        isLessBetter: true,
        runs: ready.length,
      },
      {
        id: 'P9',
        what: 'tmux agent ready over bare tmux new-session, p50',
        figure: median(ready) - median(bare),
        unit: 'ms',
        against: 100,
        againstWhat: `limit; bare ${median(bare).toFixed(0)} ms in this run`,
        isLessBetter: true,
        runs: ready.length,
      },
      {
        id: 'P15',
        what: `agents a minute, ${SPAWNS} spawns at once`,
        figure: perMinute,
        unit: '/min',
        against: 50,
        againstWhat: "AgentFlow's claim",
        isLessBetter: false,
        runs: 1,
      },
      {
        id: 'P15',
        what: 'event to a following window, p95',
        figure: percentile(events, 0.95),
        unit: 'ms',
        against: 50,
        againstWhat: "Vibe Ensemble's claim",
        isLessBetter: true,
        runs: events.length,
      },
      {
        id: 'P15',
        what: `CPU of the idle core with ${SPAWNS + 21} agents`,
        figure: idlePercent,
        unit: '%',
        against: 5,
        againstWhat: 'limit',
        isLessBetter: true,
        runs: 1,
      },
      {
        id: 'P15',
        what: 'disk per agent beside its workspace',
        figure: diskMb,
        unit: 'MB',
        against: 10,
        againstWhat: "AgentFlow's claim",
        isLessBetter: true,
        runs: 1,
      },
    ];
  } finally {
    await core.stop();
    removeDataDir(core.dataDir);
  }
}
