/**
 * What the core and the first program inside a box (the `box` guest) say to each other, one JSON object a line.
 *
 * The box connects to `launch.sock`, once. Core: `probe`. Box: `proof`. Core: `start`, or nothing and the line is closed:
 * then the box ends without having started anything. Box: `started`. From then on the line is not needed; a core that goes
 * away before `start` leaves nothing running. A box in a container also prints `started`, and when the agent has ended
 * `ended`, on its standard output, which the engine's log keeps for a later core; then it ends with the agent's exit code
 * (128 + signal). SIGTERM sent to the box goes on to the agent; the box waits for it. No secret is ever in that log, in arguments or in the container's
 * configuration: the environment comes with `start`.
 */
import * as z from 'zod';
import { ProofCheck } from '#shared/boundary/model.ts';
import { ProcessExit } from '#shared/agents/model.ts';

/** What the probe is to try, beside what it always tries. */
export const BoxProbe = z.object({
  type: z.literal('probe'),
  /** As whom it must run, with no other groups. */
  user: z.object({ uid: z.number().int(), gid: z.number().int() }),
  /** What may be writable: the targets of writable mounts. Everything else must not be, /tmp and the like apart. */
  writablePaths: z.array(z.string()),
  /** Must not be writable. */
  readOnlyPaths: z.array(z.string()),
  /** Must not exist or not be readable: places on the host, other agents' homes and tokens. */
  hiddenPaths: z.array(z.string()),
  /** Must not be reachable: the core's and others' ports, peers by name and address. `what` is for people: "the core's port". */
  unreachable: z.array(z.object({ what: z.string(), host: z.string(), port: z.number().int() })),
  /**
   * Values that must be in no environment and no arguments inside: SHA-256 of salt and value, in hex. Not the values
   * themselves, which would then be inside.
   */
  hiddenValues: z.object({ salt: z.string(), hashes: z.array(z.string()) }),
  /** What must be read back: limits in bytes, processes, files, cores; null where the box has none of its own. */
  limits: z.object({
    memoryBytes: z.number().nullable(),
    processes: z.number().nullable(),
    openFiles: z.number().nullable(),
    cpus: z.number().nullable(),
  }),
});
/** What the probe is to try. */
export type BoxProbe = z.infer<typeof BoxProbe>;

/** What is to be started. */
export const BoxStart = z.object({
  type: z.literal('start'),
  argv: z.array(z.string()).min(1),
  cwd: z.string(),
  /** The whole environment of the agent. */
  env: z.record(z.string(), z.string()),
  size: z.object({ cols: z.number().int(), rows: z.number().int() }),
  /** Whether the box has to make the terminal (tmux inside a container) or is in one already (bubblewrap). */
  makesTerminal: z.boolean(),
  sideWindows: z.array(z.object({ name: z.string(), argv: z.array(z.string()) })),
  /** Runs first, in the same terminal; when it fails, the agent is not started. */
  setup: z.string().nullable(),
  /** How much of the screen and its history `ended` carries, in lines. */
  keptLines: z.number().int(),
});
/** What is to be started. */
export type BoxStart = z.infer<typeof BoxStart>;

/** What a box says. */
export const BoxReport = z.discriminatedUnion('type', [
  z.object({ type: z.literal('proof'), checks: z.array(ProofCheck), tookMs: z.number() }),
  /** `pid` is the agent's inside the box; the set-up script's while that runs first. */
  z.object({ type: z.literal('started'), pid: z.number().int() }),
  z.object({ type: z.literal('not-started'), problem: z.string() }),
  z.object({
    type: z.literal('ended'),
    exit: ProcessExit,
    /** Whether it was the setup script that failed. */
    isSetup: z.boolean(),
    /** The last screen with its history, oldest first, with ANSI colours; empty where it could not be had. */
    lines: z.array(z.string()),
    size: z.object({ cols: z.number().int(), rows: z.number().int() }),
    cursor: z.object({ x: z.number().int(), y: z.number().int() }),
  }),
]);
/** What a box says. */
export type BoxReport = z.infer<typeof BoxReport>;
