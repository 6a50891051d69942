/** Records connections: each with an entry when it opens and one when it ends, refusals that repeat themselves counted. */
import type { EgressConnection, EgressProtocol } from '#shared/egress/model.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import type { Clock } from './clock.ts';
import type { ConnectionLog } from './connection-log.ts';

/** Longest host and reason that are recorded, in characters. */
const MAX_HOST = 260;
const MAX_REASON = 500;

/** Who connects where. */
export interface ConnectionFacts {
  readonly projectId: ProjectId;
  readonly agentId: AgentId;
  readonly via: EgressConnection['via'];
  readonly host: string;
  readonly port: number;
  readonly protocol: EgressProtocol;
  readonly address: string | null;
  /** The rule, or why it was refused. */
  readonly reason: string;
  readonly at: number;
}

/** How a connection ended. */
export interface ConnectionEnd {
  readonly outcome: 'closed' | 'failed' | 'refused';
  /** Left out: the reason it was opened for. */
  readonly reason?: string | undefined;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** A connection that is open; ends once, later calls do nothing. */
export type EndConnection = (end: ConnectionEnd) => void;

interface Repeated {
  readonly until: number;
  count: number;
  latest: ConnectionFacts;
  readonly outcome: 'refused' | 'failed';
}

/** What a book is made from. */
export interface ConnectionBookOptions {
  readonly log: ConnectionLog;
  readonly clock: Clock;
  /** Refusals that are the same within so many milliseconds are counted together. */
  readonly sameMs: number;
  /** So many different ones of an agent are told apart; all others are one. */
  readonly different: number;
}

/** Writes the log of connections. */
export class ConnectionBook {
  readonly #options: ConnectionBookOptions;
  readonly #repeated = new Map<string, Map<string, Repeated>>();
  #cancelSweep: (() => void) | undefined;

  constructor(options: ConnectionBookOptions) {
    this.#options = options;
  }

  /** Whether nothing more may be let through because it could not be recorded. */
  get isBlocked(): boolean {
    return this.#options.log.isBlocked;
  }

  /** Records a connection that is open now. */
  open(facts: ConnectionFacts): EndConnection {
    const { log, clock } = this.#options;
    const id = log.append((n) => ({
      id: n,
      ...bounded(facts),
      outcome: 'open',
      durationMs: null,
      sentBytes: 0,
      receivedBytes: 0,
    }));
    let isOpen = true;
    return ({ outcome, reason, sentBytes, receivedBytes }) => {
      if (!isOpen) return;
      isOpen = false;
      const durationMs = Math.max(0, clock.now() - facts.at);
      const end = { ...bounded({ ...facts, reason: reason ?? facts.reason }), outcome, durationMs, sentBytes, receivedBytes };
      log.append(() => ({ id, ...end }));
    };
  }

  /** Records one that was refused or came to nothing. */
  refuse(outcome: 'refused' | 'failed', given: ConnectionFacts): void {
    const facts = bounded(given);
    const ofAgent = this.#repeated.get(facts.agentId) ?? new Map<string, Repeated>();
    this.#repeated.set(facts.agentId, ofAgent);
    let key = JSON.stringify([outcome, facts.via, facts.host, facts.port, facts.protocol, facts.reason]);
    let written = facts;
    if (!ofAgent.has(key) && ofAgent.size >= this.#options.different) {
      key = '';
      const reason = `one of more than ${this.#options.different} different refusals within a minute, which are not told apart`;
      written = { ...facts, host: '*', port: 0, address: null, reason };
    }
    const known = ofAgent.get(key);
    if (known !== undefined) {
      known.count += 1;
      known.latest = written;
      return;
    }
    this.#write(outcome, written, 1);
    ofAgent.set(key, { until: this.#options.clock.now() + this.#options.sameMs, count: 0, latest: written, outcome });
    this.#cancelSweep ??= this.#options.clock.after(this.#options.sameMs, () => this.#sweep());
  }

  /** Writes what was counted. */
  flush(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    this.#writeAll(Number.POSITIVE_INFINITY);
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    this.#writeAll(this.#options.clock.now());
    if (this.#repeated.size === 0) return;
    let soonest = Number.POSITIVE_INFINITY;
    for (const ofAgent of this.#repeated.values()) for (const { until } of ofAgent.values()) soonest = Math.min(soonest, until);
    const wait = Math.max(100, soonest - this.#options.clock.now());
    this.#cancelSweep = this.#options.clock.after(wait, () => this.#sweep());
  }

  #writeAll(now: number): void {
    for (const [agentId, ofAgent] of this.#repeated) {
      for (const [key, { until, count, latest, outcome }] of ofAgent) {
        if (until > now) continue;
        ofAgent.delete(key);
        if (count > 0) this.#write(outcome, latest, count);
      }
      if (ofAgent.size === 0) this.#repeated.delete(agentId);
    }
  }

  #write(outcome: 'refused' | 'failed', facts: ConnectionFacts, count: number): void {
    const durationMs = Math.max(0, this.#options.clock.now() - facts.at);
    this.#options.log.append((n) => ({ id: n, ...facts, outcome, durationMs, sentBytes: 0, receivedBytes: 0 }), count);
  }
}

/** Facts as they are recorded: what an agent sent has an end, and no characters that change how a line is shown. */
function bounded(facts: ConnectionFacts): ConnectionFacts {
  return { ...facts, host: plain(facts.host).slice(0, MAX_HOST), reason: plain(facts.reason).slice(0, MAX_REASON) };
}

function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
