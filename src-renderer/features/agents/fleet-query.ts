/**
 * The small language that the fleet is filtered by: words, and `key:value` pairs. All must match; several values of one
 * key, by a comma or by repeating it, are alternatives; a minus before a term turns it round.
 * `type:worker state:idle,working cap:review -name:old report`. Pure.
 */
import { ownEntry } from '#shared/kernel/own-entry.ts';
import type { FleetAgent } from './fleet-agent.ts';
import type { FleetGroup } from './fleet-order.ts';
import { FLEET_GROUPS, groupOf } from './fleet-order.ts';
import { lineOf } from './status-look.ts';

/** What a query can name, with other spellings of it. */
const KEYS: Readonly<Record<string, 'type' | 'state' | 'cap' | 'name' | 'boundary'>> = {
  type: 'type',
  state: 'state',
  is: 'state',
  status: 'state',
  cap: 'cap',
  capability: 'cap',
  name: 'name',
  id: 'name',
  boundary: 'boundary',
};

/** One condition of a query. */
export interface QueryTerm {
  readonly key: 'text' | 'type' | 'state' | 'cap' | 'name' | 'boundary';
  /** Alternatives, in lower case. */
  readonly values: readonly string[];
  readonly isNegated: boolean;
}

const TERM = /(-?)(?:([a-z]+):(?:"([^"]*)"?|(\S*))|"([^"]*)"?|(\S+))/gi;

/** Reads a query. Everything is a query: what is no known key is text to look for. */
export function parseQuery(query: string): QueryTerm[] {
  return [...query.matchAll(TERM)].flatMap(([whole, minus, keyText, quotedValue, value, quoted, word]): QueryTerm[] => {
    const key = keyText === undefined ? undefined : ownEntry(KEYS, keyText.toLowerCase());
    const isNegated = minus === '-';
    if (key === undefined) {
      const text = keyText === undefined ? (quoted ?? word ?? '') : whole.slice(isNegated ? 1 : 0);
      return text === '' ? [] : [{ key: 'text', values: [text.toLowerCase()], isNegated }];
    }
    // A key without a value yet is somebody typing: it leaves nobody out.
    const values = quotedValue === undefined ? (value ?? '').toLowerCase().split(',') : [quotedValue.toLowerCase()];
    const given = values.filter((value) => value !== '');
    return given.length === 0 ? [] : [{ key, values: given, isNegated }];
  });
}

function isIn(row: FleetAgent, state: string): boolean {
  return groupOf(row) === state || (row.question === undefined && row.agent.state.status === state);
}

function hasValue(row: FleetAgent, { key, values }: QueryTerm): boolean {
  const { agent } = row;
  return values.some((value) => {
    switch (key) {
      case 'type':
        return agent.config.type.startsWith(value);
      case 'state':
        return isIn(row, value);
      case 'cap':
        return agent.config.capabilities.some((capability) => capability.startsWith(value));
      case 'name':
        return agent.id.toLowerCase().includes(value);
      case 'boundary':
        return agent.boundary.startsWith(value);
      case 'text':
        return [agent.id, agent.config.type, agent.config.description, lineOf(agent), ...agent.config.capabilities].some((text) =>
          text.toLowerCase().includes(value),
        );
    }
  });
}

/** Whether an agent meets every term; values of one key that stand in several terms are alternatives. */
export function matches(row: FleetAgent, terms: readonly QueryTerm[]): boolean {
  const alternatives = new Map<string, boolean>();
  for (const term of terms) {
    const isMet = hasValue(row, term);
    if (term.isNegated) {
      if (isMet) return false;
    } else if (term.key === 'text') {
      if (!isMet) return false;
    } else {
      alternatives.set(term.key, (alternatives.get(term.key) ?? false) || isMet);
    }
  }
  return [...alternatives.values()].every(Boolean);
}

/** The one group that a query is narrowed to; undefined for none, or for anything more particular. */
export function groupInQuery(query: string): FleetGroup | undefined {
  const states = parseQuery(query).filter(({ key }) => key === 'state');
  const [only] = states;
  if (states.length !== 1 || only === undefined || only.isNegated || only.values.length !== 1) return undefined;
  return FLEET_GROUPS.find((group) => group === only.values[0]);
}

/** The query without what it says about states. */
export function withoutStates(query: string): string {
  return query
    .replaceAll(TERM, (whole: string, _minus: string, key: string | undefined) =>
      key !== undefined && ownEntry(KEYS, key.toLowerCase()) === 'state' ? '' : whole,
    )
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** The query narrowed to a group, or to none. */
export function withGroup(query: string, group: FleetGroup | undefined): string {
  const rest = withoutStates(query);
  if (group === undefined) return rest;
  return rest === '' ? `state:${group}` : `state:${group} ${rest}`;
}

/** How many agents are in each group. */
export function countGroups(rows: readonly FleetAgent[]): Readonly<Record<FleetGroup, number>> {
  const counts: Record<FleetGroup, number> = { needs: 0, failed: 0, working: 0, idle: 0, paused: 0, stopped: 0 };
  for (const row of rows) counts[groupOf(row)] += 1;
  return counts;
}
