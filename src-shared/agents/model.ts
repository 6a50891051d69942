/** What an agent is: its configuration, its state with the evidence for it, and what it says of itself. */
import * as z from 'zod';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { DurationMs, SizeText } from '#shared/kernel/units.ts';
import { EgressMode, EgressRule } from '#shared/egress/model.ts';
import { AgentRuntime, Boundary, boundaryOf, ImageReference, RuntimeKind, Sandbox } from '#shared/runtimes/model.ts';

/** How a kind of agent is started, spoken to and understood. */
export const AgentType = z
  .enum(['worker', 'command', 'external'])
  .describe(
    'worker: does tasks that arrive as messages, without any model. command: any program, named in "command". external: not started here, it enrolled itself with register_agent; it cannot be spawned',
  );
/** How a kind of agent is started, spoken to and understood. */
export type AgentType = z.infer<typeof AgentType>;

/** One skill or speciality: matched when work is handed out. */
export const Capability = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._:-]*$/, 'must be lower-case words such as "file-processing"');

const CpuText = z
  .string()
  .refine(
    (text) => /^\d+(\.\d+)?$/.test(text) && Number(text) > 0 && Number(text) <= 1024,
    'must be a number of cores such as "2" or "0.5"',
  );

/** Cores as a text or a number; becomes a text. */
const Cpu = z
  .union([z.string(), z.number()])
  .transform((value) => String(value))
  .pipe(CpuText)
  .describe('Most CPU in cores, for example "2" or "0.5"');

const Processes = z.number().int().min(8).max(100_000).describe('Most processes and threads at once');
const OpenFiles = z.number().int().min(64).max(1_048_576).describe('Most open files per process');

/** Limits of one agent. */
export const ResourceLimits = z.strictObject({
  memory: SizeText.default('2GB').describe('Most memory, for example "2GB"'),
  cpu: Cpu.default('2'),
  timeout: DurationMs.default(0).describe(
    "Longest time one piece of work may take: a worker's task, or a command's whole run. 0 means no limit",
  ),
  processes: Processes.default(512),
  openFiles: OpenFiles.default(4_096),
  tmp: SizeText.default('256MB').describe('Size of /tmp, which is in memory; containers and bubblewrap only'),
  disk: SizeText.default('10GB').describe('Most disk for workspace and home; watched: the agent is paused when it uses more'),
});
/** Limits of one agent. */
export type ResourceLimits = z.infer<typeof ResourceLimits>;

/** What of the project the agent sees. */
const Workspace = z.strictObject({
  mode: z
    .enum(['auto', 'own', 'shared'])
    .default('auto')
    .describe(
      'own: a branch and a folder of its own (a git worktree, for contained agents a clone); shared: the project folder itself; auto: own in a git repository, else shared',
    ),
});

/** How a contained agent comes to the models it works with. */
const Login = z
  .enum(['none', 'api-key', 'subscription'])
  .describe(
    'none: uses no model. api-key: the key stays outside, the gateway adds it to requests. subscription: it logs in itself, and its home holds that login',
  );

const RESERVED_ENVIRONMENT = /^(QUARTERDECK_|LD_|NODE_OPTIONS$)/;

/** Environment variables given to the agent. */
const Environment = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a name such as BATCH_SIZE')
    .refine((name) => !RESERVED_ENVIRONMENT.test(name), 'is reserved: QUARTERDECK_*, LD_* and NODE_OPTIONS cannot be set'),
  z
    .string()
    .max(32_768)
    .refine((text) => !text.includes('\0'), 'must not contain a NUL character'),
);

/** How often an agent from outside says that it is there unless it states another time, in milliseconds. */
export const DEFAULT_HEARTBEAT_MS = 60_000;
/** The shortest and longest heartbeat that may be stated, in milliseconds. */
export const HEARTBEAT_RANGE_MS = { least: 1_000, most: 3_600_000 } as const;
/** After this many heartbeats without a call an agent from outside is lost. */
export const MISSED_HEARTBEATS = 3;

/** How often an agent from outside calls at least. */
export const HeartbeatMs = z.number().int().min(HEARTBEAT_RANGE_MS.least).max(HEARTBEAT_RANGE_MS.most);

