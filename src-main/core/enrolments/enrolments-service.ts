/**
 * Enrolling agents from outside: by a one-time code, or by the operator's decision.
 * Invariants: a code brings in one agent, once; nobody gets the token of an agent that is not the one the code or the request
 * made; who has no token learns nothing of the crew but what became of his own request.
 */
import type { Agent } from '#shared/agents/model.ts';
import { DEFAULT_HEARTBEAT_MS, isExternal } from '#shared/agents/model.ts';
import type { EnrolmentCode, EnrolmentRequest, EnrolmentWish, RegisterInput, Registration } from '#shared/enrolments/model.ts';
import { CODE_TTL_MS } from '#shared/enrolments/model.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, EnrolmentRequestId, ProjectId } from '#shared/kernel/ids.ts';
import { EnrolmentCodeId, mintId } from '#shared/kernel/ids.ts';
import type { Project } from '#shared/projects/model.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { KeyedMutex } from '#core/agents/keyed-mutex.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import { AttemptLimits } from './attempt-limits.ts';
import { EnrolmentRequests } from './enrolment-requests.ts';
import type { StoredCode } from './enrolments-repository.ts';
import { codeByHash, codeById, insertCode, markCodeRevoked, markCodeUsed, removeEnded } from './enrolments-repository.ts';
import { decidedText, enrolledText, pendingText } from './next-steps.ts';
import { hashOf, hasHash, isSecretShaped, newSecret } from './secrets.ts';

/** What ended is kept this long, in milliseconds: a week. */
const KEEP_MS = 7 * 24 * 3_600_000;

/** What an agent states of itself. */
interface Stated {
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly specialisations: readonly string[];
  readonly note: string;
  readonly heartbeatMs: number;
  /** What it may state at most; null: anything. */
  readonly allowed: readonly string[] | null;
}

/** The agents as far as this needs them. */
export interface EnrolledAgents {
  find(id: AgentId): Agent | undefined;
  /** Whether an id was ever used. */
  isTaken(id: AgentId): boolean;
  /** The first free id made of a name. */
  freeId(name: string): AgentId;
  /** Adds one. CONFLICT when its id was ever used. `also` is written in the same transaction. */
  enrol(
    about: Stated & { readonly id: AgentId; readonly projectId: ProjectId },
    caller: Caller,
    also: (tx: Tx) => void,
  ): Promise<Agent>;
  /** Takes over what one states now. */
  change(id: AgentId, changes: Partial<Stated>, caller: Caller): Promise<Agent>;
}

/** What the service needs. */
export interface EnrolmentsOptions {
  readonly store: AppStore;
  readonly agents: EnrolledAgents;
  /** All projects, the one opened last first. */
  readonly projects: () => readonly Project[];
  /** A new token for an agent; its earlier ones end. */
  readonly mintToken: (agent: Agent, caller: Caller) => Promise<string>;
  readonly now?: () => number;
  readonly steadyNow?: () => number;
  readonly log: (message: string, error: unknown) => void;
}

/** Owns codes and requests. */
export class EnrolmentsService {
  readonly #o: EnrolmentsOptions;
  readonly #now: () => number;
  readonly #limits: AttemptLimits;
  readonly #requests: EnrolmentRequests;
  /** One after the other for each code and each request. */
  readonly #turns = new KeyedMutex<string>();

  constructor(options: EnrolmentsOptions) {
    this.#o = options;
    this.#now = options.now ?? Date.now;
    this.#limits = new AttemptLimits(options.steadyNow);
    this.#requests = new EnrolmentRequests({ store: options.store, now: this.#now, log: options.log });
  }

  /** Forgets what ended long ago, and goes on with what waits. */
  async open(): Promise<void> {
    await this.#o.store.write((tx) => removeEnded(tx, this.#now() - KEEP_MS));
    this.#requests.open();
  }

  dispose(): void {
    this.#requests.dispose();
  }

