/**
 * In which order the fleet is shown. Needs you first, then what failed, then who works, then the rest, by name within
 * each; and never so that something moves away from under the pointer or the keyboard focus. Pure.
 */
import type { AgentStatus } from '#shared/agents/model.ts';
import type { FleetAgent } from './fleet-agent.ts';

/** What agents are counted and filtered by. Each agent is in exactly one. */
export const FLEET_GROUPS = ['needs', 'failed', 'working', 'idle', 'paused', 'stopped'] as const;
/** One of `FLEET_GROUPS`, in the order in which they are shown. */
export type FleetGroup = (typeof FLEET_GROUPS)[number];

const GROUPS: Readonly<Record<AgentStatus, FleetGroup>> = {
  failed: 'failed',
  lost: 'failed',
  working: 'working',
  starting: 'working',
  idle: 'idle',
  waiting: 'idle',
  paused: 'paused',
  stopping: 'stopped',
  stopped: 'stopped',
  created: 'stopped',
};

/** The group of an agent: whether it waits for the operator counts before its state. */
export function groupOf({ agent, question }: Pick<FleetAgent, 'agent' | 'question'>): FleetGroup {
  return question === undefined ? GROUPS[agent.state.status] : 'needs';
}

/**
 * An agent that fell idle less than this long ago keeps its place among those that work, in milliseconds: a worker that
 * does one small task after the other must not jump to and fro.
 */
export const KEEPS_PLACE_MS = 15_000;

/** The rank of an agent, lowest first. `now` in milliseconds since the epoch. */
function rankOf(row: FleetAgent, now: number): number {
  const group = groupOf(row);
  const justFellIdle = group === 'idle' && now - row.agent.state.since < KEEPS_PLACE_MS && row.agent.starts > 0;
  return FLEET_GROUPS.indexOf(justFellIdle ? 'working' : group);
}

/** The order to be shown. Equal agents are ordered by name, so that the order never depends on what came first. */
export function orderFleet(rows: readonly FleetAgent[], now: number): FleetAgent[] {
  const ranked = rows.map((row) => ({ row, rank: rankOf(row, now) }));
  ranked.sort((a, b) => a.rank - b.rank || (a.row.agent.id < b.row.agent.id ? -1 : a.row.agent.id > b.row.agent.id ? 1 : 0));
  return ranked.map(({ row }) => row);
}

/** What `settledOrder` decides from; all are agents' ids. */
export interface OrderInput {
  /** As it is shown now. */
  readonly shown: readonly string[];
  /** As it should be. */
  readonly wanted: readonly string[];
  /** Whether the pointer or the keyboard focus is on it. */
  readonly isHeld: boolean;
  /** Whether an agent is still there at all, though perhaps no longer wanted. */
  readonly exists: (id: string) => boolean;
}

/**
 * The order to show next. While it is held, whoever is shown stays where it is, also when a filter no longer wants it; who
 * is new comes last; only who is gone for good leaves a gap that closes.
 */
export function settledOrder({ shown, wanted, isHeld, exists }: OrderInput): readonly string[] {
  if (!isHeld) return sameOrder(shown, wanted) ? shown : wanted;
  const known = new Set(shown);
  const next = [...shown.filter(exists), ...wanted.filter((id) => !known.has(id))];
  return sameOrder(shown, next) ? shown : next;
}

/** Whether two orders are the same. */
export function sameOrder(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}
