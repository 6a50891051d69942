/** Procedures about agents: making them, their lifecycle, finding them, and what they report. */
import * as z from 'zod';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { DurationMs } from '#shared/kernel/units.ts';
import { AdoptableSession, AgentMetrics } from './observation.ts';
import { ImageReference } from '#shared/runtimes/model.ts';
import { Agent, AgentDraft, AgentStatus, AgentSummary, AgentTemplate, AgentType, Capability, PeerAgent } from './model.ts';

const ById = z.strictObject({ id: AgentId });
const CommandById = z.strictObject({ id: AgentId, idempotencyKey: IdempotencyKey.optional() });

/** What is asked of an agent's own health endpoint, and what came back. */
export const AgentHealth = z.object({
  id: AgentId,
  /** answered: its endpoint answered; unanswered: it should have one but did not answer; none: this type has no endpoint. */
  endpoint: z.enum(['answered', 'unanswered', 'none']),
  /** What the endpoint answered, as JSON text. */
  report: z.record(z.string(), z.unknown()).nullable(),
  problem: z.string().nullable(),
  /** Time the endpoint took, in milliseconds. */
  responseMs: z.number().nullable(),
  /** Measured from the outside, null when no process runs. */
  process: z
    .object({ pid: z.number().int(), cpuMs: z.number(), memoryBytes: z.number(), processes: z.number().int() })
    .nullable(),
});

