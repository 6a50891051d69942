/**
 * Retention: removes the messages that a project's policy does not keep. Off by default.
 * Invariants: what is unread, waits for an answer or is not mirrored stays; a preview and what is applied right after it say
 * the same; no step holds the writer longer than its budget; every run is told of by one event, also one that was broken off.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import type { RetentionPolicy, RetentionReport } from '#shared/retention/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import type { Limits, ReachedMessage, RemovedMessage, WalkState } from './retention-repository.ts';
import {
  appliedAt,
  brokenRuns,
  endRun,
  forgetMirror,
  isEmptySession,
  projectsWithPolicy,
  readPolicy,
  removeMessage,
  saveAppliedAt,
  savePolicy,
  saveRun,
} from './retention-repository.ts';

/** One read looks at so many messages. */
const SCAN_ROWS = 500;
/** One write removes at most so many messages, and takes no further one after this long, in milliseconds. */
const STEP = { messages: 20, ms: 3 };
/** How often it looks whether a policy is to be applied, in milliseconds. */
const LOOK_MS = 60 * 60 * 1_000;
/** A policy is applied by itself once in this long, in milliseconds. */
const DAY_MS = 24 * 60 * 60 * 1_000;

/** What it works with. */
export interface RetentionOptions {
  readonly store: AppStore;
  /** `sessions/` in the data folder. */
  readonly sessionsDir: string;
  readonly isProject: (id: ProjectId) => boolean;
  /** Told in the transaction that removes a message: others remove or keep what they have of it. */
  readonly onRemoving: (tx: Tx, message: RemovedMessage) => void;
  /** Told after the commit, of what is counted in memory. */
  readonly onCounts: (projectId: ProjectId, change: { total: number; requests: number; dead: number }) => void;
  readonly warn: (message: string) => void;
  readonly now?: () => number;
}

interface Removal {
  readonly session: Map<string, number>;
  report: RetentionReport;
}

