/**
 * Requests of agents from outside that have no code: kept until the operator decides, or their time is over.
 * Invariant: a request is decided once; what is told is committed.
 */
import type { EnrolmentRequest, EnrolmentWish } from '#shared/enrolments/model.ts';
import { MAX_PENDING, REQUEST_TTL_MS } from '#shared/enrolments/model.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { EnrolmentRequestId, mintId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import { insertRequest, markDecided, pendingRequests, requestByHash, requestById } from './enrolments-repository.ts';
import { checkOf, hashOf, newSecret } from './secrets.ts';

/** Until what could not be stored is tried again, in milliseconds. */
const RETRY_MS = 1_000;

/** What this needs. */
export interface EnrolmentRequestsOptions {
  readonly store: AppStore;
  readonly now: () => number;
  readonly log: (message: string, error: unknown) => void;
}

/** What became of a request. */
export interface Decision {
  readonly status: 'approved' | 'denied' | 'expired';
  readonly agentId: AgentId | null;
  readonly projectId: ProjectId;
}

/** Owns the requests. */
export class EnrolmentRequests {
  readonly #o: EnrolmentRequestsOptions;
  readonly #decided = new Emitter<EnrolmentRequestId>();
  #timer: NodeJS.Timeout | undefined;
  #isDisposed = false;

  constructor(options: EnrolmentRequestsOptions) {
    this.#o = options;
  }

  /** Ends those whose time was over before this core, and watches the others. */
  open(): void {
    this.#arm();
  }

  /** Stores a request. TOO_MANY_REQUESTS when as many wait as may. Returns it with what its agent asks after it by. */
  async add(
    about: { readonly wish: EnrolmentWish; readonly address: string; readonly projectId: ProjectId },
    caller: Caller,
  ): Promise<{ readonly request: EnrolmentRequest; readonly secret: string }> {
    const secret = newSecret('request');
    const at = this.#o.now();
    const request: EnrolmentRequest = {
      id: EnrolmentRequestId.parse(mintId('enr')),
      status: 'pending',
      ...about,
      check: checkOf(secret),
      requestedAt: at,
      expiresAt: at + REQUEST_TTL_MS,
      agentId: null,
    };
    await this.#o.store.write((tx) => {
      // Looked at inside the write: of many at once each sees those before it.
      const waiting = pendingRequests(tx);
      const own = waiting.filter(({ address }) => address === about.address).length;
      if (own >= MAX_PENDING.perAddress || waiting.length >= MAX_PENDING.inAll) {
        throw new AppError(
          'TOO_MANY_REQUESTS',
          `${own >= MAX_PENDING.perAddress ? `${own} requests from this address` : `${waiting.length} requests`} wait for the operator already. Ask the operator to decide on them, or for a one-time code.`,
        );
      }
      insertRequest(tx, request, hashOf(secret));
      tx.record(
        event(
          { projectId: request.projectId, actor: caller.actor, door: caller.door, subject: request.id },
          'enrolment.requested',
          { request },
        ),
      );
      tx.afterCommit(() => this.#arm());
    });
    return { request, secret };
  }

  /** A request by what its agent asks after it by; undefined when there is none. */
  bySecret(secret: string): EnrolmentRequest | undefined {
    return this.#o.store.peek((db) => requestByHash(db, hashOf(secret)));
  }

  /** A request; NOT_FOUND when there is none. */
  get(id: EnrolmentRequestId): EnrolmentRequest {
    const request = this.#o.store.peek((db) => requestById(db, id));
    if (request) return request;
    throw new AppError('NOT_FOUND', `There is no request ${id}. list_enrolments has those that wait.`, { data: { id } });
  }

  /** Writes a decision. CONFLICT when the request does not wait any more. Part of the caller's write. */
  decideIn(tx: Tx, id: EnrolmentRequestId, decision: Decision, caller: Caller): void {
    const request = requestById(tx, id);
    if (request?.status !== 'pending')
      throw new AppError('CONFLICT', `This request is ${request?.status ?? 'gone'}: it is not open to a decision any more.`, {
        data: { id },
      });
    // Its agent has as long again to fetch its token.
    markDecided(tx, id, { ...decision, expiresAt: this.#o.now() + REQUEST_TTL_MS });
    tx.record(
      event({ projectId: decision.projectId, actor: caller.actor, door: caller.door, subject: id }, 'enrolment.decided', {
        status: decision.status,
        agentId: decision.agentId,
      }),
    );
    tx.afterCommit(() => {
      this.#decided.fire(id);
      this.#arm();
    });
  }

  /** Waits until a request is decided, at most `ms`, and no longer than anybody wants to know. */
  async decided(id: EnrolmentRequestId, ms: number, signal: AbortSignal): Promise<void> {
    if (ms <= 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        listening.dispose();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      const listening = this.#decided.on((one) => {
        if (one === id) end();
      });
      signal.addEventListener('abort', end);
      // Decided since it was looked at.
      if (this.get(id).status !== 'pending') end();
    });
  }

  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    this.#decided.dispose();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#isDisposed) return;
    const waiting = this.#o.store.peek(pendingRequests);
    if (waiting.length === 0) return;
    const next = Math.min(...waiting.map(({ expiresAt }) => expiresAt)) - this.#o.now();
    this.#wait(Math.min(Math.max(next, 1), REQUEST_TTL_MS));
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#expire().catch((error: unknown) => {
        this.#o.log('that requests have expired could not be stored', error);
        if (!this.#isDisposed) this.#wait(RETRY_MS);
      });
    }, ms);
    this.#timer.unref();
  }

  async #expire(): Promise<void> {
    const now = this.#o.now();
    await this.#o.store.write((tx) => {
      for (const { id, projectId, expiresAt } of pendingRequests(tx))
        if (expiresAt <= now) this.decideIn(tx, id, { status: 'expired', agentId: null, projectId }, CORE);
      tx.afterCommit(() => this.#arm());
    });
  }
}
