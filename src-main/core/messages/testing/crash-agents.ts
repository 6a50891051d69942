/** The agents of the crash test: fifty, each of which sends and receives. */
export const CRASH_AGENTS: readonly string[] = Array.from({ length: 50 }, (_, n) => `agent-${n + 1}`);
