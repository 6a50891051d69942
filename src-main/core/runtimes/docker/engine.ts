/** The one place where a container engine is found, and what it is. */
import { accessSync, constants, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import * as z from 'zod';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { askEngine } from './engine-deadline.ts';
import type { EngineTrouble } from './engine-remedy.ts';
import { troubleOf } from './engine-remedy.ts';

/** How long a question to the engine that is answered from memory may take, in milliseconds. */
const ASK_TIMEOUT_MS = 5000;

/** What an engine says of itself. */
export interface EngineDescription {
  /** Minted by the engine at its installation; empty where it has none. */
  readonly id: string;
  readonly product: 'docker' | 'podman';
  readonly version: string;
  readonly apiVersion: string;
  /** As Node names it: x64, arm64; anything else as the engine does. */
  readonly arch: string;
  readonly cgroupVersion: 1 | 2 | null;
  readonly storageDriver: string;
  /** Whether containers outlive a restart of the engine. */
  readonly isLiveRestore: boolean;
  readonly isRootless: boolean;
  /** What does not work there as well as it could, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * A connection to the engine that DOCKER_HOST names, else to the first socket there is: Docker's own, Docker Desktop's, a
 * rootless one, Podman's. Does not connect yet and never fails; calls on it do.
 */
export function connectEngine(env: NodeJS.ProcessEnv): Docker {
  const named = env['DOCKER_HOST'];
  if (named === undefined || named === '') return new Docker({ socketPath: chooseSocket(engineSockets(env)) });
  if (named.startsWith('unix://')) return new Docker({ socketPath: named.slice('unix://'.length) });
  if (named.startsWith('npipe://')) return new Docker({ socketPath: named.slice('npipe://'.length) });
  const url = URL.parse(named);
  if (url === null) return new Docker({ socketPath: named });
  if (url.protocol === 'ssh:')
    return new Docker({ protocol: 'ssh', host: url.hostname, port: url.port || 22, username: url.username || env['USER'] });
  const isTls = url.protocol === 'https:' || (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  return new Docker({ protocol: isTls ? 'https' : 'http', host: url.hostname, port: url.port || (isTls ? 2376 : 2375) });
}

/** Where engines listen on this machine: the one that is named, or all usual places, Docker's before Podman's. */
export function engineSockets(env: NodeJS.ProcessEnv): string[] {
  const named = env['DOCKER_HOST'];
  if (named !== undefined && named !== '') return named.startsWith('unix://') ? [named.slice('unix://'.length)] : [];
  const runtimeDir = env['XDG_RUNTIME_DIR'] ?? '';
  return [
    '/var/run/docker.sock',
    join(env['HOME'] ?? homedir(), '.docker', 'run', 'docker.sock'),
    ...(runtimeDir === '' ? [] : [join(runtimeDir, 'docker.sock'), join(runtimeDir, 'podman', 'podman.sock')]),
    '/run/podman/podman.sock',
  ];
}

/** The first socket that may be used, else the first there is (its error says more), else the usual one. */
function chooseSocket(sockets: readonly string[]): string {
  return sockets.find(isUsable) ?? sockets.find((path) => existsSync(path)) ?? sockets[0] ?? '/var/run/docker.sock';
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const EngineVersion = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  Arch: z.string(),
  Components: z.array(z.object({ Name: z.string() })).nullish(),
});

const EngineInfo = z.object({
  ID: z.string().nullish(),
  CgroupVersion: z.string().nullish(),
  Driver: z.string().nullish(),
  LiveRestoreEnabled: z.boolean().nullish(),
  SecurityOptions: z.array(z.string()).nullish(),
  MemoryLimit: z.boolean().nullish(),
  PidsLimit: z.boolean().nullish(),
  CpuCfsQuota: z.boolean().nullish(),
});

/** What stands in the way, before the reason. */
const TROUBLE_WORDS: Readonly<Record<EngineTrouble, string>> = {
  absent: 'No container engine answers',
  forbidden: 'You may not use the container engine',
  silent: 'The container engine hangs',
  other: 'The container engine does not say what it is',
};

/** Asks the engine what it is. Fails with an AppError when none answers in time; its cause is what `troubleOf` takes. */
export async function describeEngine(docker: Docker): Promise<EngineDescription> {
  try {
    const [version, info] = await askEngine(
      'say what it is',
      () =>
        Promise.all([
          docker.version().then((answer) => EngineVersion.parse(answer)),
          docker.info().then((answer: unknown) => EngineInfo.parse(answer)),
        ]),
      ASK_TIMEOUT_MS,
    );
    const facts = {
      id: info.ID ?? '',
      product: version.Components?.some(({ Name }) => /podman/i.test(Name)) ? ('podman' as const) : ('docker' as const),
      version: version.Version,
      apiVersion: version.ApiVersion,
      arch: archOf(version.Arch),
      cgroupVersion: info.CgroupVersion === '1' ? (1 as const) : info.CgroupVersion === '2' ? (2 as const) : null,
      storageDriver: info.Driver ?? 'unknown',
      isLiveRestore: info.LiveRestoreEnabled ?? false,
      isRootless: info.SecurityOptions?.some((option) => /rootless/.test(option)) ?? false,
    };
    return { ...facts, notes: notesOn(facts, info) };
  } catch (error) {
    const trouble = troubleOf(error);
    throw new AppError('UNAVAILABLE', `${TROUBLE_WORDS[trouble]}: ${messageOf(error)}. See quarterdeck doctor.`, {
      cause: error,
      data: { cause: 'engine', trouble },
    });
  }
}

/** Docker's names of architectures in Node's. */
function archOf(name: string): string {
  return { amd64: 'x64', x86_64: 'x64', arm64: 'arm64', aarch64: 'arm64' }[name] ?? name;
}

function notesOn(facts: Omit<EngineDescription, 'notes'>, info: z.infer<typeof EngineInfo>): string[] {
  const limits = [
    info.MemoryLimit === false ? 'memory' : undefined,
    info.CpuCfsQuota === false ? 'CPU' : undefined,
    info.PidsLimit === false ? 'the number of processes' : undefined,
  ].filter((name) => name !== undefined);
  return [
    ...(limits.length > 0
      ? [`This engine cannot limit ${limits.join(', ')} here, and the proof of an agent's box will say so.`]
      : []),
    ...(facts.product === 'podman'
      ? ['This is Podman: what Docker does is asked of it the same way, and the proof of each box says whether it held.']
      : []),
    ...(facts.product === 'docker' && !facts.isLiveRestore
      ? ['A restart of the engine ends its containers, because live-restore is off in its configuration.']
      : []),
    ...(facts.isRootless && facts.cgroupVersion === 1
      ? ['Rootless on cgroup v1: limits on memory, CPU and processes do not hold.']
      : []),
  ];
}
