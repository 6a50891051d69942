/**
 * Boundaries: the desk for each launch, the proofs, and what is known of an agent's boundary.
 * Invariant: a proof and the journal's word of it are one transaction, and no agent is let go before it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Agent, ResourceLimits } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import type { AgentBoundary } from '#shared/boundary/contract.ts';
import type { BoundaryProof, ProofCheck } from '#shared/boundary/model.ts';
import type { BoxProbe, BoxStart } from '#shared/box/model.ts';
import { SOCKETS } from '#shared/gateway/places.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { uuidv7 } from '#shared/kernel/ids.ts';
import { parseSize } from '#shared/kernel/units.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { BoxSpec, LaunchDesk, LimitsHeld } from '#core/runtimes/runtime.ts';
import type { Verdict } from './judge.ts';
import { judge } from './judge.ts';
import { SocketDesk } from './launch-desk.ts';
import { insertProof, latestExhaustion, latestLaunch } from './proofs-repository.ts';
import type { Twin } from './twin.ts';
import { exhaust } from './twin.ts';

/** What must be out of reach of every box. */
export interface Hidden {
  /** Places on the host: the data folder, other agents' homes and tokens, the operator's keys. */
  readonly paths: readonly string[];
  /** Addresses: the core's ports, the host's, peers. */
  readonly addresses: BoxProbe['unreachable'];
  /** Values of the host's environment, tokens. Never stored. */
  readonly texts: readonly string[];
}

/** What the service needs. */
export interface BoundaryServiceOptions {
  readonly store: AppStore;
  readonly now: () => number;
  /** An agent by its id; undefined when there is none. */
  readonly agentOf: (id: AgentId) => Agent | undefined;
  /** What must be out of reach of this agent. */
  readonly hiddenFrom: (id: AgentId) => Hidden | Promise<Hidden>;
  /** How the limits of its present run are held; undefined when nothing runs. */
  readonly limitsOf: (id: AgentId) => LimitsHeld | undefined;
  /** What its box would be made of now, and as whom it runs; undefined without a box, or where it cannot be told. */
  readonly boxOf: (id: AgentId) => Promise<Pick<BoxSpec, 'mounts' | 'user'> | undefined>;
  /** Makes twins of its container; undefined where it has none. Rejects with UNAVAILABLE when the engine is not there. */
  readonly twinOf: (id: AgentId) => Promise<Twin | undefined>;
}

/** One launch in a box. */
export interface BoxLaunch {
  readonly agentId: AgentId;
  readonly projectId: ProjectId;
  readonly runId: string;
  readonly boundary: BoxSpec['boundary'];
  /** Folder of the agent's sockets on the host. */
  readonly socketDir: string;
  readonly user: BoxSpec['user'];
  readonly mounts: BoxSpec['mounts'];
  /** The limits that the box itself holds; null when it has none (bubblewrap). */
  readonly limits: ResourceLimits | null;
  readonly start: Omit<BoxStart, 'type' | 'makesTerminal'>;
}

/** Shorter values are words that may well be the same inside: a language, a folder, a number. In characters. */
const SECRET_LENGTH = 12;

/**
 * How long after a launch its container's twin is tried, in milliseconds: the machine has other things to do at first, and one
 * that has ended by then is not worth it.
 */
const PROVE_AFTER_MS = 60_000;

/** What a boundary that no proof is about tells of limits. */
const NO_LIMITS: LimitsHeld = { mechanism: 'none', note: 'Nothing of it runs now.' };

/** Owns desks and proofs. */
export class BoundaryService {
  readonly #o: BoundaryServiceOptions;
  readonly #proving = new Map<string, Promise<BoundaryProof>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Twins that nobody waits for are tried one after the other. */
  #background: Promise<void> = Promise.resolve();

  constructor(options: BoundaryServiceOptions) {
    this.#o = options;
  }

