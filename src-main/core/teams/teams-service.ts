/** Teams: agents brought up together, and the messages that set them to work. */
import { readFile } from 'node:fs/promises';
import type { Agent } from '#shared/agents/model.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, MessageId, ProjectId } from '#shared/kernel/ids.ts';
import type { Json } from '#shared/kernel/json.ts';
import type { MessageKind, Priority } from '#shared/messages/model.ts';
import { Address } from '#shared/messages/model.ts';
import type { Project } from '#shared/projects/model.ts';
import type { Boundary, RuntimeKind } from '#shared/runtimes/model.ts';
import type { Team } from '#shared/teams/model.ts';
import type { Caller } from '#core/caller.ts';
import type { SpawnInput } from '#core/agents/agents-service.ts';
import type { AgentFolder } from './agent-written.ts';
import { agentBehind } from './agent-written.ts';
import { makeSampleProject } from './sample-project.ts';
import { checkTeam, freeSuffix, parseTeam, replaceAgents, suffixed, withPatience } from './team-file.ts';

/** How long the sample crew waits for the operator's answer before it goes on without it, in milliseconds. */
const QUESTION_WAIT_MS = 10 * 60_000;

/** A message as teams send it. */
export interface StartMessage {
  readonly to: Address;
  readonly kind: MessageKind;
  readonly priority: Priority;
  readonly subject?: string | undefined;
  readonly body: string;
  readonly data?: Json | undefined;
  readonly projectId: ProjectId;
  readonly idempotencyKey?: string | undefined;
}

/** What an agent in a box would have the operator do. */
export interface Proposal {
  readonly agentId: AgentId;
  readonly asked: string;
  readonly from: Boundary;
  readonly to: Boundary;
  readonly isAccepted: boolean;
  /** Why it was refused; empty when it was accepted. */
  readonly reason: string;
}

/** What the service is made of. */
export interface TeamsOptions {
  readonly spawn: (input: SpawnInput, caller: Caller) => Promise<Agent>;
  readonly send: (message: StartMessage, caller: Caller) => Promise<{ messageId: MessageId }>;
  readonly resolveProject: (
    stated: { projectId?: ProjectId | undefined; projectFolder?: string | undefined },
    caller: Caller,
  ) => Promise<Project>;
  readonly isTaken: (id: AgentId) => boolean;
  /** Keeps a value under a name for good; returns the one that was kept first. */
  readonly keep: (name: string, value: string) => Promise<string>;
  /** Where agents in boxes can write. */
  readonly agentFolders: () => readonly AgentFolder[];
  /** A team file of such a folder was refused or accepted. */
  readonly onProposal: (proposal: Proposal, caller: Caller) => Promise<void>;
  /** The team file of the sample crew. */
  readonly sampleFile: string;
  /** Where the sample repository is made when no folder is chosen. */
  readonly sampleFolder: string;
}

/** What became of a team. */
export interface TeamUp {
  readonly project: Project;
  readonly agents: Agent[];
  readonly started: MessageId[];
}

/** Brings teams up. */
export class TeamsService {
  readonly #o: TeamsOptions;
  /** Ids that a fresh team is about to take: another one that is brought up beside it takes others. */
  readonly #reserved = new Set<AgentId>();

  constructor(options: TeamsOptions) {
    this.#o = options;
  }

