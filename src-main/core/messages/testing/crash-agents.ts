/** What the crash test and its children both know. */
import * as z from 'zod';

/** The agents of the crash test: fifty, each of which sends and receives. */
export const CRASH_AGENTS: readonly string[] = Array.from({ length: 50 }, (_, n) => `agent-${n + 1}`);

/** What a child is told: the folder of its store, and a number above which its messages are numbered. */
export const CrashOrder = z.object({ dir: z.string(), after: z.number() });
/** What a child is told. */
export type CrashOrder = z.infer<typeof CrashOrder>;
