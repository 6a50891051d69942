/**
 * Middleware: carries each message through its project's chain before it is stored. Invariants: where no chain is set nothing
 * is done; what a chain took out of a message is in no row, event or file; a refused message is stored nowhere.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { AgentId as AgentIdSchema } from '#shared/kernel/ids.ts';
import type { Group } from '#shared/messages/model.ts';
import { BROADCAST, groupOf, OPERATOR, topicOf } from '#shared/messages/model.ts';
import type { MiddlewareStep, ProjectMiddleware, StepCounters, StepOf } from '#shared/middleware/model.ts';
import { MiddlewareChain } from '#shared/middleware/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { SenderFacts } from '#core/messages/compose-message.ts';
import type { MessageDraft } from '#core/messages/message-draft.ts';
import type { AppStore } from '#core/reads.ts';
import type { ChainContext, ChainRun } from './chain.ts';
import { drive, runChain } from './chain.ts';
import { CoalescedEvents } from './coalesced-events.ts';
import { MiddlewareModules } from './middleware-modules.ts';
import { readChains, revisionOf, saveChain } from './middleware-repository.ts';
import { plainDraft } from './module-answer.ts';
import type { ModuleAnswer } from './module-runner.ts';
import { ModuleRunner } from './module-runner.ts';
import type { AgentParty, MessageFacts, RecipientParty, SenderParty } from './parties.ts';
import type { SecretPlace } from './secret-marks.ts';
import { SecretMarks } from './secret-marks.ts';
import type { SentKeysOptions } from './sent-keys.ts';
import { SentKeys } from './sent-keys.ts';
import { TokenBuckets } from './token-buckets.ts';

/** An agent, as chains know it. */
export interface ChainAgent extends AgentParty {
  readonly projectId: ProjectId;
}

/** A stored secret, without its value. */
export interface KeptSecret extends SecretPlace {
  readonly projectId: ProjectId;
}

/** What the service needs. */
export interface MiddlewareOptions {
  readonly store: AppStore;
  /** Folder of the modules. */
  readonly folder: string;
  readonly agentOf: (id: AgentId) => ChainAgent | undefined;
  readonly agentsOf: (projectId: ProjectId) => readonly ChainAgent[];
  readonly defaultProject: () => ProjectId | undefined;
  readonly isProject: (id: ProjectId) => boolean;
  /** The names of all secrets, and the value of one; undefined when it cannot be had. */
  readonly secrets: { list: () => Promise<readonly KeptSecret[]>; reveal: (secret: KeptSecret) => string | undefined };
  readonly digestKey: Uint8Array;
  readonly findByKey: SentKeysOptions['findByKey'];
  readonly now?: () => number;
  /** Milliseconds, going on evenly. */
  readonly steadyNow?: () => number;
  readonly log: (message: string, error: unknown) => void;
}

interface LoadedChain {
  readonly chain: MiddlewareChain;
  readonly revision: number;
  readonly updatedAt: number;
  readonly counters: Map<string, StepCounters>;
  readonly runners: Map<string, ModuleRunner>;
}

interface Told {
  readonly projectId: ProjectId;
  readonly caller: Caller;
  readonly subject: string;
  readonly step: string;
  readonly kind: string;
  readonly reason: string;
  readonly module: string | undefined;
}

/** Owns the chains and what runs for them. */
export class MiddlewareService implements Disposable {
  readonly #o: MiddlewareOptions;
  readonly #now: () => number;
  readonly #chains = new Map<ProjectId, LoadedChain>();
  readonly #buckets: TokenBuckets;
  readonly #keys: SentKeys;
  readonly #told: CoalescedEvents<Told>;
  /** The modules and their accepted copies. */
  readonly modules: MiddlewareModules;
  #marks: SecretMarks<KeptSecret> | undefined;

  constructor(options: MiddlewareOptions) {
    this.#o = options;
    this.#now = options.now ?? Date.now;
    this.#buckets = new TokenBuckets(options.steadyNow ?? (() => performance.now()));
    this.#keys = new SentKeys(options);
    this.#told = new CoalescedEvents({ now: this.#now, write: (what) => this.#tell(what) });
    this.modules = new MiddlewareModules({
      store: options.store,
      folder: options.folder,
      now: this.#now,
      usersOf: (name) =>
        [...this.#chains].flatMap(([id, { chain }]) =>
          chain.steps.some((step) => step.kind === 'module' && step.module === name) ? [id] : [],
        ),
      onAccepted: () => this.#restart(),
    });
  }