  /** Opens the desk of one launch. Rejects with UNAVAILABLE when its socket cannot be made. */
  async openDesk(launch: BoxLaunch): Promise<LaunchDesk> {
    const hidden = await this.#o.hiddenFrom(launch.agentId);
    const probe = probeOf(launch, hidden);
    const { agentId, boundary } = launch;
    try {
      return await SocketDesk.open({
        agentId,
        socketPath: join(launch.socketDir, SOCKETS.launch),
        owner: launch.user,
        probe,
        start: launch.start,
        decide: async ({ inside, outside, problem }) => {
          const checks = [...(inside?.checks ?? []), ...outside];
          const verdict: Verdict =
            inside === undefined
              ? { holds: false, problem: `The box did not show what holds it: ${problem ?? 'nothing came'}.` }
              : judge({ boundary, probe, inside: inside.checks, outside });
          await this.#keep({ ...launch, kind: 'launch', verdict, checks, tookMs: inside?.tookMs ?? 0, subject: null }, CORE);
          if (verdict.holds && boundary === 'container') this.#proveLater(agentId);
          return verdict;
        },
      });
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      throw new AppError('UNAVAILABLE', `Agent ${agentId} cannot be started: its launch socket cannot be made: ${what}`, {
        cause: error,
      });
    }
  }

  /** What confines an agent, with the evidence. Fails with NOT_FOUND. */
  async get(id: AgentId): Promise<AgentBoundary> {
    const agent = this.#require(id);
    const limits = this.#o.limitsOf(id) ?? NO_LIMITS;
    const box = agent.boundary === 'host' ? undefined : await this.#o.boxOf(id);
    // An engine that is away has no twins; what was proved before still is.
    const twin = agent.boundary === 'container' ? await this.#o.twinOf(id).catch(() => undefined) : undefined;
    const launch = this.#o.store.peek((db) => latestLaunch(db, id));
    return {
      id,
      boundary: agent.boundary,
      note: agent.boundaryNote,
      limits: { mechanism: limits.mechanism, note: limits.note },
      // A proof of another boundary, from before its configuration was changed, says nothing about this one.
      launch: launch?.boundary === agent.boundary ? launch : null,
      exhaustion: (twin && this.#o.store.peek((db) => latestExhaustion(db, twin.subject))) ?? null,
      mounts: (box?.mounts ?? []).map(({ source, target, isWritable }) => ({ source, target, isWritable })),
      user: box === undefined ? null : `uid ${box.user.uid}`,
    };
  }

  /** The proofs of an agent, the newest first. Fails with NOT_FOUND. */
  async proofs(id: AgentId, limit: number): Promise<BoundaryProof[]> {
    this.#require(id);
    return this.#o.store.read('boundary.proofs', { agentId: id, limit });
  }

  /**
   * Tries to exhaust a twin of the agent's container, now. Calls while it runs get the same proof.
   * Fails with CONFLICT for an agent that has no container, with UNAVAILABLE when the engine cannot.
   */
  async prove(id: AgentId, caller: Caller): Promise<BoundaryProof> {
    const agent = this.#require(id);
    const twin = agent.boundary === 'container' ? await this.#o.twinOf(id) : undefined;
    if (twin === undefined) {
      throw new AppError(
        'CONFLICT',
        `Agent ${id} is in no container (its boundary is ${agent.boundary}): there is no twin of it to try`,
      );
    }
    return this.#exhaustOnce(agent, twin, caller);
  }

  /** The exhaustion proof of an agent's container, made if there is none yet. In the background of a launch; never rejects. */
  async proveOnce(id: AgentId): Promise<void> {
    const agent = this.#o.agentOf(id);
    if (agent?.boundary !== 'container') return;
    try {
      const twin = await this.#o.twinOf(id);
      if (twin === undefined || this.#o.store.peek((db) => latestExhaustion(db, twin.subject)) !== undefined) return;
      await this.#exhaustOnce(agent, twin, CORE);
    } catch {
      // The engine could not: the boundary page says that nothing was tried, and it is tried with the next launch.
    }
  }

  /** Forgets what was to be tried later. */
  dispose(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #proveLater(id: AgentId): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const agent = this.#o.agentOf(id);
      if (agent === undefined || !isAlive(agent.state.status)) return;
      this.#background = this.#background.then(() => this.proveOnce(id));
    }, PROVE_AFTER_MS);
    timer.unref();
    this.#timers.add(timer);
  }

