/**
 * Twins of agents' containers: same image, options and limits, an empty workspace and none of the agent's sockets. They are
 * attacked in the agent's place, looked at from outside while that goes on, and removed.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'dockerode';
import type Docker from 'dockerode';
import type { ResourceLimits } from '#shared/agents/model.ts';
import { BOX } from '#shared/box/places.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { canonicalJson } from '#shared/kernel/json.ts';
import { parseSize } from '#shared/kernel/units.ts';
import type { Twin, TwinResult } from '#core/boundary/twin.ts';
import { giveFolder } from '#core/workspaces/workspace-maker.ts';
import type { BoxSpec } from '../runtime.ts';
import { agentImageName } from './agent-image.ts';
import { findCgroup, readPeaks, readThrottling, readUsage } from './cgroup-files.ts';
import { findContainerImage } from './container-image.ts';
import { inspectContainer } from './container-inspect.ts';
import { unframe } from './container-log.ts';
import { containerOptions, LOG_BYTES } from './container-options.ts';
import { describeEngine } from './engine.ts';
import { askEngine } from './engine-deadline.ts';
import { ensureKit } from './image-kit.ts';
import type { ImageSource } from './image-source.ts';
import { removeContainer } from './remove-container.ts';

/** What of an agent decides what its twins are. */
export interface TwinPlan {
  readonly docker: Docker;
  readonly instanceId: string;
  readonly source: ImageSource;
  readonly image: string | undefined;
  readonly user: BoxSpec['user'];
  readonly limits: ResourceLimits;
  /** Folder of the guests on the host. */
  readonly guestsDir: string;
}

/** How often a twin is looked at, in milliseconds. */
const LOOK_MS = 50;
/** How much of what it printed is kept, in bytes. */
const MAX_OUTPUT_BYTES = 64 * 1024;

/** What makes twins of one agent's container. Rejects with UNAVAILABLE when engine or image are not there. */
export async function containerTwin(plan: TwinPlan): Promise<Twin> {
  const { docker, limits, user } = plan;
  const agentImage = await agentImageName(plan.source);
  const reference = plan.image ?? agentImage.reference;
  const isAgentImage = reference === agentImage.reference;
  const image = await findContainerImage(docker, { agentId: 'twin', reference, isAgentImage });
  const engine = await describeEngine(docker);
  const kit = await ensureKit(docker, agentImage);
  // The time limit and the disk are not the container's; everything else that decides what is proved is.
  const { timeout: _timeout, disk: _disk, ...held } = limits;
  const subject = createHash('sha256')
    .update(canonicalJson({ image: image.id, kit: kit.volume, engine: engine.version, cgroup: engine.cgroupVersion, held, user }))
    .digest('hex');
  return {
    subject,
    limits: {
      memoryBytes: parseSize(limits.memory) ?? 0,
      processes: limits.processes,
      cpus: Number(limits.cpu),
      tmpBytes: parseSize(limits.tmp) ?? 0,
      logBytes: LOG_BYTES,
    },
    run: async (args, deadlineMs) => {
      const folder = await mkdtemp(join(tmpdir(), 'qd-twin-'));
      try {
        const [workspace, home] = [join(folder, 'workspace'), join(folder, 'home')];
        for (const path of [workspace, home]) await giveFolder(path, user);
        const options = containerOptions({
          instanceId: plan.instanceId,
          // No agent has this id for long: what a crash leaves is removed by the next core, as nobody's.
          agentId: AgentId.parse(`twin-${folder.slice(-6).toLowerCase()}`),
          runId: 'twin',
          startedAt: Date.now(),
          limits,
          box: {
            user,
            mounts: [
              { source: workspace, target: BOX.workspace, isWritable: true },
              { source: home, target: BOX.home, isWritable: true },
              { source: plan.guestsDir, target: BOX.guests, isWritable: false },
            ],
          },
          image: image.id,
          imageVolumes: image.volumes,
          imageEnv: image.env,
          kitVolume: kit.volume,
          arch: image.arch,
          isPodman: engine.product === 'podman',
          hasLine: false,
          userProcesses: undefined,
        });
        const container = await askEngine('make a twin', (abortSignal) =>
          docker.createContainer({ ...options, Cmd: [...args], abortSignal }),
        );
        try {
          return await watchTwin(container, deadlineMs);
        } finally {
          await removeContainer(container).catch(() => undefined);
        }
      } finally {
        await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      }
    },
  };
}

