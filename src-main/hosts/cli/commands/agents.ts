/** `agents` and the commands of their lifecycle. */
import type { Command } from 'commander';
import * as z from 'zod';
import type { Agent, AgentSummary } from '#shared/agents/model.ts';
import { AgentStatus, AgentType, isAlive } from '#shared/agents/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import { CliError, ExitCode, toCliError, usageError } from '../cli-error.ts';
import type { CoreClient } from '../core-connection.ts';
import { Duration } from '../option-schemas.ts';
import type { Cell, Output, Style } from '../output.ts';
import { oneLine } from '../output.ts';
import { clockTime, size, span } from '../times.ts';
import { projectChoice } from './project-choice.ts';

const STATUS_STYLES: Readonly<Partial<Record<AgentStatus, Style>>> = {
  idle: 'good',
  working: 'busy',
  starting: 'busy',
  waiting: 'warn',
  paused: 'warn',
  stopping: 'warn',
  failed: 'bad',
  lost: 'bad',
};

/** A status in its colour. */
export function statusCell(status: AgentStatus): Cell {
  return { text: status, style: STATUS_STYLES[status] ?? 'dim' };
}

/** What is known of an agent's state, in a line: what it says, else the evidence. */
function storyOf(agent: Agent): string {
  const { state, says } = agent;
  if (isAlive(state.status) && says !== null && says.doing !== '')
    return `says: ${says.doing}${says.progress === null ? '' : ` (${Math.round(says.progress * 100)} %)`}`;
  if (state.status === 'failed' || state.status === 'lost' || state.status === 'waiting') return state.reason;
  return state.evidence.detail;
}

/** An agent's id from the command line. */
export function agentId(text: string | undefined): AgentId {
  const result = AgentId.safeParse(text);
  if (!result.success)
    throw usageError(`"${text ?? ''}" is no agent's id: it ${result.error.issues[0]?.message ?? 'is malformed'}.`);
  return result.data;
}

/** All agents that match, however many pages they fill. */
export async function listAgents(
  client: CoreClient,
  filter: Omit<Parameters<CoreClient['agents']['list']>[0], 'after' | 'limit'>,
): Promise<AgentSummary[]> {
  const agents: AgentSummary[] = [];
  for (;;) {
    const after = agents.at(-1)?.id;
    const page = await client.agents.list({ ...filter, limit: 500, ...(after === undefined ? {} : { after }) });
    agents.push(...page.agents);
    if (page.agents.length < 500) return agents;
  }
}

function printAgents(out: Output, agents: readonly AgentSummary[]): void {
  const now = Date.now();
  out.table(
    ['ID', 'TYPE', 'STATUS', 'FOR', 'UNREAD', 'RUNTIME', 'BOUNDARY', 'WHAT'],
    agents.map((agent) => [
      { text: agent.id, style: 'strong' },
      agent.config.type,
      statusCell(agent.state.status),
      span(now - agent.state.since),
      String(agent.unread),
      agent.config.runtime,
      agent.boundary,
      storyOf(agent),
    ]),
    'There are no agents. Make one with `quarterdeck spawn`, or try `quarterdeck up --sample`.',
  );
}

function printAgent(out: Output, agent: AgentSummary): void {
  const { config, state, run } = agent;
  const rows: [string, string][] = [
    ['id', agent.id],
    ['type', agent.template === null ? config.type : `${config.type} (template ${agent.template})`],
    ['description', config.description],
    ['status', `${state.status} since ${clockTime(state.since)}`],
    ['evidence', `${state.evidence.source}: ${state.evidence.detail}`],
    ['says', agent.says?.doing ?? ''],
    ['boundary', agent.boundaryNote],
    ['runtime', config.runtime],
    ['project', agent.projectId],
    ['command', (config.command ?? []).join(' ')],
    ['capabilities', config.capabilities.join(', ')],
    [
      'limits',
      `${config.resourceLimits.memory} memory, ${config.resourceLimits.cpu} CPU, ${config.resourceLimits.timeout === 0 ? 'no timeout' : span(config.resourceLimits.timeout)}`,
    ],
    ['environment', Object.keys(config.environment).join(', ')],
    ['unread', String(agent.unread)],
    ['process', run === null ? '' : `${run.pid}, started ${clockTime(run.startedAt)} (start ${agent.starts})`],
    ['attach', run?.attachCommand ?? ''],
  ];
  for (const [name, value] of rows) if (value !== '') out.line(`${out.style(`${name.padEnd(13)}`, 'dim')}${oneLine(value)}`);
}