  /** Reads the chains. Once, after the store is open. */
  async open(): Promise<void> {
    await this.modules.open();
    await this.#keys.open();
    for (const { projectId, revision, text, updatedAt } of this.#o.store.peek(readChains)) {
      const parsed = MiddlewareChain.safeParse(JSON.parse(text));
      if (parsed.success) this.#load(projectId, parsed.data, revision, updatedAt);
      else this.#o.log(`the middleware of project ${projectId} is not understood: its messages are refused`, parsed.error);
      // What held when it was set is not dropped because another version reads it: nothing passes until it is set again.
      if (!parsed.success) this.#load(projectId, UNREADABLE, revision, updatedAt);
    }
  }

  /** Ends every module, and writes down what was refused and not told yet. Before the store is closed. */
  dispose(): void {
    this.#told.dispose();
    for (const { runners } of this.#chains.values()) for (const runner of runners.values()) runner.dispose();
  }

  /** A stored secret was changed: values are looked for anew with the next message. */
  noteSecretsChanged(): void {
    this.#marks = undefined;
  }

  /** A project's chain and what its steps did. NOT_FOUND for an unknown project. */
  get(projectId: ProjectId): ProjectMiddleware {
    this.#requireProject(projectId);
    const loaded = this.#chains.get(projectId);
    return {
      projectId,
      revision: loaded?.revision ?? 0,
      updatedAt: loaded?.updatedAt ?? null,
      chain: loaded?.chain ?? { steps: [] },
      counters: (loaded?.chain.steps ?? []).flatMap(({ id }) => loaded?.counters.get(id) ?? []),
    };
  }

  /** Sets a project's chain. NOT_FOUND (project, module), CONFLICT (another revision, a module that is not accepted). */
  async set(
    { projectId, chain, revision }: { projectId: ProjectId; chain: MiddlewareChain; revision?: number | undefined },
    caller: Caller,
  ): Promise<ProjectMiddleware> {
    this.#requireProject(projectId);
    await this.#requireModules(chain);
    await this.#o.store.write((tx) => {
      const before = revisionOf(tx, projectId);
      if (revision !== undefined && revision !== before)
        throw new AppError(
          'CONFLICT',
          `The middleware is at revision ${before}, not ${revision}: somebody changed it. Nothing was set. Read it again (get_middleware), then set it.`,
          { data: { field: 'revision', revision: before } },
        );
      const updatedAt = this.#now();
      saveChain(tx, { projectId, revision: before + 1, chain, updatedAt });
      const where = { projectId, actor: caller.actor, door: caller.door, subject: projectId };
      tx.record(event(where, 'middleware.changed', { revision: before + 1, chain }));
      tx.afterCommit(() => this.#load(projectId, chain, before + 1, updatedAt));
    });
    return this.get(projectId);
  }

