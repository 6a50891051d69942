/** What the core tells a worker through its environment. Read once, at the start. */
import * as z from 'zod';
import { err, ok } from '#shared/kernel/result.ts';
import type { Result } from '#shared/kernel/result.ts';
import { OutputFormat } from '#shared/worker/transform-model.ts';

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`);

/** The variables of a worker. */
const WorkerEnvironmentSchema = z.object({
  QUARTERDECK_AGENT_ID: z.string('is missing: the id of this agent').min(1),
  QUARTERDECK_AGENT_URL: z.url({ protocol: /^https?$/, error: 'must be the http address of the agent interface' }),
  QUARTERDECK_AGENT_TOKEN: z.string('is missing: the access token of this agent').min(1),
  QUARTERDECK_HEALTH_SOCKET: z.string().min(1).optional(),
  QUARTERDECK_QUEUE_FILE: z.string().min(1).optional(),
  QUARTERDECK_MAX_CONCURRENT_TASKS: whole(1, 64).default(1),
  QUARTERDECK_TASK_TIMEOUT_MS: whole(0, 2_147_483_647).default(0),
  BATCH_SIZE: whole(1, 100_000).default(100),
  WORKER_POOL_SIZE: whole(1, 64).default(4),
  OUTPUT_FORMAT: OutputFormat.default('json'),
});
/** The variables of a worker. */
export type WorkerEnvironment = z.infer<typeof WorkerEnvironmentSchema>;

/** Reads the variables. The error has one line for each that is wrong. Empty variables count as missing. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Result<WorkerEnvironment, string[]> {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = WorkerEnvironmentSchema.safeParse(set);
  return parsed.success ? ok(parsed.data) : err(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
}

/** What of the product's own variables a worker's commands keep: whose they are, and the mark by which a stop finds them. */
const PASSED_ON: ReadonlySet<string> = new Set(['QUARTERDECK_AGENT_ID', 'QUARTERDECK_RUN_ID']);

/** The environment of the commands that a worker runs: its own, without its token and what else belongs to it alone. */
export function commandEnvironment(variables: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]): [string, string][] =>
      value === undefined || (name.startsWith('QUARTERDECK_') && !PASSED_ON.has(name)) ? [] : [[name, value]],
    ),
  );
}
