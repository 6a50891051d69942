import type { ReactNode } from 'react';
import type { Agent } from '#shared/agents/model.ts';
import type { AgentAction } from './agent-actions.ts';

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

/** Draws an agent's terminal. Terminals are another feature's: the page hands this in. */
export type RenderTerminal = (
  agent: Agent,
  options: {
    /** The most rows that can be seen; 300 for the whole screen. */
    readonly rows: number;
    /** Nothing happens there any more. */
    readonly isQuiet: boolean;
  },
) => ReactNode;

/** What can be done from a card, a row or a pane. The same object for all of them, so that they stay as they are. */
export interface FleetHands {
  readonly onCurrent: (id: string) => void;
  /** With `isRange`, everything from the last one that was selected. */
  readonly onToggle: (id: string, isRange: boolean) => void;
  /** Selects all of these, or none when all are selected. */
  readonly onToggleAll: (ids: readonly string[]) => void;
  readonly onAction: (id: string, action: AgentAction) => void;
  readonly onMessage: (id: string) => void;
}
