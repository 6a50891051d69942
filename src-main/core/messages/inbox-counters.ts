/**
 * How many messages there are and how many deliveries stand where, in memory: asked for on every list of agents, by every
 * waiter and every window.
 * Invariant: equal to what the tables of what is committed say; empty inboxes take no space.
 */
import { OPERATOR } from '#shared/messages/model.ts';
import type { CountedInbox, InboxCount } from './inbox-count.ts';
import type { ProjectCount } from './messages-repository.ts';

/** What is in one inbox that is not empty. */
export interface InboxSummary extends InboxCount {
  readonly recipient: string;
  /** Whether messages of several projects are in it. */
  readonly hasSeveralProjects: boolean;
}

const NOTHING: InboxCount = { queued: 0, delayed: 0, unread: 0, held: 0, chars: 0 };
const NO_MESSAGES: ProjectCount = { total: 0, requests: 0, dead: 0 };

function plus(a: InboxCount, b: Partial<InboxCount>): InboxCount {
  return {
    queued: a.queued + (b.queued ?? 0),
    delayed: a.delayed + (b.delayed ?? 0),
    unread: a.unread + (b.unread ?? 0),
    held: a.held + (b.held ?? 0),
    chars: a.chars + (b.chars ?? 0),
  };
}

/** Counts by inbox and by project. */
export class InboxCounters {
  /** By recipient, then by project: agents have one, the operator's inbox may hold messages of many. */
  readonly #inboxes = new Map<string, Map<string, InboxCount>>();
  #projects = new Map<string, ProjectCount>();

  /** Replaces everything. */
  reset(inboxes: Iterable<CountedInbox>, projects: Iterable<readonly [string, ProjectCount]>): void {
    this.#inboxes.clear();
    for (const { recipient, projectId, count } of inboxes) this.add(recipient, projectId, count);
    this.#projects = new Map(projects);
  }

  /** The counts of one inbox, over all projects or of one. */
  of(recipient: string, projectId?: string): InboxCount {
    const parts = this.#inboxes.get(recipient);
    if (!parts) return NOTHING;
    if (projectId !== undefined) return parts.get(projectId) ?? NOTHING;
    let sum = NOTHING;
    for (const part of parts.values()) sum = plus(sum, part);
    return sum;
  }

  /** Adds a difference to one inbox. */
  add(recipient: string, projectId: string, change: Partial<InboxCount>): void {
    const parts = this.#inboxes.get(recipient) ?? new Map<string, InboxCount>();
    const count = plus(parts.get(projectId) ?? NOTHING, change);
    if (count.unread === 0 && count.delayed === 0) parts.delete(projectId);
    else parts.set(projectId, count);
    if (parts.size === 0) this.#inboxes.delete(recipient);
    else this.#inboxes.set(recipient, parts);
  }

  /** Adds a difference to one project's messages. */
  addMessages(projectId: string, change: Partial<ProjectCount>): void {
    const before = this.#projects.get(projectId) ?? NO_MESSAGES;
    this.#projects.set(projectId, {
      total: before.total + (change.total ?? 0),
      requests: before.requests + (change.requests ?? 0),
      dead: before.dead + (change.dead ?? 0),
    });
  }

  /** How many messages there are, in all projects or in one. */
  messages(projectId?: string): ProjectCount {
    if (projectId !== undefined) return this.#projects.get(projectId) ?? NO_MESSAGES;
    let sum = NO_MESSAGES;
    for (const { total, requests, dead } of this.#projects.values())
      sum = { total: sum.total + total, requests: sum.requests + requests, dead: sum.dead + dead };
    return sum;
  }

  /** The inboxes that are not empty, the operator's first, then by name; only one project's part where stated. */
  inboxes(projectId?: string): InboxSummary[] {
    const summaries: InboxSummary[] = [];
    for (const [recipient, parts] of this.#inboxes) {
      const count = this.of(recipient, projectId);
      if (count.unread > 0 || count.delayed > 0) summaries.push({ recipient, hasSeveralProjects: parts.size > 1, ...count });
    }
    return summaries.sort((a, b) => rank(a.recipient) - rank(b.recipient) || (a.recipient < b.recipient ? -1 : 1));
  }
}

function rank(recipient: string): number {
  return recipient === OPERATOR ? 0 : 1;
}