  /** Makes a code. Its secret is seen here and never again. CONFLICT when it names an agent that is not from outside. */
  async createCode(
    input: {
      readonly ttlMs?: number | undefined;
      readonly agentId?: AgentId | undefined;
      readonly projectId?: ProjectId | undefined;
      readonly capabilities?: readonly string[] | undefined;
      readonly note: string;
    },
    caller: Caller,
  ): Promise<{ code: EnrolmentCode; secret: string }> {
    const ttlMs = input.ttlMs ?? CODE_TTL_MS.default;
    if (ttlMs < CODE_TTL_MS.least || ttlMs > CODE_TTL_MS.most)
      throw new AppError('BAD_REQUEST', 'ttlMs: must be from 10 s to 24 h. A code is used at once; make another one later.', {
        data: { field: 'ttlMs' },
      });
    const named = input.agentId === undefined ? undefined : this.#enrolled(input.agentId);
    if (input.projectId !== undefined) this.#project(input.projectId);
    if (named !== undefined && input.projectId !== undefined && named.projectId !== input.projectId)
      throw new AppError('CONFLICT', `Agent "${named.id}" is in another project, and stays there. Leave projectId out.`, {
        data: { field: 'projectId' },
      });
    const secret = newSecret('code');
    const at = this.#now();
    const code: EnrolmentCode = {
      id: EnrolmentCodeId.parse(mintId('enc')),
      projectId: named?.projectId ?? input.projectId ?? null,
      agentId: input.agentId ?? null,
      capabilities: input.capabilities === undefined ? null : [...input.capabilities],
      note: input.note,
      createdAt: at,
      expiresAt: at + ttlMs,
      revokedAt: null,
      usedAt: null,
      usedBy: null,
    };
    await this.#o.store.write((tx) => {
      insertCode(tx, code, hashOf(secret));
      this.#record(tx, code, caller, 'enrolment.code-created', { code });
    });
    return { code, secret };
  }

  /** The codes that are good, and the requests that wait. */
  list(): Promise<{ codes: EnrolmentCode[]; requests: EnrolmentRequest[] }> {
    return this.#o.store.read('enrolments.open', { now: this.#now() });
  }

  /** Ends a code. Repeating it changes nothing. */
  revokeCode(id: EnrolmentCodeId, caller: Caller): Promise<EnrolmentCode> {
    return this.#o.store.write((tx) => {
      const stored = codeById(tx, id);
      if (!stored)
        throw new AppError('NOT_FOUND', `There is no code ${id}. list_enrolments has those that are good.`, { data: { id } });
      if (stored.code.revokedAt !== null) return stored.code;
      const revokedAt = this.#now();
      markCodeRevoked(tx, id, revokedAt);
      this.#record(tx, stored.code, caller, 'enrolment.code-revoked', { revokedAt });
      return { ...stored.code, revokedAt };
    });
  }

  /** Decides on a request. Deciding the same again changes nothing; CONFLICT when it was decided otherwise, or an id is taken. */
  decide(
    input: {
      readonly id: EnrolmentRequestId;
      readonly isApproved: boolean;
      readonly agentId?: AgentId | undefined;
      readonly projectId?: ProjectId | undefined;
    },
    caller: Caller,
  ): Promise<EnrolmentRequest> {
    const { id, isApproved } = input;
    return this.#turns.run(id, async () => {
      const request = this.#requests.get(id);
      if (request.status === (isApproved ? 'approved' : 'denied')) return request;
      if (!isApproved || request.status !== 'pending' || request.expiresAt <= this.#now()) {
        const status = isApproved ? 'expired' : 'denied';
        await this.#o.store.write((tx) =>
          this.#requests.decideIn(tx, id, { status, agentId: null, projectId: request.projectId }, caller),
        );
        return this.#requests.get(id);
      }
      const { wish } = request;
      const projectId = this.#project(
        input.projectId ?? (request.projectId === SYSTEM_PROJECT_ID ? undefined : request.projectId),
      ).id;
      const wanted = input.agentId ?? wish.agentId;
      // An id that it only asked for and that is taken is no reason to refuse it; one that the operator named is.
      const agentId =
        wanted !== null && (input.agentId !== undefined || !this.#o.agents.isTaken(wanted))
          ? wanted
          : this.#o.agents.freeId(wanted ?? wish.name);
      await this.#o.agents.enrol({ ...wish, allowed: null, id: agentId, projectId }, caller, (tx) =>
        this.#requests.decideIn(tx, id, { status: 'approved', agentId, projectId }, caller),
      );
      return this.#requests.get(id);
    });
  }

  /**
   * Enrols who calls, or tells how his request stands. FORBIDDEN for a code that is not good or not for this; CONFLICT for an
   * id that is taken; TOO_MANY_REQUESTS for who tries too often. An agent that calls with its token changes what it states.
   */
  async register(input: RegisterInput, caller: Caller, signal: AbortSignal): Promise<Registration> {
    if (caller.agentId !== undefined) return this.#restate(caller.agentId, input, caller);
    if (input.code !== undefined && input.requestId !== undefined)
      throw new AppError('BAD_REQUEST', 'State code or requestId, not both.', { data: { field: 'requestId' } });
    if (input.code !== undefined) return this.#redeem(input.code, input, caller);
    this.#limits.count('call', caller.actor.id);
    if (input.requestId !== undefined) return this.#follow(input.requestId, input.waitMs, caller, signal);
    const wish = wishOf(input);
    const { request, secret } = await this.#requests.add(
      { wish, address: addressOf(caller), projectId: this.#proposed(wish)?.id ?? SYSTEM_PROJECT_ID },
      caller,
    );
    return this.#told(request, secret, input.waitMs, caller, signal);
  }

  /** An agent that is in already: the same agent, with what it states now. */
  async #restate(id: AgentId, input: RegisterInput, caller: Caller): Promise<Registration> {
    const agent = this.#o.agents.find(id);
    if (agent === undefined || !isExternal(agent))
      throw new AppError(
        'CONFLICT',
        'You were started by Quarterdeck and are an agent of the crew already: there is nothing to enrol.',
      );
    if (input.id !== undefined && input.id !== id)
      throw new AppError('CONFLICT', `You are agent "${id}", and ids do not change. Leave id out.`, { data: { field: 'id' } });
    if (input.project !== undefined && this.#findProject(input.project)?.id !== agent.projectId)
      throw new AppError('CONFLICT', 'You are in another project, and stay there. Leave project out.', {
        data: { field: 'project' },
      });
    const changes = changesOf(within(agent.config.external?.allowed ?? null, input, false));
    return enrolled(await this.#o.agents.change(id, changes, caller), null);
  }

  async #redeem(secret: string, input: RegisterInput, caller: Caller): Promise<Registration> {
    const hash = hashOf(secret);
    const found = isSecretShaped('code', secret) ? this.#o.store.peek((db) => codeByHash(db, hash)) : undefined;
    if (found === undefined) throw this.#wrong(caller);
    return this.#turns.run(found.code.id, async () => {
      const stored = this.#o.store.peek((db) => codeByHash(db, hash));
      const { code } = stored ?? found;
      if (stored === undefined || code.revokedAt !== null || code.expiresAt <= this.#now()) throw this.#wrong(caller);
      const by: Caller = { ...caller, actor: { kind: 'token', id: code.id } };
      if (code.usedBy !== null) return this.#repeat(stored, input, by, caller);
      const { capabilities: allowed } = code;
      const capped = within(allowed, input, true);
      const wantedId = code.agentId ?? input.id;
      if (code.agentId !== null && input.id !== undefined && input.id !== code.agentId)
        throw new AppError('FORBIDDEN', `This code is for the agent id "${code.agentId}". State that id, or none.`, {
          data: { field: 'id' },
        });
      const project = this.#projectFor(code, input);
      const use = (tx: Tx, agentId: AgentId): void => {
        markCodeUsed(tx, code.id, {
          at: this.#now(),
          agentId,
          clientHash: input.clientKey === undefined ? null : hashOf(input.clientKey),
        });
        this.#record(tx, { ...code, projectId: project.id }, by, 'enrolment.code-used', { agentId, address: addressOf(caller) });
      };
      const present = wantedId === undefined ? undefined : this.#o.agents.find(wantedId);
      if (present !== undefined && code.agentId !== null && isExternal(present)) {
        await this.#o.store.write((tx) => use(tx, present.id));
        return this.#admit(await this.#o.agents.change(present.id, { ...changesOf(capped), allowed }, by), by);
      }
      const stated = wishOf(capped, wantedId);
      for (;;) {
        const id = wantedId ?? this.#o.agents.freeId(stated.name);
        try {
          return await this.#admit(
            await this.#o.agents.enrol({ ...stated, allowed, id, projectId: project.id }, by, (tx) => use(tx, id)),
            by,
          );
        } catch (error) {
          // Taken meanwhile: then the next free one is tried.
          if (wantedId !== undefined || !this.#o.agents.isTaken(id)) throw error;
        }
      }
    });
  }

  /** A code that was used: good once more for the same client, should the answer have been lost. */
  async #repeat({ code, clientHash }: StoredCode, input: RegisterInput, by: Caller, caller: Caller): Promise<Registration> {
    const agent = code.usedBy === null ? undefined : this.#o.agents.find(code.usedBy);
    const isSame =
      clientHash !== null &&
      input.clientKey !== undefined &&
      hasHash(input.clientKey, clientHash) &&
      (input.id === undefined || input.id === code.usedBy);
    if (agent === undefined || !isSame || !isExternal(agent)) throw this.#wrong(caller);
    return this.#admit(await this.#o.agents.change(agent.id, changesOf(within(code.capabilities, input, false)), by), by);
  }

  async #follow(secret: string, waitMs: number, caller: Caller, signal: AbortSignal): Promise<Registration> {
    const request = isSecretShaped('request', secret) ? this.#requests.bySecret(secret) : undefined;
    if (request !== undefined) return this.#told(request, secret, waitMs, caller, signal);
    this.#limits.count('wrong', caller.actor.id);
    throw new AppError('FORBIDDEN', 'There is no such request. Call register_agent again without requestId.', {
      data: { field: 'requestId' },
    });
  }

  /** How a request stands, after waiting for it. */
  async #told(
    before: EnrolmentRequest,
    secret: string,
    waitMs: number,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<Registration> {
    if (before.status === 'pending') await this.#requests.decided(before.id, waitMs, signal);
    return this.#turns.run(before.id, async () => {
      const { status, agentId, check, expiresAt } = this.#requests.get(before.id);
      const nothing = { agentId: null, projectId: null, token: null, heartbeatMs: null, check };
      if (status === 'pending')
        return { ...nothing, status, requestId: secret, next: pendingText(check, expiresAt - this.#now()) };
      const agent = agentId === null ? undefined : this.#o.agents.find(agentId);
      if (status === 'approved' && agent !== undefined && expiresAt > this.#now()) return this.#admit(agent, caller);
      const end = status === 'approved' ? 'expired' : status;
      return { ...nothing, status: end, requestId: null, next: decidedText(end) };
    });
  }

  /** Gives an agent its token. An earlier one ends: whoever asks anew has lost it. */
  async #admit(agent: Agent, by: Caller): Promise<Registration> {
    return enrolled(agent, await this.#o.mintToken(agent, by));
  }

  /** What a code that is not good is answered with, whatever is wrong with it. TOO_MANY_REQUESTS after too many. */
  #wrong(caller: Caller): AppError {
    this.#limits.count('wrong', caller.actor.id);
    return new AppError(
      'FORBIDDEN',
      'This code is not good: it is not known, was used, was revoked or has expired. Ask the operator for another, or call register_agent without a code to ask to be let in.',
      { data: { field: 'code' } },
    );
  }

  /** The agent from outside that a code is for; undefined when it is yet to come. */
  #enrolled(id: AgentId): Agent | undefined {
    const agent = this.#o.agents.find(id);
    if (agent === undefined && !this.#o.agents.isTaken(id)) return undefined;
    if (agent !== undefined && isExternal(agent)) return agent;
    throw new AppError(
      'CONFLICT',
      agent === undefined
        ? `There was an agent "${id}", and ids are never used again. Choose another.`
        : `Agent "${id}" is started by Quarterdeck: nobody from outside can take its place. Choose another id.`,
      { data: { field: 'agentId' } },
    );
  }

  #findProject(stated: string | undefined): Project | undefined {
    const projects = this.#o.projects();
    return stated === undefined ? projects[0] : projects.find(({ id, name }) => id === stated || name === stated);
  }

  /** The project that the operator is asked about: the one it named, else the one opened last. It is not told which. */
  #proposed(wish: EnrolmentWish): Project | undefined {
    return (wish.project === null ? undefined : this.#findProject(wish.project)) ?? this.#findProject(undefined);
  }

  #project(stated: string | undefined): Project {
    const project = this.#findProject(stated);
    if (project) return project;
    throw stated === undefined
      ? new AppError('BAD_REQUEST', 'There is no project yet. Open one first (open_project).', { data: { field: 'projectId' } })
      : new AppError('NOT_FOUND', `There is no project "${stated}". Name another one.`, { data: { field: 'projectId' } });
  }

  /** The project that a code brings its agent into. */
  #projectFor(code: EnrolmentCode, input: RegisterInput): Project {
    const project = this.#project(code.projectId ?? input.project);
    if (input.project === undefined || input.project === project.id || input.project === project.name) return project;
    throw new AppError('FORBIDDEN', 'This code is for another project. Leave project out.', { data: { field: 'project' } });
  }

  #record(
    tx: Tx,
    code: EnrolmentCode,
    caller: Caller,
    ...[kind, data]:
      | ['enrolment.code-created', { code: EnrolmentCode }]
      | ['enrolment.code-revoked', { revokedAt: number }]
      | ['enrolment.code-used', { agentId: AgentId; address: string }]
  ): void {
    const envelope = { projectId: code.projectId ?? SYSTEM_PROJECT_ID, actor: caller.actor, door: caller.door, subject: code.id };
    switch (kind) {
      case 'enrolment.code-created':
        return tx.record(event(envelope, kind, data));
      case 'enrolment.code-revoked':
        return tx.record(event(envelope, kind, data));
      case 'enrolment.code-used':
        return tx.record(event(envelope, kind, data));
    }
  }
}

