/** For the model-based test of messages: what must be true, kept in arrays. */
import { expect } from 'vitest';
import { backoffMs } from '#shared/kernel/backoff.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { DeliveryState, MessageKind, Priority } from '#shared/messages/model.ts';
import { DEFAULT_LEASE_MS, MAX_ATTEMPTS, PRIORITIES } from '#shared/messages/model.ts';
import { REDELIVERY } from '#core/messages/due-deliveries.ts';
import type { InboxPage } from '#core/messages/waiters.ts';

/** Who sends and receives. */
export const AGENTS = ['a', 'b', 'c'] as const;
/** One of them. */
export type Agent = (typeof AGENTS)[number];
/** What would be random in waits. */
export const RANDOM = 0.5;

/** A message as the model keeps it. */
export interface ModelMessage {
  readonly id: MessageId;
  readonly from: Agent | 'core';
  readonly to: string;
  readonly kind: MessageKind;
  readonly priority: Priority;
  readonly body: string;
  readonly key: string | undefined;
  readonly ttlMs: number | undefined;
  readonly delayMs: number | undefined;
}

/** A copy as the model keeps it. */
export interface ModelDelivery {
  readonly message: ModelMessage;
  readonly agent: Agent;
  state: DeliveryState;
  attempts: number;
  leasedUntil: number | null;
  heldUntil: number | null;
  expiresAt: number;
  deadReason: string | undefined;
}

/** A copy as it is when it was sent. */
export function queued(message: ModelMessage, agent: Agent, now: number): ModelDelivery {
  const { ttlMs = Number.POSITIVE_INFINITY, delayMs } = message;
  const heldUntil = delayMs === undefined ? null : now + delayMs;
  return {
    message,
    agent,
    state: 'queued',
    attempts: 0,
    leasedUntil: null,
    heldUntil,
    expiresAt: now + ttlMs,
    deadReason: undefined,
  };
}

/** A call that waits. */
export interface ModelWaiter {
  readonly limit: number;
  readonly leaseMs: number | undefined;
  readonly outcome: Promise<InboxPage>;
  readonly gone: AbortController;
}

/** What must be true, kept in arrays. */
export class Model {
  readonly messages: ModelMessage[] = [];
  readonly inboxes: Readonly<Record<Agent, ModelDelivery[]>> = { a: [], b: [], c: [] };
  readonly waiters: Record<Agent, ModelWaiter[]> = { a: [], b: [], c: [] };
  /** Who has subscribed to the topic. */
  readonly subscribed = new Set<Agent>();

  /** In the order of an inbox, without what is held back: the sort is stable, and messages are added oldest first. */
  inOrder(agent: Agent, states: readonly DeliveryState[]): ModelDelivery[] {
    return this.inboxes[agent]
      .filter((delivery) => states.includes(delivery.state) && delivery.heldUntil === null)
      .sort((x, y) => PRIORITIES.indexOf(x.message.priority) - PRIORITIES.indexOf(y.message.priority));
  }

  /** Does what is due by now. */
  settle(now: number): void {
    for (const delivery of AGENTS.flatMap((agent) => this.inboxes[agent])) {
      if (delivery.state === 'read' || delivery.state === 'dead') continue;
      if (delivery.expiresAt <= now) kill(delivery, 'expired');
      else if (delivery.leasedUntil !== null && delivery.leasedUntil <= now)
        giveBack(delivery, now + backoffMs(REDELIVERY, delivery.attempts - 1, RANDOM));
      else if (delivery.heldUntil !== null && delivery.heldUntil <= now) delivery.heldUntil = null;
    }
  }

  take(agent: Agent, limit: number, now: number, leaseMs: number = DEFAULT_LEASE_MS): ModelDelivery[] {
    const taken = this.inOrder(agent, ['queued']).slice(0, limit);
    for (const delivery of taken) handOut(delivery, now, leaseMs);
    return taken;
  }

  /** What waits is handed to those who wait, the longest waiting first. */
  async serve(now: number): Promise<void> {
    for (const agent of AGENTS) {
      while (this.waiters[agent].length > 0 && this.inOrder(agent, ['queued']).length > 0) {
        const waiter = this.waiters[agent].shift();
        if (waiter) expectPage(await waiter.outcome, this.take(agent, waiter.limit, now, waiter.leaseMs));
      }
    }
  }
}

/** Hands a copy out. */
export function handOut(delivery: ModelDelivery, now: number, leaseMs: number): void {
  delivery.state = 'delivered';
  delivery.attempts += 1;
  delivery.leasedUntil = now + leaseMs;
}

/** Puts a copy back that was handed out. */
export function giveBack(delivery: ModelDelivery, heldUntil: number | null): void {
  if (delivery.attempts >= MAX_ATTEMPTS) return kill(delivery, 'attempts');
  Object.assign(delivery, { state: 'queued', leasedUntil: null, heldUntil });
}

/** Lets a copy die. */
export function kill(delivery: ModelDelivery, deadReason: string): void {
  Object.assign(delivery, { state: 'dead', leasedUntil: null, heldUntil: null, deadReason });
}

/** A page shows these, as they stand. */
export function expectPage(page: InboxPage, expected: readonly ModelDelivery[]): void {
  expect(page.messages.map(({ id, state, attempts, leasedUntil }) => ({ id, state, attempts, leasedUntil }))).toEqual(
    expected.map(({ message, state, attempts, leasedUntil }) => ({ id: message.id, state, attempts, leasedUntil })),
  );
}
