/** Figures and sources about agents as people read them. Pure. */
import type { Actor, Door } from '#shared/auth/model.ts';
import type { Evidence } from '#shared/agents/model.ts';

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** Bytes in the largest unit that keeps them above 1, by powers of 1024 as limits are written: "412 MB", "1.5 GB". */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}

/** Memory is drawn from nothing to at least this, in bytes: a small agent must not look full. */
const LEAST_MEMORY_TOP = 64 * 1024 * 1024;

/** The upper edge of a course of memory: a quarter above the highest, so that a steady one does not look like a limit. */
export function memoryTop(values: readonly number[]): number {
  return Math.max(LEAST_MEMORY_TOP, ...values.map((value) => value * 1.25));
}

/** Percent of one core: "3%". */
export function percentText(percent: number): string {
  return `${Math.round(percent)}%`;
}

/** Milliseconds: "0.8 ms", "24 ms", "1.8 s". */
export function responseText(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** What a state rests on, in words. */
export const SOURCE_WORDS: Readonly<Record<Evidence['source'], string>> = {
  command: 'an order',
  process: 'the process itself',
  interface: 'a call the agent made',
  runtime: 'the runtime',
  clock: 'a deadline',
  core: 'the core',
  boundary: 'the proof of its boundary',
};

/** A way into the core, in words; the core's own needs none. */
export const DOOR_WORDS: Readonly<Record<Door, string>> = {
  desktop: 'desktop app',
  web: 'browser',
  cli: 'command line',
  rest: 'REST',
  mcp: 'MCP',
  'agent-mcp': 'agent interface',
  core: '',
};

/** Who did something. */
export function actorText({ kind, id }: Actor): string {
  if (kind === 'operator') return 'you';
  return kind === 'system' ? 'Quarterdeck' : id;
}

/** Who had the keyboard of a terminal, and where. */
export function holderText({ actor, door, name }: { readonly actor: Actor; readonly door: Door; readonly name: string }): string {
  return actor.kind === 'operator' ? `you in another place (${DOOR_WORDS[door]})` : name;
}