/** Where an applicant called from: the door says so in its name. */
function addressOf(caller: Caller): string {
  return caller.actor.id.replace(/^applicant /, '');
}

function enrolled(agent: Agent, token: string | null): Registration {
  const heartbeatMs = agent.config.external?.heartbeatMs ?? DEFAULT_HEARTBEAT_MS;
  return {
    status: 'enrolled',
    agentId: agent.id,
    projectId: agent.projectId,
    token,
    requestId: null,
    check: null,
    heartbeatMs,
    next: enrolledText(agent.id, heartbeatMs, token !== null),
  };
}

/** What an agent asks for. BAD_REQUEST when it does not say what it is called and has no id to go by. */
function wishOf(input: RegisterInput, id: AgentId | undefined = input.id): EnrolmentWish {
  const name = input.name ?? id;
  if (name === undefined)
    throw new AppError('BAD_REQUEST', 'name: say what you are called, for example "Claude Code in api".', {
      data: { field: 'name' },
    });
  return {
    name,
    agentId: id ?? null,
    project: input.project ?? null,
    capabilities: input.capabilities ?? [],
    specialisations: input.specialisations ?? [],
    note: input.note ?? '',
    heartbeatMs: input.heartbeatMs ?? DEFAULT_HEARTBEAT_MS,
  };
}

/** What an agent changes. */
function changesOf({ name, capabilities, specialisations, note, heartbeatMs }: RegisterInput): Partial<Stated> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(specialisations === undefined ? {} : { specialisations }),
    ...(note === undefined ? {} : { note }),
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
  };
}

/** What is stated, within what is allowed: who states more is refused; who is new and states nothing gets what is allowed. */
function within(allowed: readonly string[] | null, input: RegisterInput, isNew: boolean): RegisterInput {
  if (allowed === null) return input;
  const beyond = [...(input.capabilities ?? []), ...(input.specialisations ?? [])].filter((one) => !allowed.includes(one));
  if (beyond.length > 0)
    throw new AppError('FORBIDDEN', `Your code does not allow ${beyond.join(', ')}; it allows ${allowed.join(', ') || 'none'}.`, {
      data: { field: 'capabilities', allowed },
    });
  return isNew && input.capabilities === undefined ? { ...input, capabilities: [...allowed] } : input;
}