  /** Carries a draft through the chains it has to pass: that of its sender's project, then that of the project it goes to. */
  prepare(draft: MessageDraft, sender: SenderFacts, caller: Caller): MessageDraft | Promise<MessageDraft> {
    // Nothing is set, and nothing was ever stored otherwise than it was asked for.
    if (this.#chains.size === 0 && !this.#keys.hasDigests) return draft;
    const repeated = this.#keys.repeated(draft, sender.from);
    if (repeated) return repeated;
    const goesTo = this.#projectOf(draft, sender);
    const projects = [...new Set([sender.agent?.projectId, goesTo])].filter(
      (id): id is ProjectId => id !== undefined && this.#isActive(id),
    );
    if (projects.length === 0) return draft;
    const prepared = this.#needsMarks(projects)
      ? this.#mark().then(() => this.#prepareIn(projects, draft, sender, caller))
      : this.#prepareIn(projects, draft, sender, caller);
    this.#keys.begin(draft, sender.from, prepared);
    return prepared;
  }

  /** What a chain would do with a draft. Takes no tokens and writes nothing down; modules are run. */
  async tryOut({
    projectId,
    draft,
    from,
    chain,
  }: {
    projectId: ProjectId;
    draft: MessageDraft;
    from?: AgentId | undefined;
    chain?: MiddlewareChain | undefined;
  }): Promise<ChainRun> {
    this.#requireProject(projectId);
    if (chain) await this.#requireModules(chain);
    const agent = from === undefined ? undefined : this.#o.agentOf(from);
    if (from !== undefined && !agent)
      throw new AppError('NOT_FOUND', `There is no agent "${from}". See list_agents.`, { data: { field: 'from' } });
    await this.#mark();
    const sender: SenderParty = agent ?? { kind: 'operator', id: OPERATOR };
    const loaded = this.#chains.get(projectId);
    const own = new Map<string, ModuleRunner>();
    try {
      const context = this.#contextOf(
        projectId,
        this.#factsOf(draft, sender, projectId),
        chain ? own : (loaded?.runners ?? own),
        true,
      );
      return await drive(runChain(chain ?? loaded?.chain ?? { steps: [] }, draft, context));
    } finally {
      for (const runner of own.values()) runner.dispose();
    }
  }