/** What only agents from outside have. */
export const ExternalFacts = z.strictObject({
  /** What it calls itself. */
  name: z.string().max(80),
  /** Its specialities; they are among its capabilities too, by which it is found. */
  specialisations: z.array(Capability).max(32),
  heartbeatMs: HeartbeatMs,
  /** What its code allowed it to state at most; null: anything. */
  allowed: z.array(Capability).max(32).nullable(),
});
/** What only agents from outside have. */
export type ExternalFacts = z.infer<typeof ExternalFacts>;

/** The fields of a configuration, before defaults: what a template or a caller may state. */
const fields = {
  id: AgentId,
  type: AgentType,
  projectId: ProjectId,
  capabilities: z.array(Capability).max(64).describe('What the agent is good at; used to find it'),
  maxConcurrentTasks: z.number().int().min(1).max(64).describe('How many tasks it may work on at once'),
  resourceLimits: ResourceLimits,
  environment: Environment,
  runtime: RuntimeKind,
  sandbox: Sandbox,
  image: ImageReference.describe('For runtime docker: the image to run in; left out, the agent image of the product'),
  workspace: Workspace,
  login: Login,
  modelApis: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'must be the name of a model API such as "anthropic"'))
    .max(16)
    .describe('Model APIs it may use, by their names in the settings; contained agents only'),
  egress: z
    .strictObject({ mode: EgressMode, rules: z.array(EgressRule).max(500) })
    .describe('Where a contained agent may connect to. Everything else is refused'),
  setup: z
    .string()
    .max(16_384)
    .describe('A shell script that runs inside, in the workspace, before the agent starts; its output is in the terminal'),
  command: z
    .array(z.string().max(8_192))
    .min(1)
    .max(256)
    .describe('Program and arguments, run without a shell; for type "command" only, for example ["bash", "-l"]'),
  description: z.string().max(500).describe('What this agent is for, in one sentence'),
};

const configShape = z.strictObject({
  id: fields.id,
  type: fields.type,
  projectId: fields.projectId,
  capabilities: fields.capabilities.default([]),
  maxConcurrentTasks: fields.maxConcurrentTasks.default(1),
  resourceLimits: fields.resourceLimits.prefault({}),
  environment: fields.environment.default({}),
  runtime: AgentRuntime.default('tmux'),
  sandbox: fields.sandbox.default('none'),
  image: fields.image.optional(),
  workspace: fields.workspace.prefault({}),
  login: fields.login.default('none'),
  modelApis: fields.modelApis.default([]),
  egress: fields.egress.default({ mode: 'deny', rules: [] }),
  setup: fields.setup.optional(),
  command: fields.command.optional(),
  description: fields.description.default(''),
  /** For type `external` only; set by the enrolment. */
  external: ExternalFacts.optional(),
});

interface Checked {
  readonly external?: ExternalFacts | undefined;
  readonly type: AgentType;
  readonly command?: readonly string[] | undefined;
  readonly runtime: AgentRuntime;
  readonly sandbox: Sandbox;
  readonly image?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly setup?: string | undefined;
  readonly login: z.infer<typeof Login>;
  readonly modelApis: readonly string[];
  readonly egress: { readonly rules: readonly string[] };
}

/** What contradicts itself. What a box alone can hold is refused where there is none: it would promise what nothing keeps. */
function checkBoundary(config: Checked, context: z.RefinementCtx): void {
  const refuse = (field: string, message: string): void => context.addIssue({ code: 'custom', path: [field], message });
  if (config.runtime === 'docker' && config.sandbox !== 'none')
    refuse('sandbox', 'is for tmux and pty: a container needs none. Leave it out, or use runtime "tmux"');
  if (config.runtime !== 'docker' && config.image !== undefined)
    refuse('image', 'is for runtime "docker": leave it out, or use that runtime');
  if (boundaryOf(config) !== 'host') return;
  if (config.egress.rules.length > 0)
    refuse('egress', 'holds contained agents only: this one would reach everything. Use runtime "docker", or leave it out');
  if (config.modelApis.length > 0)
    refuse('modelApis', 'are served to contained agents only. Use runtime "docker", or leave it out');
}

