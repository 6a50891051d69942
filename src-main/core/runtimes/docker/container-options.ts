/**
 * The options of an agent's container: no network, a read-only root, no capabilities, exactly the mounts that the box names,
 * and limits for everything. Each was tried on a real engine; `container-checks.ts` reads them back.
 * Invariant: nothing of the agent's environment is in them, so no secret is in the engine's configuration.
 */
import type { ContainerCreateOptions } from 'dockerode';
import { ResourceLimits } from '#shared/agents/model.ts';
import type { KIT } from '#shared/box/places.ts';
import { BOX, BOX_LINE, kitCommand } from '#shared/box/places.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { parseSize } from '#shared/kernel/units.ts';
import type { BoxMount, BoxSpec } from '../runtime.ts';
import type { InspectedContainer } from './container-inspect.ts';

/** Labels by which a later core finds a container again. */
export const LABEL = {
  instance: 'app.quarterdeck.instance',
  agent: 'app.quarterdeck.agent',
  run: 'app.quarterdeck.run',
  /** When the run was started, in milliseconds since the epoch. */
  started: 'app.quarterdeck.started',
  /** Its sockets come through a line. */
  line: 'app.quarterdeck.line',
} as const;

/** The first program in a container. */
export const BOX_PROGRAM = `${BOX.guests}/box.js`;

/** The engine's log of a container: files, and bytes of each. */
const LOG_FILES = 2;
const LOG_FILE_BYTES = 5 * 2 ** 20;
/** The most that the engine keeps of what a container prints, in bytes. */
export const LOG_BYTES = LOG_FILES * LOG_FILE_BYTES;

/** Shared memory, in bytes: Docker's own default, enough for browsers in tests. */
const SHM_BYTES = 64 * 2 ** 20;

/**
 * Variables by which an image could load something into our own programs, or make a shell run something. They are set empty,
 * which ends what the image says; the agent's own environment comes later and is not touched by this.
 */
const NEUTRALISED = [
  ...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'LD_DEBUG', 'LD_PROFILE', 'GLIBC_TUNABLES', 'MALLOC_TRACE'],
  ...['NODE_OPTIONS', 'NODE_PATH', 'NODE_EXTRA_CA_CERTS', 'NODE_V8_COVERAGE', 'NODE_REPL_EXTERNAL_MODULE'],
  ...['ENV', 'BASH_ENV', 'TMUX', 'TMUX_PANE', 'TMUX_TMPDIR', 'OPENSSL_CONF', 'SSLKEYLOGFILE'],
] as const;

/** A file system in memory that stays empty. */
const EMPTY = 'ro,noexec,nosuid,nodev,size=64k,mode=0755';

/** Limits as the engine takes them. */
export interface EngineLimits {
  readonly Memory: number;
  readonly MemorySwap: number;
  readonly NanoCpus: number;
  readonly PidsLimit: number;
}

/** The limits that can be changed while a container runs. */
export function engineLimits(limits: ResourceLimits): EngineLimits {
  const memory = parseSize(limits.memory) ?? 0;
  // The same for memory and swap together: no swap.
  return {
    Memory: memory,
    MemorySwap: memory,
    NanoCpus: Math.round(Number(limits.cpu) * 1e9),
    PidsLimit: limits.processes,
  };
}