  #isActive(projectId: ProjectId): boolean {
    return this.#chains.get(projectId)?.chain.steps.some((step) => step.enabled) === true;
  }

  #prepareIn(
    projects: readonly ProjectId[],
    asked: MessageDraft,
    sender: SenderFacts,
    caller: Caller,
  ): MessageDraft | Promise<MessageDraft> {
    return drive(this.#steps(projects, asked, sender, caller));
  }

  /** One chain after the other; a generator as `runChain` is. */
  *#steps(
    projects: readonly ProjectId[],
    asked: MessageDraft,
    sender: SenderFacts,
    caller: Caller,
  ): Generator<Promise<ModuleAnswer>, MessageDraft, ModuleAnswer> {
    const runs: ChainRun[] = [];
    let draft = asked;
    for (const projectId of projects) {
      const loaded = this.#chains.get(projectId);
      if (!loaded) continue;
      const party = this.#senderParty(sender);
      const context = this.#contextOf(projectId, this.#factsOf(draft, party, projectId), loaded.runners, false);
      const run = yield* runChain(loaded.chain, draft, context);
      this.#count(loaded, run, projectId, caller);
      if (run.refusal) throw this.#refuse(projectId, run.refusal, party, caller);
      draft = run.draft;
      runs.push(run);
    }
    return this.#passed(asked, draft, runs);
  }

  /** The draft as it is stored, with what is written down beside it. */
  #passed(asked: MessageDraft, draft: MessageDraft, runs: readonly ChainRun[]): MessageDraft {
    const steps = runs.flatMap((run) => run.steps);
    const audits = steps.filter((step) => step.kind === 'audit' && step.outcome === 'passed');
    const isOther = draft !== asked;
    if (audits.length === 0 && asked.idempotencyKey === null) return draft;
    return {
      ...draft,
      onStored: (tx, message, caller) => {
        this.#keys.stored(tx, asked, message, isOther);
        const { projectId, from, kind } = message;
        const where = { projectId, actor: caller.actor, door: caller.door, subject: message.id };
        for (const audit of audits) {
          const did = steps
            .slice(0, steps.indexOf(audit))
            .filter(({ outcome }) => outcome === 'changed' || outcome === 'failed')
            .map(({ id, outcome, detail }) => ({ step: id, outcome, detail }));
          tx.record(event(where, 'middleware.audited', { step: audit.id, from: from.id, kind, did }));
        }
      },
    };
  }

  #refuse(projectId: ProjectId, refusal: NonNullable<ChainRun['refusal']>, sender: SenderParty, caller: Caller): AppError {
    const { step, kind, code, reason, advice, retryAfterMs } = refusal;
    const told = { projectId, caller, subject: sender.id, step, kind, reason, module: undefined };
    this.#told.note(JSON.stringify([projectId, step, sender.kind, sender.id]), told);
    return new AppError(
      code,
      `Step "${step}" (${kind}) of the project's middleware refused the message: ${reason}. Nothing was sent. ${advice}`,
      {
        data: { projectId, step, kind, reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
      },
    );
  }

  #count(loaded: LoadedChain, run: ChainRun, projectId: ProjectId, caller: Caller): void {
    for (const { id, kind, outcome, detail, redacted } of run.steps) {
      const counters = loaded.counters.get(id);
      if (!counters || outcome === 'off' || outcome === 'skipped') continue;
      if (outcome === 'failed') {
        counters.failed += 1;
        const step = loaded.chain.steps.find((one) => one.id === id);
        const module = step?.kind === 'module' ? step.module : '';
        const told = { projectId, caller, subject: id, step: id, kind, reason: detail, module };
        this.#told.note(JSON.stringify([projectId, id, 'failed']), told);
        if (step?.kind === 'module' && step.onFailure === 'closed') continue; // Its refusal follows and counts it as seen.
      }
      counters.seen += 1;
      if (outcome === 'changed') counters.changed += 1;
      if (outcome === 'refused') counters.refused += 1;
      counters.redacted += redacted;
    }
  }

  #tell({ newest, count, firstAt, lastAt }: { newest: Told; count: number; firstAt: number; lastAt: number }): void {
    const { projectId, caller, subject, step, kind, reason, module } = newest;
    const where = { projectId, actor: caller.actor, door: caller.door, subject };
    const times = { count, firstAt, lastAt };
    this.#o.store
      .write((tx) =>
        tx.record(
          module === undefined
            ? event(where, 'middleware.refused', { step, kind, reason, ...times })
            : event(where, 'middleware.module-failed', { module, problem: reason, ...times }),
        ),
      )
      .catch((error: unknown) => this.#o.log('what middleware did could not be journaled', error));
  }

  #contextOf(projectId: ProjectId, facts: MessageFacts, runners: Map<string, ModuleRunner>, isTrial: boolean): ChainContext {
    return {
      projectId,
      facts,
      take: (buckets, step) => this.#buckets.take(buckets, step, isTrial),
      findSecrets: (text) => this.#marks?.find(text, (secret) => this.#o.secrets.reveal(secret)) ?? [],
      callModule: (step, draft) => this.#callModule(step, draft, projectId, facts.sender, runners),
    };
  }

  #callModule(
    step: StepOf<'module'>,
    draft: MessageDraft,
    projectId: ProjectId,
    sender: SenderParty,
    runners: Map<string, ModuleRunner>,
  ): Promise<ModuleAnswer> {
    const accepted = this.modules.accepted(step.module);
    if (!accepted) return Promise.resolve({ ok: false, problem: 'no copy of it was accepted' });
    let runner = runners.get(step.id);
    if (!runner) {
      runner = new ModuleRunner({ code: accepted.code, timeoutMs: step.timeoutMs });
      runners.set(step.id, runner);
    }
    return runner.call(plainDraft(draft), {
      projectId,
      step: step.id,
      from: { kind: sender.kind, id: sender.id },
      config: step.config ?? null,
    });
  }

  /** The project that a message goes to, as resolving its recipients will say; where that fails, the send is refused anyway. */
  #projectOf(draft: MessageDraft, sender: SenderFacts): ProjectId | undefined {
    for (const address of draft.to) {
      const id = AgentIdSchema.safeParse(address);
      const agent = id.success ? this.#o.agentOf(id.data) : undefined;
      if (agent) return agent.projectId;
    }
    return draft.projectId ?? sender.agent?.projectId ?? this.#o.defaultProject();
  }

  #senderParty({ from, agent }: SenderFacts): SenderParty {
    if (!agent) return { kind: from.kind === 'agent' ? 'system' : from.kind, id: from.id };
    return this.#o.agentOf(agent.id) ?? { kind: 'agent', id: agent.id, template: null, capabilities: [] };
  }

  /** Who writes to whom: groups and "*" by their members, topics as topics. */
  #factsOf(draft: MessageDraft, sender: SenderParty, projectId: ProjectId): MessageFacts {
    const recipients = new Map<string, RecipientParty>();
    const add = (party: RecipientParty): void => {
      recipients.set(`${party.kind}:${party.id}`, party);
    };
    const addAll = (isMeant: (agent: ChainAgent) => boolean): void => {
      for (const agent of this.#o.agentsOf(projectId))
        if (isMeant(agent) && !(sender.kind === 'agent' && sender.id === agent.id)) add(agent);
    };
    for (const address of draft.to) {
      const topic = topicOf(address);
      const group = groupOf(address);
      if (topic !== undefined) add({ kind: 'topic', id: topic });
      else if (group) addAll((agent) => isMember(agent, group));
      else if (address === BROADCAST) {
        addAll(() => true);
        if (sender.kind !== 'operator') add({ kind: 'operator', id: OPERATOR });
      } else if (address === OPERATOR) add({ kind: 'operator', id: OPERATOR });
      else {
        const id = AgentIdSchema.safeParse(address);
        const agent = id.success ? this.#o.agentOf(id.data) : undefined;
        add(agent ?? { kind: 'agent', id: address, template: null, capabilities: [] });
      }
    }
    return { sender, recipients: [...recipients.values()], kind: draft.kind, topic: draft.topic };
  }

  #needsMarks(projects: readonly ProjectId[]): boolean {
    if (this.#marks) return false;
    const steps = projects.flatMap((id): readonly MiddlewareStep[] => this.#chains.get(id)?.chain.steps ?? []);
    return steps.some((step) => step.enabled && step.kind === 'redact' && step.secrets);
  }

  /** Marks the stored secrets. One that cannot be opened is not looked for, and the log says so. */
  async #mark(): Promise<void> {
    while (!this.#marks) {
      const marks = new SecretMarks<KeptSecret>();
      // Set before the list is read: a change meanwhile takes it away again.
      this.#marks = marks;
      try {
        for (const secret of await this.#o.secrets.list()) {
          const value = this.#o.secrets.reveal(secret);
          if (value !== undefined) marks.add(secret, value);
        }
      } catch (error) {
        if (this.#marks === marks) this.#marks = undefined;
        throw error;
      }
    }
  }

  async #requireModules(chain: MiddlewareChain): Promise<void> {
    for (const [index, step] of chain.steps.entries()) {
      if (step.kind !== 'module' || this.modules.accepted(step.module)) continue;
      const there = await this.modules.list();
      const isThere = there.some(({ name }) => name === step.module);
      const advice = isThere
        ? 'read it (get_middleware_module) and accept it (accept_middleware_module) first'
        : `there is no file ${step.module}.mjs in ${this.modules.folder}`;
      throw new AppError(
        isThere ? 'CONFLICT' : 'NOT_FOUND',
        `Step "${step.id}" names module "${step.module}", which was not accepted: ${advice}. Nothing was set.`,
        { data: { field: `chain.steps.${index}.module` } },
      );
    }
  }

  #requireProject(projectId: ProjectId): void {
    if (this.#o.isProject(projectId)) return;
    throw new AppError('NOT_FOUND', `There is no project ${projectId}. See list_projects.`, { data: { projectId } });
  }

  #load(projectId: ProjectId, chain: MiddlewareChain, revision: number, updatedAt: number): void {
    for (const runner of this.#chains.get(projectId)?.runners.values() ?? []) runner.dispose();
    const counters = chain.steps.map(({ id }): [string, StepCounters] => [
      id,
      { id, seen: 0, changed: 0, refused: 0, failed: 0, redacted: 0 },
    ]);
    this.#chains.set(projectId, { chain, revision, updatedAt, counters: new Map(counters), runners: new Map() });
    this.#keys.forget();
  }

  /** The threads of all chains begin anew, with what is accepted now. */
  #restart(): void {
    for (const { runners } of this.#chains.values()) {
      for (const runner of runners.values()) runner.dispose();
      runners.clear();
    }
    this.#keys.forget();
  }
}

/** What holds where a stored chain is not understood. */
const UNREADABLE: MiddlewareChain = {
  steps: [{ id: 'unreadable-chain', kind: 'authorise', enabled: true, rules: [], default: 'deny', forOperatorToo: false }],
};

function isMember(agent: ChainAgent, group: Group): boolean {
  return group.kind === 'template' ? agent.template === group.name : agent.capabilities.includes(group.name);
}
