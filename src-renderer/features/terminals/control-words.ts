/** Who has a terminal's keyboard, in words. Pure. */
import type { ControlPayload } from '#shared/terminals/frames.ts';
import type { Door } from '#shared/auth/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';

/** Who has control. */
export type Holder = NonNullable<ControlPayload['holder']>;

/** The operator's name on every door. */
const OPERATOR_NAME = 'operator';

const PLACES: Readonly<Record<Door, string>> = {
  desktop: 'the desktop app',
  web: 'a browser window',
  cli: 'a shell',
  rest: 'REST',
  mcp: 'MCP',
  'agent-mcp': 'the agent interface',
  core: 'Quarterdeck itself',
};

const OPERATORS_PLACES: Readonly<Record<Door, string>> = {
  desktop: 'The desktop app',
  web: 'Another browser window',
  cli: 'A shell of yours',
  rest: 'A script of yours, by REST,',
  mcp: 'An MCP client of yours',
  'agent-mcp': 'An agent',
  core: 'Quarterdeck itself',
};

/** Who that is, to begin a sentence with: the operator is known by the place, everybody else by name and place. */
export function holderWords({ name, door }: Pick<Holder, 'name' | 'door'>): string {
  return name === OPERATOR_NAME ? OPERATORS_PLACES[door] : `${name}, by ${PLACES[door]},`;
}

/** Whether control went from this view to somebody else's. */
export function isTakenAway(before: ControlPayload | undefined, now: ControlPayload): boolean {
  return before?.holder?.isYou === true && now.holder !== null && !now.holder.isYou;
}

/** Whether nobody but this view looks, and nobody else has control. */
export function isSole({ holder, viewers }: ControlPayload): boolean {
  return viewers === 1 && (holder === null || holder.isYou);
}

/** What a window of an agent's terminal is called. */
export function windowTitle(name: string): string {
  return ownEntry({ main: 'Terminal', monitor: 'Monitor', queue: 'Queue' }, name) ?? name;
}
