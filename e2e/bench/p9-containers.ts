/**
 * P9 and P10, as far as containers go: how soon an agent is ready in one, its proof included, and how many start in a minute,
 * against bare dockerode with the same options in the same run; what one takes of the memory; what looking at all costs.
 */
import { readFileSync } from 'node:fs';
import { agentImageName } from '#core/runtimes/docker/agent-image.ts';
import { containerOptions } from '#core/runtimes/docker/container-options.ts';
import { ensureKit } from '#core/runtimes/docker/image-kit.ts';
import { IMAGE_SOURCE } from '#core/runtimes/docker/testing/agent-image.ts';
import { ContainerBench } from '#core/runtimes/docker/testing/container-bench.ts';
import type { Run } from '#core/runtimes/runtime.ts';
import { agentId, launchSpec, removeFolder, scratchFolder } from '#core/runtimes/testing/support.ts';
import { TmuxRuntime } from '#core/runtimes/tmux/tmux-runtime.ts';
import { TmuxServer } from '#core/runtimes/tmux/tmux-server.ts';
import type { Figure } from './report.ts';
import { median } from './report.ts';

/** One after the other. */
const SINGLE = 10;
/** At once. */
const BATCH = 20;
/** Agents in tmux that are looked at beside the containers. */
const TMUX_AGENTS = 80;
/** What P10 is about. */
const P10_CONTAINERS = 100;
const P10_TMUX = 400;
const P10_CYCLE_MS = 30_000;
const MB = 2 ** 20;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Memory of the process by which the engine holds a container, in bytes: a fair share of what it has with others. */
function shimMemory(run: Run): number {
  const ppid = (pid: number): number => Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  for (let pid = run.pid; pid > 1; pid = ppid(pid)) {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('containerd-shim')) continue;
    return Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024;
  }
  return 0;
}