/** Starts it and looks at it until it ends or its time is over. */
async function watchTwin(container: Container, deadlineMs: number): Promise<TwinResult> {
  const ending = container.wait({ condition: 'next-exit' }).then((answer: unknown) => answer);
  ending.catch(() => undefined);
  await askEngine('start a twin', (abortSignal) => container.start({ abortSignal }));
  const startedAt = performance.now();
  const { State } = await inspectContainer(container);
  const cgroup = State.Pid > 0 ? await findCgroup(State.Pid) : undefined;
  let peakMemoryBytes: number | null = null;
  let peakProcesses: number | null = null;
  let cpu: { readonly ms: number; readonly at: number } | undefined;
  let firstCpu: { readonly ms: number; readonly at: number } | undefined;
  let oomKills = 0;
  let throttledPeriods: number | null = null;
  let hasEnded = false;
  ending.then(
    () => (hasEnded = true),
    () => (hasEnded = true),
  );
  while (!hasEnded && performance.now() - startedAt < deadlineMs) {
    if (cgroup !== undefined) {
      const [usage, peaks, throttling] = await Promise.all([
        readUsage(cgroup).catch(() => undefined),
        readPeaks(cgroup).catch(() => undefined),
        readThrottling(cgroup).catch(() => undefined),
      ]);
      if (usage !== undefined) {
        cpu = { ms: usage.cpuMs, at: performance.now() };
        firstCpu ??= cpu;
        peakProcesses = Math.max(peakProcesses ?? 0, usage.processes);
      }
      if (throttling !== undefined) throttledPeriods = Math.max(throttledPeriods ?? 0, throttling.periods);
      if (peaks !== undefined) {
        peakMemoryBytes = Math.max(peakMemoryBytes ?? 0, peaks.memoryBytes);
        peakProcesses = Math.max(peakProcesses ?? 0, peaks.processes ?? 0);
        oomKills = Math.max(oomKills, peaks.oomKills);
      }
    }
    await Promise.race([sleep(LOOK_MS), ending.catch(() => undefined)]);
  }
  if (!hasEnded) await container.kill().catch(() => undefined);
  await ending.catch(() => undefined);
  const { State: end, LogPath } = await inspectContainer(container);
  const code = hasEnded ? end.ExitCode : undefined;
  return {
    exit: code === undefined ? undefined : code === 137 ? { signal: 'SIGKILL' } : { code },
    oomKills: Math.max(oomKills, end.OOMKilled ? 1 : 0),
    peakMemoryBytes,
    peakProcesses,
    cpuMs: cpu && firstCpu ? cpu.ms - firstCpu.ms : null,
    ranMs: cpu && firstCpu ? cpu.at - firstCpu.at : 0,
    throttledPeriods,
    output: await outputOf(container),
    logBytes: LogPath === '' ? null : await logSize(LogPath),
  };
}

async function outputOf(container: Container): Promise<string> {
  const framed: unknown = await container.logs({ stdout: true, stderr: true, tail: 200, follow: false });
  return Buffer.isBuffer(framed) ? unframe(framed).subarray(-MAX_OUTPUT_BYTES).toString('utf8') : '';
}

/** Bytes of the engine's log with its older file; null where its files cannot be seen from here. */
async function logSize(path: string): Promise<number | null> {
  const sizes = await Promise.all(
    [path, `${path}.1`].map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => undefined,
      ),
    ),
  );
  const seen = sizes.filter((size) => size !== undefined);
  return seen.length === 0 ? null : seen.reduce((sum, size) => sum + size, 0);
}
