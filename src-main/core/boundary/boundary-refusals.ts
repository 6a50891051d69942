/**
 * Writes down what agents in boxes asked others to do outside of them, and did not get: the operator sees it with the agent.
 * Deciding it is not done here, but where it is asked: messages, doors, teams.
 */
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { AgentId as AgentIdSchema } from '#shared/kernel/ids.ts';
import type { Boundary } from '#shared/runtimes/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import { QuietTimes } from '#core/journal/quiet-times.ts';
import type { AppStore } from '#core/reads.ts';

/** What was asked for, and would have been done in a weaker boundary. */
export interface WeakerAct {
  /** Whose wish it was. */
  readonly agentId: AgentId;
  /** In a few words: `a task for agent "host-worker"`. */
  readonly asked: string;
  readonly from: Boundary;
  readonly to: Boundary;
  readonly reason: string;
}

/** What is refused at a door before any command is named. */
const DOORS: Readonly<Record<string, string>> = {
  'agent-port': 'the agent interface, in a name or by a way that is not its own',
  'main-port': 'the operator’s port',
};

/** What it is made of. */
export interface BoundaryRefusalsOptions {
  readonly store: AppStore;
  /** The project and the boundary of an agent, also of one that was removed; undefined for what is none. */
  readonly agentOf: (
    id: AgentId,
  ) => { readonly id: AgentId; readonly projectId: ProjectId; readonly boundary: Boundary } | undefined;
  readonly now?: () => number;
}

/** Journals refusals of this kind, at most one a second for the same wish of the same agent. */
export class BoundaryRefusals {
  readonly #o: BoundaryRefusalsOptions;
  readonly #quiet: QuietTimes;

  constructor(options: BoundaryRefusalsOptions) {
    this.#o = options;
    this.#quiet = new QuietTimes(options.now);
  }

  /** Writes down that something was refused. `caller` is who asked for it now: not always the one whose wish it was. */
  async record(act: WeakerAct, caller: Caller): Promise<void> {
    const { agentId, asked, from, to, reason } = act;
    const agent = this.#o.agentOf(agentId);
    if (agent === undefined || !this.#quiet.isDue([agentId, asked])) return;
    const { actor, door } = caller;
    await this.#o.store.write((tx) =>
      tx.record(
        event({ projectId: agent.projectId, actor, door, subject: agentId }, 'boundary.refused', { asked, from, to, reason }),
      ),
    );
  }

  /** Writes down that an operator had something done nevertheless. */
  async recordAccepted(act: WeakerAct, caller: Caller): Promise<void> {
    const agent = this.#o.agentOf(act.agentId);
    if (agent === undefined) return;
    const { asked, from, to } = act;
    const { actor, door } = caller;
    await this.#o.store.write((tx) =>
      tx.record(event({ projectId: agent.projectId, actor, door, subject: agent.id }, 'boundary.accepted', { asked, from, to })),
    );
  }

  /** Writes down what a door refused, when it was an agent in a box that asked for it. */
  async recordAtDoor(caller: Caller, asked: string, reason: string): Promise<void> {
    if (caller.actor.kind !== 'agent') return;
    const id = AgentIdSchema.safeParse(caller.actor.id);
    const agent = id.success ? this.#o.agentOf(id.data) : undefined;
    if (agent === undefined || agent.boundary === 'host') return;
    await this.record(
      { agentId: agent.id, asked: DOORS[asked] ?? `the command ${asked}`, from: agent.boundary, to: 'host', reason },
      caller,
    );
  }
}