  #exhaustOnce(agent: Agent, twin: Twin, caller: Caller): Promise<BoundaryProof> {
    const running = this.#proving.get(twin.subject);
    if (running !== undefined) return running;
    const proving = this.#exhaust(agent, twin, caller).finally(() => this.#proving.delete(twin.subject));
    this.#proving.set(twin.subject, proving);
    return proving;
  }

  async #exhaust(agent: Agent, twin: Twin, caller: Caller): Promise<BoundaryProof> {
    const startedAt = performance.now();
    const checks = await exhaust(twin);
    const bad = checks.find(({ outcome }) => outcome === 'broken');
    const verdict: Verdict =
      bad === undefined ? { holds: true, problem: null } : { holds: false, problem: `${bad.title}: ${bad.found}.` };
    return this.#keep(
      {
        agentId: agent.id,
        projectId: agent.projectId,
        runId: '',
        boundary: agent.boundary,
        kind: 'exhaustion',
        verdict,
        checks,
        tookMs: Math.round(performance.now() - startedAt),
        subject: twin.subject,
      },
      caller,
    );
  }

  #keep(
    found: Pick<BoundaryProof, 'agentId' | 'projectId' | 'runId' | 'boundary' | 'kind' | 'tookMs'> & {
      readonly verdict: Verdict;
      readonly checks: readonly ProofCheck[];
      readonly subject: string | null;
    },
    caller: Caller,
  ): Promise<BoundaryProof> {
    const { agentId, projectId, runId, boundary, kind, tookMs, verdict, subject } = found;
    const proof: BoundaryProof = {
      id: `prf_${uuidv7()}`,
      projectId,
      agentId,
      runId,
      boundary,
      kind,
      at: this.#o.now(),
      tookMs,
      ...verdict,
      checks: [...found.checks],
    };
    return this.#o.store.write((tx) => {
      insertProof(tx, proof, subject);
      const envelope = { projectId, actor: caller.actor, door: caller.door, subject: agentId };
      tx.record(
        proof.problem === null
          ? event(envelope, 'boundary.proved', { proofId: proof.id, kind, checks: proof.checks.length })
          : event(envelope, 'boundary.failed', { proofId: proof.id, kind, problem: proof.problem }),
      );
      return proof;
    });
  }

  #require(id: AgentId): Agent {
    const agent = this.#o.agentOf(id);
    if (agent === undefined) throw new AppError('NOT_FOUND', `There is no agent ${id}`);
    return agent;
  }
}

/** What a box is to try, from what it is made of and what must be out of its reach. */
export function probeOf(launch: Pick<BoxLaunch, 'user' | 'mounts' | 'limits'>, hidden: Hidden): BoxProbe {
  const { user, mounts, limits } = launch;
  const salt = randomUUID();
  const texts = hidden.texts.filter((text) => text.length >= SECRET_LENGTH);
  return {
    type: 'probe',
    user: { uid: user.uid, gid: user.gid },
    writablePaths: mounts.filter(({ isWritable }) => isWritable).map(({ target }) => target),
    readOnlyPaths: mounts.filter(({ isWritable }) => !isWritable).map(({ target }) => target),
    // What is mounted on purpose is no secret of the host.
    hiddenPaths: hidden.paths.filter((path) => !mounts.some(({ target }) => path === target || path.startsWith(`${target}/`))),
    unreachable: [...hidden.addresses],
    hiddenValues: { salt, hashes: texts.map((text) => createHash('sha256').update(salt).update(text).digest('hex')) },
    limits: {
      memoryBytes: limits === null ? null : (parseSize(limits.memory) ?? null),
      processes: limits?.processes ?? null,
      openFiles: limits?.openFiles ?? null,
      cpus: limits === null ? null : Number(limits.cpu),
    },
  };
}