const Filter = z.object({
  status: AgentStatus.optional(),
  type: AgentType.optional(),
  capability: z.string().optional(),
  project: z.string().optional(),
});

async function list(call: Invocation<z.infer<typeof Filter>>): Promise<void> {
  const { project, ...filter } = call.options;
  await call.withCore(async (client) => {
    const projectId = project === undefined ? undefined : await projectChoice(client, project, call.io.cwd);
    const agents = await listAgents(client, { ...filter, ...(projectId === undefined ? {} : { projectId }) });
    call.out.result({ agents, total: agents.length }, () => printAgents(call.out, agents));
  });
}

/** Does something to each of several agents, goes on after a failure, and reports on each. */
async function forEachAgent(
  call: Invocation<unknown>,
  ids: readonly AgentId[],
  act: (client: CoreClient, id: AgentId) => Promise<{ id: string; state?: Agent['state'] }>,
  done: (result: { id: string; state?: Agent['state'] }) => string,
): Promise<number> {
  return call.withCore(async (client, connection) => {
    const agents: unknown[] = [];
    const failed: { id: string; error: { code: string; message: string } }[] = [];
    let exitCode: number = ExitCode.ok;
    for (const id of ids) {
      try {
        const result = await act(client, id);
        agents.push(result);
        if (!call.out.isJson) call.out.line(done(result));
      } catch (error) {
        if (connection.isGone) throw error;
        const failure = toCliError(error);
        failed.push({ id, error: { code: failure.code, message: failure.message } });
        if (!call.out.isJson) call.out.note(`quarterdeck: ${failure.message}`);
        if (exitCode === ExitCode.ok) exitCode = failure.exitCode;
      }
    }
    if (call.out.isJson) {
      const only = failed[0];
      // One agent and one failure: the failure is the document, as for any other command.
      if (only && ids.length === 1) throw new CliError(only.error.code, only.error.message);
      call.out.json({ agents, failed });
    }
    return exitCode;
  });
}

const StopOptions = z.object({ force: z.boolean().default(false), grace: Duration.optional() });
const STOP_FLAGS = [
  flag('--force', 'end it at once'),
  flag('--grace <duration>', 'how long it may take to end by itself, for example 30s (default 5s)'),
];
const StopAllOptions = StopOptions.extend({ all: z.boolean().default(false) });

const nowIs = (result: { id: string; state?: Agent['state'] }): string => `${result.id} is ${result.state?.status ?? 'done'}.`;

async function stop(call: Invocation<z.infer<typeof StopAllOptions>>): Promise<number> {
  const { all, force, grace } = call.options;
  if (all) {
    if (call.args.length > 0) throw usageError('Name agents, or give --all: not both.');
    return call.withCore(async (client) => {
      const result = await client.agents.stopAll({ force });
      call.out.result(result, () => {
        for (const id of result.stopped) call.out.line(`${id} is stopped.`);
        for (const { id, problem } of result.failed) call.out.note(`quarterdeck: ${id}: ${oneLine(problem)}`);
        if (result.stopped.length + result.failed.length === 0) call.out.note('No agent was running.');
      });
      return result.failed.length > 0 ? ExitCode.failed : ExitCode.ok;
    });
  }
  if (call.args.length === 0) throw usageError('Name the agents to stop, or give --all.');
  return forEachAgent(
    call,
    call.args.map(agentId),
    (client, id) => client.agents.stop({ id, force, ...(grace === undefined ? {} : { graceMs: grace }) }),
    nowIs,
  );
}

