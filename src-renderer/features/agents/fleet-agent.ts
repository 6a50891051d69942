import type { Agent } from '#shared/agents/model.ts';

/** What an agent asked the operator and waits for. */
export interface FleetQuestion {
  readonly messageId: string;
  readonly subject: string | null;
  readonly body: string;
  /** Short answers that the agent offers, in its order; empty when it offers none. */
  readonly answers: readonly string[];
  /** When it was asked, in milliseconds since the epoch. */
  readonly at: number;
  /** When it stops mattering; null: never. */
  readonly expiresAt: number | null;
  /** How many further questions of the same agent wait behind this one. */
  readonly more: number;
}

/** An agent as the fleet shows it. The same object as long as nothing of it changed. */
export interface FleetAgent {
  readonly agent: Agent;
  /** The oldest question that waits; undefined when the agent does not wait for the operator. */
  readonly question: FleetQuestion | undefined;
}
