/** What somebody who helps wants to see, as text. Holds no token, no message and nothing of a terminal. */
import type { SystemCheck } from '#shared/system/model.ts';

/** What goes in. */
interface DiagnosticsInput {
  readonly version: string;
  readonly userAgent: string;
  readonly checks: readonly SystemCheck[];
  /** How many agents are in which state. */
  readonly agents: Readonly<Record<string, number>>;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The diagnostics as text. */
export function diagnosticsOf({ version, userAgent, checks, agents, at }: DiagnosticsInput): string {
  const states = Object.entries(agents).map(([state, count]) => `${count} ${state}`);
  return [
    `Quarterdeck ${version}, ${new Date(at).toISOString()}`,
    `Window: ${userAgent}`,
    `Agents: ${states.length === 0 ? 'none' : states.join(', ')}`,
    ...checks.map(
      ({ title, state, detail, remedy }) => `${state.padEnd(8)} ${title}: ${detail}${remedy === null ? '' : ` (${remedy})`}`,
    ),
  ].join('\n');
}