/** CPU time that this process used for `work`, in milliseconds. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Measures; prints what it does on stderr. Nothing where no engine answers. */
export async function measureContainers(say: (text: string) => void): Promise<Figure[]> {
  const bench = new ContainerBench();
  const runtime = bench.runtime();
  if (!(await runtime.probe()).isAvailable) {
    say('no container engine answers: not measured');
    return [];
  }
  const folder = scratchFolder();
  const server = new TmuxServer({ socketDir: folder, log: () => undefined });
  const tmux = new TmuxRuntime({ socketDir: folder, instanceId: bench.instanceId, log: () => undefined });
  try {
    await bench.prepare();
    const name = await agentImageName(IMAGE_SOURCE);
    const { volume } = await ensureKit(bench.docker, name);
    const spec = (id: string) => bench.boxed(launchSpec(['sleep', '1000000'], { cwd: folder, agentId: agentId(id) }));
    const bare = async (id: string): Promise<void> => {
      const { box, limits } = spec(id);
      if (box === undefined) throw new Error('A box was asked for');
      const options = containerOptions({
        instanceId: bench.instanceId,
        agentId: agentId(id),
        runId: 'bare',
        startedAt: Date.now(),
        limits,
        box,
        image: name.reference,
        imageVolumes: [],
        imageEnv: [],
        kitVolume: volume,
        arch: process.arch === 'arm64' ? 'arm64' : 'x64',
        isPodman: false,
        userProcesses: undefined,
      });
      const container = await bench.docker.createContainer({ ...options, Entrypoint: ['/bin/sleep', '1000000'] });
      await container.start();
    };
    const running: Run[] = [];
    const own = async (id: string): Promise<void> => {
      running.push(await runtime.launch(spec(id)));
    };
    await own('warm-up');
    await bare('bare-warm-up');

    const bareTimes: number[] = [];
    const ownTimes: number[] = [];
    for (let n = 0; n < SINGLE; n += 1) {
      bareTimes.push(await timed(() => bare(`bare-${n}`)));
      ownTimes.push(await timed(() => own(`own-${n}`)));
    }
    say(`ready: p50 ${median(ownTimes).toFixed(0)} ms, bare create and start ${median(bareTimes).toFixed(0)} ms`);
    const proofMs = median(bench.proofs.map(({ tookMs }) => tookMs));
    const sample = running.slice(0, SINGLE);
    const memory = median(await Promise.all(sample.map(async (run) => (await run.stats())?.memoryBytes ?? 0)));
    const shim = median(sample.map(shimMemory));
    say(`memory: ${(memory / MB).toFixed(0)} MB inside, ${(shim / MB).toFixed(1)} MB of the engine's`);

    const all = Array.from({ length: BATCH }, (_, n) => n);
    const bareBatch = await timed(() => Promise.all(all.map((n) => bare(`bare-many-${n}`))));
    const ownBatch = await timed(() => Promise.all(all.map((n) => own(`own-many-${n}`))));
    const perMinute = (ms: number): number => (BATCH / ms) * 60_000;
    say(`${BATCH} at once: ${perMinute(ownBatch).toFixed(0)} a minute, bare ${perMinute(bareBatch).toFixed(0)}`);

    const host = await Promise.all(
      Array.from({ length: TMUX_AGENTS }, (_, n) =>
        tmux.launch(launchSpec(['sleep', '1000000'], { cwd: folder, agentId: agentId(`host-${n}`) })),
      ),
    );
    const look = (runs: readonly Run[]) => () => Promise.all(runs.map((run) => run.stats()));
    await look([...running, ...host])();
    const rounds = 5;
    const repeat = (work: () => Promise<unknown>) => async (): Promise<void> => {
      for (let n = 0; n < rounds; n += 1) await work();
    };
    const perContainer = (await cpuOf(repeat(look(running)))) / rounds / running.length;
    const perHost = (await cpuOf(repeat(look(host)))) / rounds / host.length;
    const share = ((perContainer * P10_CONTAINERS + perHost * P10_TMUX) / P10_CYCLE_MS) * 100;
    say(`one look: ${perContainer.toFixed(2)} ms of CPU for a container, ${perHost.toFixed(2)} ms for an agent in tmux`);

    const p9 = { id: 'P9', runs: SINGLE };
    return [
      {
        ...p9,
        what: 'container agents a minute, proofs included, 20 at once',
        figure: perMinute(ownBatch),
        unit: '/min',
        against: 0.75 * perMinute(bareBatch),
        againstWhat: `0.75 × bare dockerode, ${perMinute(bareBatch).toFixed(0)}/min in this run`,
        isLessBetter: false,
        runs: BATCH,
      },
      {
        ...p9,
        what: 'container agent ready, one at a time, p50',
        figure: median(ownTimes),
        unit: 'ms',
        against: median(bareTimes) / 0.75,
        againstWhat: `bare dockerode ${median(bareTimes).toFixed(0)} ms / 0.75 in this run`,
        isLessBetter: true,
      },
      {
        ...p9,
        what: 'launch proof inside a container, p50',
        figure: proofMs,
        unit: 'ms',
        against: 150,
        againstWhat: 'limit',
        isLessBetter: true,
      },
      {
        ...p9,
        what: "memory of a container agent beside its program, p50, with the engine's",
        figure: (memory + shim) / MB,
        unit: 'MB',
        against: 100,
        againstWhat: 'limit',
        isLessBetter: true,
      },
      {
        id: 'P10',
        what: 'looking at 100 containers and 400 tmux agents every 30 s',
        figure: share,
        unit: '% of a core',
        against: 2,
        againstWhat: `limit; from ${running.length} and ${host.length}, in proportion`,
        isLessBetter: true,
        runs: rounds,
      },
    ];
  } finally {
    await tmux.close();
    await server.run('kill-server').catch(() => undefined);
    server.dispose();
    await bench.cleanUp();
    removeFolder(folder);
  }
}