  /** Spawns the agents of a team, then sends its start messages. With an idempotency key nothing is sent twice. */
  async up(
    input: {
      team: Team;
      projectId?: ProjectId | undefined;
      projectFolder?: string | undefined;
      fresh: boolean;
      file?: string | undefined;
      acceptAgentFile?: boolean;
      idempotencyKey?: string | undefined;
    },
    caller: Caller,
  ): Promise<TeamUp> {
    checkTeam(input.team);
    if (input.file !== undefined) await this.#checkFile(input.file, input.acceptAgentFile === true, caller);
    const project = await this.#o.resolveProject(input, caller);
    if (!input.fresh) return this.#bringUp(input.team, '', project, input.idempotencyKey, caller);
    const ids = input.team.agents.map((agent) => agent.id);
    const free = freeSuffix(ids, (id) => this.#reserved.has(id) || this.#o.isTaken(id));
    const reserved = ids.map((id) => suffixed(id, free));
    for (const id of reserved) this.#reserved.add(id);
    try {
      // Kept before the first agent is made: repeated after a crash, the command goes on with the same agents.
      const name =
        input.idempotencyKey === undefined
          ? undefined
          : `team ${caller.actor.kind}:${caller.actor.id} ${project.id} ${input.team.name} ${input.idempotencyKey}`;
      const suffix = name === undefined ? free : await this.#o.keep(name, free);
      return await this.#bringUp(input.team, suffix, project, input.idempotencyKey, caller);
    } finally {
      for (const id of reserved) this.#reserved.delete(id);
    }
  }

  /** FORBIDDEN when an agent in a box could have written the file, unless the operator accepts it nevertheless. */
  async #checkFile(file: string, isAccepted: boolean, caller: Caller): Promise<void> {
    const behind = await agentBehind(file, this.#o.agentFolders());
    if (behind === undefined) return;
    const { agentId, boundary } = behind;
    const asked = `the team file ${file}`;
    if (isAccepted) {
      await this.#o.onProposal({ agentId, asked, from: boundary, to: 'host', isAccepted, reason: '' }, caller);
      return;
    }
    const reason = `it lies where agent "${agentId}", which is confined by ${boundary}, can write: what it says would be done outside of that box`;
    await this.#o.onProposal({ agentId, asked, from: boundary, to: 'host', isAccepted, reason }, caller);
    throw new AppError(
      'FORBIDDEN',
      `The team file ${file} is refused: ${reason}. Nothing was started. Read it, and then copy it elsewhere, or say that you accept it (--accept-agent-file; acceptAgentFile).`,
      { data: { agent: agentId, boundary, file } },
    );
  }

  async #bringUp(
    team: Team,
    suffix: string,
    project: Project,
    idempotencyKey: string | undefined,
    caller: Caller,
  ): Promise<TeamUp> {
    const realIds = new Map(team.agents.map(({ id }) => [id as string, suffixed(id, suffix)]));
    const agents: Agent[] = [];
    for (const draft of team.agents) {
      agents.push(await this.#o.spawn({ ...draft, id: suffixed(draft.id, suffix), projectId: project.id }, caller));
    }
    const started: MessageId[] = [];
    for (const [index, message] of team.start.entries()) {
      const { messageId } = await this.#o.send(
        {
          ...message,
          to: Address.parse(realIds.get(message.to) ?? message.to),
          data: message.data === undefined ? undefined : replaceAgents(message.data, realIds),
          projectId: project.id,
          idempotencyKey: idempotencyKey === undefined ? undefined : `team:${idempotencyKey}:${index}`,
        },
        caller,
      );
      started.push(messageId);
    }
    return { project, agents, started };
  }

  /** Starts the sample crew in a folder, or in the sample repository. */
  async sample(
    input: {
      folder?: string | undefined;
      asksOperator: boolean;
      runtime?: RuntimeKind | undefined;
      idempotencyKey?: string | undefined;
    },
    caller: Caller,
  ): Promise<TeamUp> {
    const file = parseTeam(await readFile(this.#o.sampleFile, 'utf8'));
    const { runtime } = input;
    const placed = runtime === undefined ? file : { ...file, agents: file.agents.map((agent) => ({ ...agent, runtime })) };
    const team = input.asksOperator ? withPatience(placed, QUESTION_WAIT_MS) : placed;
    let projectFolder = input.folder;
    if (projectFolder === undefined) {
      projectFolder = this.#o.sampleFolder;
      await makeSampleProject(projectFolder);
    }
    return this.up({ team, projectFolder, fresh: true, idempotencyKey: input.idempotencyKey }, caller);
  }
}
