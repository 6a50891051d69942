/** The agents of the crash test. */
export const CRASH_AGENTS = ['ada', 'ben', 'cleo', 'dan'] as const;