function checkCommand(config: Checked, context: z.RefinementCtx): void {
  if (config.type === 'command' && config.command === undefined) {
    context.addIssue({
      code: 'custom',
      path: ['command'],
      message: 'is required for type "command": the program and its arguments, for example ["bash", "-l"]',
    });
  }
  if (config.type !== 'command' && config.command !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['command'],
      message: `is not allowed for type "${config.type}": leave it out, or use type "command"`,
    });
  }
}

/** One from outside is in no box of ours, and nothing else says how it enrolled. */
function checkExternal(config: Checked, context: z.RefinementCtx): void {
  const refuse = (field: string, message: string): void => context.addIssue({ code: 'custom', path: [field], message });
  if ((config.type === 'external') !== (config.external !== undefined))
    refuse('external', 'is set when an agent from outside enrols (register_agent), and for such agents only');
  if (config.type !== 'external') {
    if (config.runtime === 'none') refuse('runtime', 'is none for agents from outside only: use "docker", "tmux" or "pty"');
    return;
  }
  if (boundaryOf(config) !== 'host') refuse('runtime', 'cannot contain an agent from outside: it was not started here');
  // Nobody would give it these: what is promised to it must be kept.
  if (Object.keys(config.environment).length > 0) refuse('environment', 'is not given to an agent from outside: leave it out');
  if (config.setup !== undefined) refuse('setup', 'is not run for an agent from outside: leave it out');
  if (config.login !== 'none') refuse('login', 'of an agent from outside is its own affair: leave it out');
}

/** An agent's whole configuration. Every field but id, type and projectId has a default. */
export const AgentConfig = configShape.superRefine(checkCommand).superRefine(checkBoundary).superRefine(checkExternal);
/** An agent's whole configuration. */
export type AgentConfig = z.infer<typeof AgentConfig>;

/** What may be stated about an agent to be made; what is missing comes from the template, then from the defaults. */
export const AgentDraft = z
  .strictObject({
    ...fields,
    resourceLimits: z
      .strictObject({
        memory: SizeText,
        cpu: Cpu,
        timeout: DurationMs,
        processes: Processes,
        openFiles: OpenFiles,
        tmp: SizeText,
        disk: SizeText,
      })
      .partial(),
    workspace: Workspace,
  })
  .partial();
/** What may be stated about an agent to be made. */
export type AgentDraft = z.infer<typeof AgentDraft>;

/** A named draft, kept as a YAML file in the data folder or shipped with the product. */
export const AgentTemplate = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a slug such as "batch-worker"')
    .describe('Name of the template'),
  title: z.string().min(1).max(80).describe('What people see'),
  description: z.string().max(500).default('').describe('What agents made from it are for'),
  agent: z
    .strictObject({ ...fields, resourceLimits: AgentDraft.shape.resourceLimits, workspace: Workspace })
    .omit({ id: true, projectId: true })
    .partial()
    .required({ type: true }),
});
/** A named draft. */
export type AgentTemplate = z.infer<typeof AgentTemplate>;

/** How a process ended: exactly one of `code` and `signal` (a name such as SIGKILL) is there. */
export const ProcessExit = z.object({ code: z.number().int().optional(), signal: z.string().optional() });
/** How a process ended. */
export type ProcessExit = z.infer<typeof ProcessExit>;

/** What a state rests on. */
export const Evidence = z.object({
  /**
   * command: somebody's order; process: the process itself; interface: a call the agent made; runtime: tmux, the pty or the
   * container engine; clock: a deadline; core: the core's own start or end; boundary: the proof of its box.
   */
  source: z.enum(['command', 'process', 'interface', 'runtime', 'clock', 'core', 'boundary']),
  detail: z.string(),
  at: z.number().int(),
});
/** What a state rests on. */
export type Evidence = z.infer<typeof Evidence>;

/** States in which a process runs and is not paused. */
export const ActiveStatus = z.enum(['idle', 'working', 'waiting']);
/** States in which a process runs and is not paused. */
export type ActiveStatus = z.infer<typeof ActiveStatus>;