/** Procedures about agents. */
export const agentsContract = {
  spawn: procedure(command('spawn_agent', 'MEDIUM', { toolset: 'core' }), {
    method: 'POST',
    path: '/agents',
    summary: 'Create and start an agent',
    description:
      'Creates an agent and starts it. Give a type, or the name of a template; everything else has a default. The project is projectId, or projectFolder (an absolute path, opened if need be), or the project opened last. Without an id one is made. Repeating a spawn with the same id and the same configuration returns the agent that is there; with another configuration it is a CONFLICT. A spawn without an id makes another agent each time, unless it is repeated with the same idempotencyKey.',
  })
    .input(
      AgentDraft.extend({
        template: z.string().max(64).optional().describe('Name of an agent template; see list_templates'),
        projectFolder: z.string().max(4_096).optional().describe('Absolute path of the project folder, instead of projectId'),
        start: z.boolean().default(true).describe('false creates it without starting it'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(Agent),

  list: procedure(query('list_agents', 'core'), {
    method: 'GET',
    path: '/agents',
    summary: 'List agents',
    description:
      'Lists agents with state, the evidence for it, what they say they do, unread messages and boundary, ordered by id. Filter by project, status, type or capability.',
  })
    .input(
      z.strictObject({
        projectId: ProjectId.optional(),
        status: AgentStatus.optional(),
        type: AgentType.optional(),
        capability: Capability.optional(),
        limit: z.number().int().min(1).max(500).default(200),
        after: z.string().max(64).optional().describe('Id of the last agent of the page before'),
      }),
    )
    .output(z.object({ agents: z.array(AgentSummary), total: z.number().int() })),

  get: procedure(query('get_agent', 'core'), {
    method: 'GET',
    path: '/agents/{id}',
    summary: 'Get one agent',
    description: 'Returns one agent: configuration, state with evidence, last run, boundary, unread messages.',
  })
    .input(ById)
    .output(AgentSummary),

  update: procedure(command('update_agent', 'MEDIUM'), {
    method: 'PATCH',
    path: '/agents/{id}',
    summary: 'Change the configuration of an agent',
    description:
      'Changes the stated fields of an agent. Type, project and id stay. A running agent takes most of it over at its next start.',
  })
    .input(
      z.strictObject({
        id: AgentId,
        changes: AgentDraft.omit({ id: true, projectId: true, type: true }).extend({
          image: ImageReference.nullable()
            .optional()
            .describe('For runtime docker: the image to run in; null is the agent image of the product'),
        }),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(Agent),

  start: procedure(command('start_agent', 'MEDIUM', { toolset: 'core' }), {
    method: 'POST',
    path: '/agents/{id}/start',
    summary: 'Start an agent',
    description: 'Starts an agent that is created, stopped, failed or lost. Starting one that runs changes nothing.',
  })
    .input(CommandById)
    .output(Agent),

  stop: procedure(command('stop_agent', 'MEDIUM', { toolset: 'core' }), {
    method: 'POST',
    path: '/agents/{id}/stop',
    summary: 'Stop an agent',
    description:
      'Asks the agent to end and, when it has not after graceMs, ends it and everything it started by force. force=true does so at once. Its unread messages stay queued. Returns when it has ended.',
  })
    .input(
      z.strictObject({
        id: AgentId,
        force: z.boolean().default(false),
        graceMs: DurationMs.default(5_000).describe('How long it may take to end by itself'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(Agent),

  restart: procedure(command('restart_agent', 'MEDIUM', { toolset: 'core' }), {
    method: 'POST',
    path: '/agents/{id}/restart',
    summary: 'Restart an agent',
    description: 'Stops the agent (as stop_agent does) and starts it again with its present configuration.',
  })
    .input(
      z.strictObject({
        id: AgentId,
        force: z.boolean().default(false),
        graceMs: DurationMs.default(5_000),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(Agent),

  pause: procedure(command('pause_agent', 'MEDIUM', { toolset: 'core' }), {
    method: 'POST',
    path: '/agents/{id}/pause',
    summary: 'Pause an agent',
    description: 'Freezes every process of the agent where it is, until resume_agent. Messages to it queue up.',
  })
    .input(CommandById)
    .output(Agent),

  resume: procedure(command('resume_agent', 'MEDIUM', { toolset: 'core' }), {
    method: 'POST',
    path: '/agents/{id}/resume',
    summary: 'Resume a paused agent',
    description: 'Lets a paused agent go on where it was.',
  })
    .input(CommandById)
    .output(Agent),

  remove: procedure(command('remove_agent', 'HIGH', { role: 'operator', toolset: 'core' }), {
    method: 'DELETE',
    path: '/agents/{id}',
    summary: 'Remove an agent',
    description:
      'Removes an agent that does not run. Its messages and its place in the journal stay; its id is never used again. A running agent is a CONFLICT: stop it first.',
  })
    .input(CommandById)
    .output(z.object({ id: AgentId, isRemoved: z.literal(true) })),

  stopAll: procedure(command('stop_all_agents', 'HIGH', { role: 'operator', toolset: 'core' }), {
    method: 'POST',
    path: '/agents:stop-all',
    summary: 'Stop every agent',
    description: 'Stops all running agents, of one project or of all. Returns what became of each.',
  })
    .input(
      z.strictObject({
        projectId: ProjectId.optional(),
        force: z.boolean().default(false),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(z.object({ stopped: z.array(AgentId), failed: z.array(z.object({ id: AgentId, problem: z.string() })) })),

  health: procedure(query('get_agent_health'), {
    method: 'GET',
    path: '/agents/{id}/health',
    summary: 'Ask an agent how it is',
    description: 'Measures the process from outside (pid, CPU, memory) and asks the health endpoint of agents that serve one.',
  })
    .input(ById)
    .output(AgentHealth),

  metrics: procedure(query('get_agent_metrics'), {
    method: 'GET',
    path: '/agents:metrics',
    summary: 'CPU and memory of agents',
    description:
      'Returns what was measured of running agents and everything they started: CPU in percent of one core and resident memory, at most 60 samples each, oldest first. Asking makes the core measure every few seconds for a while; everyMs says how often it does now.',
  })
    .input(
      z.strictObject({
        after: z.number().int().min(0).optional().describe('Only samples taken after this time, in milliseconds since 1970'),
        ids: z.array(AgentId).max(500).optional().describe('Only these agents; all when left out'),
      }),
    )
    .output(AgentMetrics),

  adoptable: procedure(
    { ...query('list_adoptable_sessions'), role: 'automation' },
    {
      method: 'GET',
      path: '/agents:adoptable',
      summary: 'Find agents that run already',
      description:
        'Looks through your own tmux servers for sessions in which an agent CLI (such as claude, codex or gemini) runs that Quarterdeck did not start. adopt_agent brings one in. Servers that could not be asked are listed with the problem.',
    },
  )
    .input(z.strictObject({}))
    .output(
      z.object({ sessions: z.array(AdoptableSession), problems: z.array(z.object({ socket: z.string(), problem: z.string() })) }),
    ),

  adopt: procedure(command('adopt_agent', 'MEDIUM', { role: 'operator' }), {
    method: 'POST',
    path: '/agents:adopt',
    summary: 'Bring in an agent that runs already',
    description:
      'Makes an agent of type command that is attached to a tmux session of your own, in a project for the folder it works in. The session stays where it is: stopping the agent detaches from it, and it runs on. Adopting the same session again returns the agent that is there.',
  })
    .input(
      z.strictObject({
        socket: z.string().min(1).max(4_096).describe('Path of the tmux socket, from list_adoptable_sessions'),
        session: z.string().min(1).max(256).describe('Name of the session'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(Agent),

  discover: procedure(query('discover_agents', 'core', 'both'), {
    method: 'GET',
    path: '/agents:discover',
    summary: 'Find agents to work with',
    description:
      'Finds agents of your project that meet every filter, the ones that run and are least busy first: whom to ask, what they can do and say they do, how much waits for them, and what confines them. A task or request may only go to an agent whose boundary is at least as strong as yours (container > bubblewrap > host). To reach all with a capability, send to "capability:<name>".',
  })
    .input(
      z.strictObject({
        projectId: ProjectId.optional().describe('Management only; left out, all projects'),
        capability: z
          .union([Capability, z.array(Capability).min(1).max(16)])
          .optional()
          .describe('What it must be able to do; of a list, all of it'),
        type: AgentType.optional(),
        status: AgentStatus.optional(),
        maxUnread: z.number().int().min(0).optional().describe('Most messages that may wait for it'),
        maxHeld: z.number().int().min(0).optional().describe('Most tasks and requests it may be working on; 0: only the free'),
        text: z.string().max(200).optional().describe('Words to be found in its id, description, capabilities or what it says'),
        limit: z.number().int().min(1).max(200).default(50),
      }),
    )
    .output(z.object({ agents: z.array(PeerAgent), total: z.number().int().describe('How many meet the filters') })),

  report: procedure(command('report_status', 'LOW', { audience: 'agent', toolset: 'core' }), {
    method: 'POST',
    path: '/agents/me/report',
    summary: 'Say what you are doing',
    description:
      'Tells the operator and your peers what you are doing, in a line, and how far you are. It is shown as "says …"; your state is still judged by evidence.',
  })
    .input(z.strictObject({ doing: z.string().max(200).default(''), progress: z.number().min(0).max(1).optional() }))
    .output(z.object({ status: AgentStatus })),

  templates: procedure(query('list_templates', 'core'), {
    method: 'GET',
    path: '/templates',
    summary: 'List agent templates',
    description:
      'Lists the templates that agents can be made from, with what each sets. Files that could not be read are listed with the problem.',
  })
    .input(z.strictObject({}))
    .output(
      z.object({
        templates: z.array(AgentTemplate.extend({ source: z.enum(['built-in', 'data-folder']) })),
        problems: z.array(z.object({ file: z.string(), problem: z.string() })),
      }),
    ),
};