/** Owns the policies and their daily run. */
export class RetentionService implements Disposable {
  readonly #o: RetentionOptions;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(options: RetentionOptions) {
    this.#o = options;
    this.#now = options.now ?? Date.now;
  }

  /** Tells of runs that were broken off, and begins to look whether policies are to be applied. Once. */
  async open(): Promise<void> {
    const broken = this.#o.store.peek(brokenRuns);
    for (const report of broken)
      await this.#o.store.write((tx) => {
        endRun(tx, report.projectId);
        tx.record(applied(report, CORE, true, []));
      });
    this.#timer = setInterval(() => this.runDue(), LOOK_MS);
    this.#timer.unref();
    this.runDue();
  }

  /** Stops; a run that is under way ends after its step. */
  dispose(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  /** Applies the policies whose day has come. Nothing waits for it. */
  runDue(): void {
    const { store, warn } = this.#o;
    for (const projectId of store.peek(projectsWithPolicy)) {
      const policy = store.peek((db) => readPolicy(db, projectId));
      const last = store.peek((db) => appliedAt(db, projectId));
      if (!policy.isAutomatic || isUnlimited(policy) || (last !== null && this.#now() - last < DAY_MS)) continue;
      this.apply(projectId, CORE).catch((error: unknown) => {
        if (!this.#isOver) warn(`Messages that are not to be kept could not be removed: ${messageOf(error)}`);
      });
    }
  }

  /** A project's policy. NOT_FOUND. */
  get(projectId: ProjectId): { policy: RetentionPolicy; appliedAt: number | null } {
    this.#require(projectId);
    return this.#o.store.peek((db) => ({ policy: readPolicy(db, projectId), appliedAt: appliedAt(db, projectId) }));
  }

  /** Sets a project's policy. NOT_FOUND. */
  async set(projectId: ProjectId, policy: RetentionPolicy, caller: Caller): Promise<RetentionPolicy> {
    this.#require(projectId);
    await this.#o.store.write((tx) => {
      savePolicy(tx, projectId, policy);
      tx.record(
        event({ projectId, actor: caller.actor, door: caller.door, subject: projectId }, 'retention.policy-set', { policy }),
      );
    });
    return policy;
  }

  /** What applying a policy now would remove. NOT_FOUND. */
  async preview(projectId: ProjectId, stated?: RetentionPolicy): Promise<RetentionReport> {
    this.#require(projectId);
    const policy = stated ?? this.#o.store.peek((db) => readPolicy(db, projectId));
    const removal = emptyRemoval(projectId, policy);
    await this.#walk(projectId, policy, async (reached) => {
      for (const message of reached) note(removal, message);
    });
    return this.#withSessions(removal, (of) => of);
  }

  /** Applies a project's policy: one run after the other. NOT_FOUND. */
  apply(projectId: ProjectId, caller: Caller): Promise<RetentionReport> {
    this.#require(projectId);
    const run = this.#last.then(() => this.#apply(projectId, caller));
    this.#last = run.catch(() => undefined);
    return run;
  }

  async #apply(projectId: ProjectId, caller: Caller): Promise<RetentionReport> {
    const { store } = this.#o;
    const policy = store.peek((db) => readPolicy(db, projectId));
    const removal = emptyRemoval(projectId, policy);
    // Decided before anything goes, and the oldest go first: a request would else lose its answer before it is looked at.
    const going: number[] = [];
    await this.#walk(projectId, policy, async (reached) => {
      for (const message of reached) {
        if (message.keptBecause === null) going.push(message.seq);
        else note(removal, message);
      }
    });
    while (going.length > 0) {
      if (this.#isOver) throw new AppError('UNAVAILABLE', 'Quarterdeck is ending: the rest is removed when it is back.');
      const looked = await store.write((tx) => this.#removeSome(tx, projectId, going, removal));
      going.length -= looked;
    }
    const report = await this.#withSessions(removal, () => 0);
    const mirrors = policy.removesMirrors ? await this.#removeMirrors([...removal.session.keys()]) : [];
    await store.write((tx) => {
      endRun(tx, projectId);
      saveAppliedAt(tx, projectId, this.#now());
      // A day on which nothing was to be removed is no event.
      if (report.messages > 0 || mirrors.length > 0 || caller !== CORE) tx.record(applied(report, caller, false, mirrors));
    });
    return report;
  }

  /** Removes the last of these messages; returns how many it came to. */
  #removeSome(tx: Tx, projectId: ProjectId, seqs: readonly number[], removal: Removal): number {
    const startedAt = performance.now();
    const gone: RemovedMessage[] = [];
    let looked = 0;
    while (looked < STEP.messages && (looked === 0 || performance.now() - startedAt < STEP.ms)) {
      const seq = seqs.at(-1 - looked);
      if (seq === undefined) break;
      looked += 1;
      // Something may keep it by now.
      const removed = removeMessage(tx, seq);
      if (!removed) continue;
      this.#o.onRemoving(tx, removed);
      gone.push(removed);
    }
    const counts = {
      total: -gone.length,
      requests: -gone.filter(({ isRequest }) => isRequest).length,
      dead: -gone.filter(({ hadDead }) => hadDead).length,
    };
    const after = copyOf(removal);
    for (const message of gone) note(after, { ...message, keptBecause: null });
    saveRun(tx, after.report);
    tx.afterCommit(() => {
      for (const message of gone) note(removal, { ...message, keptBecause: null });
      if (gone.length > 0) this.#o.onCounts(projectId, counts);
    });
    return looked;
  }

  async #walk(
    projectId: ProjectId,
    policy: RetentionPolicy,
    visit: (reached: readonly ReachedMessage[]) => Promise<void>,
  ): Promise<void> {
    if (isUnlimited(policy)) return;
    const limits: Limits = {
      sentBefore: policy.maxAgeMs === null ? null : this.#now() - policy.maxAgeMs,
      maxMessages: policy.maxMessages,
      maxBytes: policy.maxBytes,
    };
    let state: WalkState | null = { before: Number.MAX_SAFE_INTEGER, passed: 0, bytes: 0 };
    while (state !== null) {
      const page: { reached: ReachedMessage[]; next: WalkState | null } = await this.#o.store.read('retention.scan', {
        projectId,
        limits,
        state,
        limit: SCAN_ROWS,
      });
      await visit(page.reached);
      state = page.next;
    }
  }

  /** Adds how many sessions lose all of theirs: those that have as many as `whole` says of how many go. */
  async #withSessions(removal: Removal, whole: (going: number) => number): Promise<RetentionReport> {
    const sessions = [...removal.session];
    const left = await this.#o.store.read('retention.session-sizes', { sessionIds: sessions.map(([id]) => id) });
    const wholeSessions = sessions.filter(([, going], index) => left[index] === whole(going)).length;
    return { ...removal.report, sessions: sessions.length, wholeSessions };
  }

  /** Removes the files of sessions of which no message is left; returns their folders. */
  async #removeMirrors(sessionIds: readonly string[]): Promise<string[]> {
    const folders = await this.#o.store.write((tx) =>
      sessionIds.filter((id) => isEmptySession(tx, id)).flatMap((id) => forgetMirror(tx, id) ?? []),
    );
    for (const folder of folders) await rm(join(this.#o.sessionsDir, folder), { recursive: true, force: true });
    return folders;
  }

  #require(projectId: ProjectId): void {
    if (this.#o.isProject(projectId)) return;
    throw new AppError('NOT_FOUND', `There is no project ${projectId}. See list_projects.`, { data: { field: 'projectId' } });
  }
}

function isUnlimited({ maxAgeMs, maxMessages, maxBytes }: RetentionPolicy): boolean {
  return maxAgeMs === null && maxMessages === null && maxBytes === null;
}

function emptyRemoval(projectId: ProjectId, policy: RetentionPolicy): Removal {
  return {
    session: new Map(),
    report: {
      projectId,
      policy,
      messages: 0,
      bytes: 0,
      sessions: 0,
      wholeSessions: 0,
      oldestAt: null,
      newestAt: null,
      kept: { unread: 0, 'unread-thread': 0, 'open-request': 0, 'not-mirrored': 0 },
    },
  };
}

function copyOf({ session, report }: Removal): Removal {
  return { session: new Map(session), report };
}

/** Counts a message that a limit reaches. */
function note(removal: Removal, message: ReachedMessage): void {
  const { report } = removal;
  const { keptBecause, sentAt } = message;
  if (keptBecause !== null) {
    removal.report = { ...report, kept: { ...report.kept, [keptBecause]: report.kept[keptBecause] + 1 } };
    return;
  }
  removal.session.set(message.sessionId, (removal.session.get(message.sessionId) ?? 0) + 1);
  removal.report = {
    ...report,
    messages: report.messages + 1,
    bytes: report.bytes + message.bytes,
    sessions: removal.session.size,
    oldestAt: Math.min(report.oldestAt ?? sentAt, sentAt),
    newestAt: Math.max(report.newestAt ?? sentAt, sentAt),
  };
}

function applied(report: RetentionReport, caller: Caller, isCut: boolean, removedMirrors: string[]) {
  return event(
    { projectId: report.projectId, actor: caller.actor, door: caller.door, subject: report.projectId },
    'retention.applied',
    { report, isCut, removedMirrors },
  );
}
