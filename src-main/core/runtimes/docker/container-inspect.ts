/** What an engine says of a container: the part of `GET /containers/<id>/json` that is used, parsed. */
import type { Container } from 'dockerode';
import * as z from 'zod';
import { askEngine } from './engine-deadline.ts';

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const texts = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
const number = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const count = z
  .array(z.unknown())
  .nullish()
  .transform((value) => value?.length ?? 0);

/** A container as the engine tells of it. */
export const InspectedContainer = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: text,
  /** Where the engine keeps what it prints; empty where it does not say. */
  LogPath: text,
  State: z.object({
    /** created, running, paused, restarting, removing, exited, dead. */
    Status: z.string(),
    Running: z.boolean(),
    Paused: z.boolean().nullish().transform(Boolean),
    OOMKilled: z.boolean().nullish().transform(Boolean),
    Pid: number,
    ExitCode: number,
    Error: text,
    FinishedAt: text,
  }),
  Config: z.object({
    User: text,
    Labels: z
      .record(z.string(), z.string())
      .nullish()
      .transform((value) => value ?? {}),
  }),
  HostConfig: z.object({
    NetworkMode: text,
    ReadonlyRootfs: z.boolean().nullish().transform(Boolean),
    Privileged: z.boolean().nullish().transform(Boolean),
    CapAdd: texts,
    CapDrop: texts,
    SecurityOpt: texts,
    Devices: count,
    DeviceRequests: count,
    PidMode: text,
    IpcMode: text,
    UTSMode: text,
    UsernsMode: text,
    Memory: number,
    MemorySwap: number,
    NanoCpus: number,
    CpuQuota: number,
    CpuPeriod: number,
    PidsLimit: number,
    Tmpfs: z
      .record(z.string(), z.string())
      .nullish()
      .transform((value) => value ?? {}),
    Ulimits: z
      .array(z.object({ Name: z.string(), Hard: z.number() }))
      .nullish()
      .transform((value) => value ?? []),
    RestartPolicy: z
      .object({ Name: text })
      .nullish()
      .transform((value) => value?.Name ?? ''),
  }),
  Mounts: z
    .array(z.object({ Type: text, Name: text, Source: text, Destination: text, RW: z.boolean(), Propagation: text }))
    .nullish()
    .transform((value) => value ?? []),
  NetworkSettings: z.object({
    Networks: z
      .record(z.string(), z.unknown())
      .nullish()
      .transform((value) => Object.keys(value ?? {})),
  }),
});
/** A container as the engine tells of it. */
export type InspectedContainer = z.infer<typeof InspectedContainer>;

/** Asks the engine. Rejects as dockerode does (404: there is none), or when no answer comes in time. */
export async function inspectContainer(container: Container): Promise<InspectedContainer> {
  return InspectedContainer.parse(await askEngine('look at a container', (abortSignal) => container.inspect({ abortSignal })));
}