/** Adds `agents` and what can be done to them. */
export function addAgentCommands(program: Command, host: CommandHost): void {
  const listFlags = [
    flag('--status <status>', `only those that are ${AgentStatus.options.join(', ')}`),
    flag('--type <type>', 'only those of this type'),
    flag('--capability <word>', 'only those with this capability'),
    flag('--project <folder or id>', 'only those of this project'),
  ];
  const agents = addCommand(program, host, {
    usage: 'agents',
    summary: 'List agents, or start, stop, pause, resume, restart or remove them',
    examples: [
      ['quarterdeck agents', 'lists all agents with state and evidence'],
      ['quarterdeck agents --status failed --json', 'those that failed, for a script'],
      ['quarterdeck agents restart build tests', 'restarts two agents'],
    ],
    flags: listFlags,
    options: Filter,
    run: list,
  });
  addCommand(agents, host, { usage: 'list', summary: 'List agents', flags: listFlags, options: Filter, run: list });
  addCommand(agents, host, {
    usage: 'show <id>',
    summary: 'Show one agent: configuration, state with evidence, last start',
    options: z.object({}),
    run: (call) => {
      const id = agentId(call.args[0]);
      return call.withCore(async (client) => {
        const agent = await client.agents.get({ id });
        call.out.result(agent, () => printAgent(call.out, agent));
      });
    },
  });
  addCommand(agents, host, {
    usage: 'health <id>',
    summary: 'Measure an agent from outside and ask its health endpoint',
    options: z.object({}),
    run: (call) => {
      const id = agentId(call.args[0]);
      return call.withCore(async (client) => {
        const health = await client.agents.health({ id });
        call.out.result(health, () => {
          const { process: found } = health;
          call.out.line(
            found === null
              ? 'No process runs.'
              : `Process ${found.pid}: ${found.processes} running, ${size(found.memoryBytes)}, ${span(found.cpuMs)} of CPU time`,
          );
          call.out.line(
            `Endpoint: ${health.endpoint}${health.responseMs === null ? '' : ` in ${Math.round(health.responseMs)} ms`}${health.problem === null ? '' : ` (${oneLine(health.problem)})`}`,
          );
          if (health.report !== null) call.out.line(JSON.stringify(health.report, undefined, 2));
        });
        return health.endpoint === 'unanswered' ? ExitCode.failed : ExitCode.ok;
      });
    },
  });
  addSimple(agents, host, 'start', 'Start agents that do not run');
  // Also at the top, where people look for them; only `start` there means the app.
  for (const parent of [agents, program]) addLifecycleCommands(parent, host);
}

function addSimple(parent: Command, host: CommandHost, name: 'start' | 'pause' | 'resume', summary: string): void {
  addCommand(parent, host, {
    usage: `${name} <ids...>`,
    summary,
    options: z.object({}),
    run: (call) => forEachAgent(call, call.args.map(agentId), (client, id) => client.agents[name]({ id }), nowIs),
  });
}

function addLifecycleCommands(parent: Command, host: CommandHost): void {
  addCommand(parent, host, {
    usage: 'stop [ids...]',
    summary: 'Stop agents',
    details: 'Asks them to end, and ends what has not ended in time by force. Their unread messages stay queued.',
    examples: [
      ['quarterdeck stop build', 'stops one agent'],
      ['quarterdeck stop --all', 'stops every agent'],
    ],
    flags: [...STOP_FLAGS, flag('--all', 'stop every agent')],
    options: StopAllOptions,
    run: stop,
  });
  addCommand(parent, host, {
    usage: 'restart <ids...>',
    summary: 'Stop agents and start them again',
    flags: STOP_FLAGS,
    options: StopOptions,
    run: (call) => {
      const { force, grace } = call.options;
      return forEachAgent(
        call,
        call.args.map(agentId),
        (client, id) => client.agents.restart({ id, force, ...(grace === undefined ? {} : { graceMs: grace }) }),
        nowIs,
      );
    },
  });
  addSimple(parent, host, 'pause', 'Freeze agents where they are');
  addSimple(parent, host, 'resume', 'Let paused agents go on');
  addCommand(parent, host, {
    usage: 'remove <ids...>',
    summary: 'Remove agents that do not run; their messages and their record stay',
    options: z.object({}),
    run: (call) =>
      forEachAgent(
        call,
        call.args.map(agentId),
        (client, id) => client.agents.remove({ id }),
        (result) => `${result.id} is removed.`,
      ),
  });
}

/** The ids of all agents, for completion; none when the core cannot be asked. */
export async function agentIds(call: Invocation<unknown>): Promise<string[]> {
  try {
    return await call.withCore(async (client) => (await listAgents(client, {})).map(({ id }) => id));
  } catch {
    return [];
  }
}