const base = { since: z.number().int(), evidence: Evidence };

/** The state of an agent, always with its evidence. Only the state machine makes one. */
export const AgentState = z.discriminatedUnion('status', [
  z.object({ status: z.literal('created'), ...base }),
  z.object({ status: z.literal('starting'), ...base }),
  z.object({ status: z.literal('idle'), ...base }),
  z.object({ status: z.literal('working'), ...base }),
  z.object({ status: z.literal('waiting'), reason: z.string(), ...base }),
  z.object({ status: z.literal('paused'), from: ActiveStatus, ...base }),
  z.object({ status: z.literal('stopping'), ...base }),
  z.object({ status: z.literal('stopped'), exit: ProcessExit, ...base }),
  z.object({ status: z.literal('failed'), reason: z.string(), exit: ProcessExit.optional(), ...base }),
  z.object({ status: z.literal('lost'), reason: z.string(), ...base }),
]);
/** The state of an agent. */
export type AgentState = z.infer<typeof AgentState>;

/** The states by name. */
export const AgentStatus = z.enum([
  'created',
  'starting',
  'idle',
  'working',
  'waiting',
  'paused',
  'stopping',
  'stopped',
  'failed',
  'lost',
]);
/** The states by name. */
export type AgentStatus = z.infer<typeof AgentStatus>;

/** What an agent says of itself. Shown as "says …", never taken for a state. */
export const SelfReport = z.object({
  doing: z.string().max(200),
  /** 0 to 1, or null when it did not say. */
  progress: z.number().min(0).max(1).nullable(),
  at: z.number().int(),
});
/** What an agent says of itself. */
export type SelfReport = z.infer<typeof SelfReport>;

/** One start of the agent's process. */
export const AgentRun = z.object({
  id: z.string(),
  pid: z.number().int(),
  startedAt: z.number().int(),
  attachCommand: z.string().nullable(),
});
/** One start of the agent's process. */
export type AgentRun = z.infer<typeof AgentRun>;

/** An agent as every window and tool sees it. */
export const Agent = z.object({
  id: AgentId,
  projectId: ProjectId,
  config: configShape,
  template: z.string().nullable(),
  state: AgentState,
  says: SelfReport.nullable(),
  /** The last start, also after it ended; null before the first. */
  run: AgentRun.nullable(),
  /** What confines it, and what that means in a sentence. */
  boundary: Boundary,
  boundaryNote: z.string(),
  /** How often it was started. */
  starts: z.number().int(),
  createdAt: z.number().int(),
});
/** An agent as every window and tool sees it. */
export type Agent = z.infer<typeof Agent>;

/** An agent as a peer looking for help sees it. */
export const PeerAgent = Agent.pick({ id: true, says: true, boundary: true }).extend({
  type: AgentType,
  status: AgentStatus,
  capabilities: z.array(z.string()),
  description: z.string(),
  load: z.object({
    /** Messages it has not acknowledged. */
    unread: z.number().int(),
    /** Tasks and requests among them that it was handed: what it works on. */
    held: z.number().int(),
    /** How many of these it may work on at once. */
    slots: z.number().int(),
  }),
});
/** An agent as a peer looking for help sees it. */
export type PeerAgent = z.infer<typeof PeerAgent>;

/** An agent in a list, with what changes too often for the journal. */
export const AgentSummary = Agent.extend({ unread: z.number().int() });
/** An agent in a list. */
export type AgentSummary = z.infer<typeof AgentSummary>;

/** Whether it was enrolled from outside: it is not started, stopped or contained here. */
export function isExternal(agent: { readonly config: { readonly type: AgentType } }): boolean {
  return agent.config.type === 'external';
}

/** Whether a process of this agent exists or is being made. Of one from outside: whether it was heard of lately. */
export function isAlive(status: AgentStatus): boolean {
  return (
    status === 'starting' ||
    status === 'idle' ||
    status === 'working' ||
    status === 'waiting' ||
    status === 'paused' ||
    status === 'stopping'
  );
}
