/** Teams: agents brought up together, and the messages that set them to work. */
import { mkdir, readFile } from 'node:fs/promises';
import type { Agent } from '#shared/agents/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { MessageId, ProjectId } from '#shared/kernel/ids.ts';
import type { Json } from '#shared/kernel/json.ts';
import type { MessageKind, Priority } from '#shared/messages/model.ts';
import { Address } from '#shared/messages/model.ts';
import type { Project } from '#shared/projects/model.ts';
import type { Team } from '#shared/teams/model.ts';
import type { Caller } from '#core/caller.ts';
import type { SpawnInput } from '#core/agents/agents-service.ts';
import { makeSampleProject } from './sample-project.ts';
import { freeSuffix, parseTeam, replaceAgents } from './team-file.ts';

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

/** What the service is made of. */
export interface TeamsOptions {
  readonly spawn: (input: SpawnInput, caller: Caller) => Promise<Agent>;
  readonly send: (message: StartMessage, caller: Caller) => Promise<{ messageId: MessageId }>;
  readonly resolveProject: (stated: { projectId?: ProjectId | undefined; projectFolder?: string | undefined }, caller: Caller) => Promise<Project>;
  readonly isTaken: (id: AgentId) => boolean;
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

  constructor(options: TeamsOptions) {
    this.#o = options;
  }

  /** Spawns the agents of a team, then sends its start messages. With an idempotency key nothing is sent twice. */
  async up(input: { team: Team; projectId?: ProjectId | undefined; projectFolder?: string | undefined; fresh: boolean; idempotencyKey?: string | undefined }, caller: Caller): Promise<TeamUp> {
    const project = await this.#o.resolveProject(input, caller);
    const ids = input.team.agents.map((agent) => agent.id);
    const suffix = input.fresh ? freeSuffix(ids, (id) => this.#o.isTaken(AgentId.parse(id))) : '';
    const realIds = new Map(ids.map((id) => [id as string, `${id}${suffix}`]));
    const agents: Agent[] = [];
    for (const draft of input.team.agents) {
      agents.push(await this.#o.spawn({ ...draft, id: AgentId.parse(`${draft.id}${suffix}`), projectId: project.id }, caller));
    }
    const started: MessageId[] = [];
    for (const [index, message] of input.team.start.entries()) {
      const { messageId } = await this.#o.send(
        {
          ...message,
          to: Address.parse(realIds.get(message.to) ?? message.to),
          data: message.data === undefined ? undefined : replaceAgents(message.data, realIds),
          projectId: project.id,
          idempotencyKey: input.idempotencyKey === undefined ? undefined : `team:${input.idempotencyKey}:${index}`,
        },
        caller,
      );
      started.push(messageId);
    }
    return { project, agents, started };
  }

  /** Starts the sample crew in a folder, or in the sample repository. */
  async sample(input: { folder?: string | undefined; idempotencyKey?: string | undefined }, caller: Caller): Promise<TeamUp> {
    const team = parseTeam(await readFile(this.#o.sampleFile, 'utf8'));
    let projectFolder = input.folder;
    if (projectFolder === undefined) {
      projectFolder = this.#o.sampleFolder;
      await mkdir(projectFolder, { recursive: true });
      await makeSampleProject(projectFolder);
    }
    return this.up({ team, projectFolder, fresh: true, idempotencyKey: input.idempotencyKey }, caller);
  }
}
