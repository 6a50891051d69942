/** Where agents run, and how strong the box around them is. */
import * as z from 'zod';

/** The runtimes there are. `pty` is the last resort: it does not outlive the core. */
export const RuntimeKind = z
  .enum(['docker', 'tmux', 'pty'])
  .describe(
    'Where the agent runs: docker (a container without a network; survives the app), tmux (on this machine, survives the app) or pty (on this machine, ends with the app)',
  );
/** The runtimes there are. */
export type RuntimeKind = z.infer<typeof RuntimeKind>;

/** Where an agent is: in one of our runtimes, or, for one from outside, in none of them. */
export const AgentRuntime = z
  .enum([...RuntimeKind.options, 'none'])
  .describe('docker, tmux or pty; none: it was not started here (type "external")');
/** Where an agent is. */
export type AgentRuntime = z.infer<typeof AgentRuntime>;

/** Boundaries, strongest first. */
export const BOUNDARIES = ['container', 'bubblewrap', 'host'] as const;
/** How strong the box around an agent is. */
export const Boundary = z
  .enum(BOUNDARIES)
  .describe('What the agent is confined by: container, bubblewrap, or host (not contained)');
/** How strong the box around an agent is. */
export type Boundary = z.infer<typeof Boundary>;

/** What an agent on this machine is put into besides; a container needs none. */
export const Sandbox = z
  .enum(['none', 'bubblewrap'])
  .describe('For tmux and pty: none (not contained) or bubblewrap (its own file system view, no network, no privileges)');
/** What an agent on this machine is put into besides. */
export type Sandbox = z.infer<typeof Sandbox>;

/** The boundary that a configuration asks for. Whatever starts the agent gives it this one or does not start it. */
export function boundaryOf(config: { readonly runtime: AgentRuntime; readonly sandbox: Sandbox }): Boundary {
  if (config.runtime === 'docker') return 'container';
  return config.sandbox === 'bubblewrap' ? 'bubblewrap' : 'host';
}

/** Whether `inner` confines at least as strongly as `outer`. */
export function isAtLeastAsStrong(inner: Boundary, outer: Boundary): boolean {
  return BOUNDARIES.indexOf(inner) <= BOUNDARIES.indexOf(outer);
}

/** What a probe found about a runtime on this machine. */
export const RuntimeAvailability = z.object({
  kind: RuntimeKind,
  isAvailable: z.boolean(),
  version: z.string().optional(),
  path: z.string().optional(),
  /** When it is not available: why, and the one command that mends it. */
  problem: z.string().optional(),
  remedy: z.string().optional(),
  /** What it does not do as well as it could here, one sentence each: a limit that this machine cannot hold, a socket of Podman's. */
  notes: z.array(z.string()).optional(),
});
/** What a probe found about a runtime on this machine. */
export type RuntimeAvailability = z.infer<typeof RuntimeAvailability>;

/** An image of a container engine. */
export const ContainerImage = z.object({
  /** As it is named in a configuration, for example `alpine:3.20`. */
  reference: z.string(),
  /** Content address, `sha256:…`. */
  id: z.string(),
  sizeBytes: z.number().int(),
  createdAt: z.number().int(),
  /** Whether it is the agent image that this version of the product makes. */
  isAgentImage: z.boolean(),
});
/** An image of a container engine. */
export type ContainerImage = z.infer<typeof ContainerImage>;

/** How far making or fetching an image has come. One job at a time. */
export const ImageJob = z.object({
  reference: z.string(),
  kind: z.enum(['build', 'pull']),
  state: z.enum(['running', 'done', 'failed']),
  /** What it is at, in a few words. */
  step: z.string(),
  /** 0 to 1, or null when it cannot be told. */
  progress: z.number().min(0).max(1).nullable(),
  /** The last lines of its output, oldest first. */
  log: z.array(z.string()),
  /** Why it failed and what to do; null otherwise. */
  problem: z.string().nullable(),
  startedAt: z.number().int(),
  endedAt: z.number().int().nullable(),
});
/** How far making or fetching an image has come. */
export type ImageJob = z.infer<typeof ImageJob>;

/** The parts of an image reference that Docker takes: `[registry/]name[:tag][@digest]`; no blanks, no options. */
export const ImageReference = z
  .string()
  .max(512)
  .regex(/^[a-z0-9][A-Za-z0-9._/:@-]*$/, 'must be the name of an image such as "alpine:3.20"');