/** Bytes as people write them, when they come out whole. */
function sizeText(bytes: number): string {
  for (const [index, unit] of ['GB', 'MB', 'KB'].entries()) {
    const factor = 2 ** (30 - index * 10);
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}

/** The limits that a container has, as its engine tells them. Time and disk are not the engine's. */
export function limitsOf(host: InspectedContainer['HostConfig']): ResourceLimits {
  const tmp = /size=(\d+)/.exec(host.Tmpfs[BOX.tmp] ?? '')?.[1];
  const openFiles = host.Ulimits.find((limit) => /nofile/i.test(limit.Name))?.Hard;
  return ResourceLimits.parse({
    ...(host.Memory > 0 ? { memory: sizeText(host.Memory) } : {}),
    ...(host.NanoCpus > 0 ? { cpu: String(host.NanoCpus / 1e9) } : {}),
    ...(host.PidsLimit > 0 ? { processes: host.PidsLimit } : {}),
    ...(openFiles === undefined ? {} : { openFiles }),
    ...(tmp === undefined ? {} : { tmp: sizeText(Number(tmp)) }),
  });
}

/** The name of an agent's container: the first eight digits of the instance and the agent's id. */
export function containerNameOf(instanceId: string, agentId: AgentId): string {
  return `qd-${instanceId
    .replaceAll(/[^0-9a-z]/gi, '')
    .slice(0, 8)
    .toLowerCase()}-${agentId}`;
}

/** What a container is made of. */
export interface ContainerParts {
  readonly instanceId: string;
  readonly agentId: AgentId;
  readonly runId: string;
  readonly startedAt: number;
  readonly limits: ResourceLimits;
  readonly box: Pick<BoxSpec, 'mounts' | 'user'>;
  /** The image's id, so that it is the one that was looked at. */
  readonly image: string;
  /** Folders that the image declares as volumes: the engine would give each a writable place on the host's disk. */
  readonly imageVolumes: readonly string[];
  /** Variables that the image sets. */
  readonly imageEnv: readonly string[];
  /** Name of the volume that holds Node, tmux and their libraries. */
  readonly kitVolume: string;
  readonly arch: keyof typeof KIT.loader;
  readonly isPodman: boolean;
  /** Whether its sockets come through a line: `box` mounts none then. */
  readonly hasLine?: boolean;
  /**
   * The limit of processes per user of the whole machine, for an engine (Podman) that otherwise asks for one that it may not
   * give. No limit of ours: PidsLimit is.
   */
  readonly userProcesses: number | undefined;
}

function bind(mount: BoxMount): NonNullable<NonNullable<ContainerCreateOptions['HostConfig']>['Mounts']>[number] {
  return {
    Type: 'bind',
    Source: mount.source,
    Target: mount.target,
    ReadOnly: !mount.isWritable,
    BindOptions: { Propagation: 'rprivate' },
  };
}

/** The whole configuration of an agent's container. */
export function containerOptions(parts: ContainerParts): ContainerCreateOptions & { name: string } {
  const { box, limits } = parts;
  const targets = new Set([...box.mounts.map((mount) => mount.target), BOX.tmp, BOX.kit]);
  const declared = parts.imageVolumes.filter((path) => !targets.has(path));
  const ownNames = parts.imageEnv.map((entry) => entry.slice(0, entry.indexOf('='))).filter((name) => /^(LD|NODE)_/.test(name));
  return {
    name: containerNameOf(parts.instanceId, parts.agentId),
    Image: parts.image,
    User: `${box.user.uid}:${box.user.gid}`,
    Entrypoint: kitCommand(parts.arch, 'node', [BOX_PROGRAM]),
    Cmd: parts.hasLine === true ? ['--sockets', BOX_LINE.folder] : [],
    // The box goes to the agent's folder itself: the engine would make one that is missing.
    WorkingDir: '/',
    Env: [...new Set<string>([...NEUTRALISED, ...ownNames])].map((name) => `${name}=`),
    Tty: false,
    OpenStdin: false,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    StopSignal: 'SIGTERM',
    // A check of the image's would run programs that nobody asked for, before the box has proved itself.
    Healthcheck: { Test: ['NONE'] },
    Labels: {
      [LABEL.instance]: parts.instanceId,
      [LABEL.agent]: parts.agentId,
      [LABEL.run]: parts.runId,
      [LABEL.started]: String(parts.startedAt),
      ...(parts.hasLine === true ? { [LABEL.line]: 'yes' } : {}),
    },
    HostConfig: {
      ...engineLimits(limits),
      Init: true,
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Tmpfs: {
        [BOX.tmp]: `rw,exec,nosuid,nodev,size=${parseSize(limits.tmp) ?? 0},mode=1777`,
        // Podman gives a read-only container writable places in memory that nobody asked for, unless something is there.
        ...(parts.isPodman ? { '/run': EMPTY, '/var/tmp': EMPTY } : {}),
      },
      // `nocopy`: an image that has something at this place must not fill an empty volume with it.
      Binds: [`${parts.kitVolume}:${BOX.kit}:ro,nocopy`],
      Mounts: [
        ...box.mounts.map(bind),
        ...declared.map((path) => ({
          Type: 'tmpfs' as const,
          Source: '',
          Target: path,
          ReadOnly: true,
          TmpfsOptions: { SizeBytes: 4096, Mode: 0o555 },
        })),
      ],
      Ulimits: [
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        ...(parts.userProcesses === undefined ? [] : [{ Name: 'nproc', Soft: parts.userProcesses, Hard: parts.userProcesses }]),
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      ShmSize: SHM_BYTES,
      IpcMode: 'private',
      LogConfig: { Type: 'json-file', Config: { 'max-size': `${LOG_FILE_BYTES / 2 ** 20}m`, 'max-file': String(LOG_FILES) } },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
    },
  };
}
