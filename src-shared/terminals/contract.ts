/** Procedures about terminals. The live bytes have a link of their own (./frames.ts); these are for tools, scripts and REST. */
import * as z from 'zod';
import { Door } from '#shared/auth/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { IdempotencyKey, command, procedure, query } from '#shared/kernel/procedure.ts';

const Window = z
  .string()
  .max(32)
  .default('main')
  .describe('Which window of the terminal: "main", "monitor", and "queue" for workers');

/** Procedures about terminals. */
export const terminalsContract = {
  capture: procedure(query('read_terminal', 'core'), {
    method: 'GET',
    path: '/agents/{id}/terminal',
    summary: 'Read the terminal of an agent',
    description:
      "Returns the screen of the agent's terminal as lines of text, with at most historyLines lines above it. Works after the agent has ended, as long as its terminal is kept.",
  })
    .input(
      z.strictObject({
        id: AgentId,
        window: Window,
        historyLines: z.number().int().min(0).max(10_000).default(0),
        ansi: z.boolean().default(false).describe('true keeps colours as ANSI sequences'),
      }),
    )
    .output(
      z.object({
        lines: z.array(z.string()),
        size: z.object({ cols: z.number().int(), rows: z.number().int() }),
        cursor: z.object({ x: z.number().int(), y: z.number().int() }),
        windows: z.array(z.string()),
      }),
    ),

  write: procedure(command('type_into_terminal', 'HIGH', { role: 'operator' }), {
    method: 'POST',
    path: '/agents/{id}/terminal',
    summary: 'Type into the terminal of an agent',
    description:
      "Types text into the agent's terminal, as if an operator did; enter=true presses Enter after it. Refused with CONFLICT while somebody else has control of the terminal; terminal_status says who.",
  })
    .input(
      z.strictObject({
        id: AgentId,
        window: Window,
        text: z.string().max(65_536),
        enter: z.boolean().default(false),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(z.object({ id: AgentId, typedBytes: z.number().int() })),

  resize: procedure(command(undefined, 'LOW', { role: 'automation' }), {
    method: 'PUT',
    path: '/agents/{id}/terminal/size',
    summary: 'Set the size of a terminal',
    description:
      "Sets the size of the agent's terminal in columns and rows, for all who look at it. Refused with CONFLICT while somebody else has control of the terminal.",
  })
    .input(z.strictObject({ id: AgentId, cols: z.number().int().min(10).max(500), rows: z.number().int().min(2).max(300) }))
    .output(z.object({ cols: z.number().int(), rows: z.number().int() })),

  status: procedure(query('terminal_status'), {
    method: 'GET',
    path: '/agents/{id}/terminal/status',
    summary: 'See who has control of a terminal',
    description:
      "Returns the windows of the agent's terminal, who has control of it (the one who can type; null when nobody has) since when in milliseconds since the epoch, and how many look at it live. An agent that was never started has no windows.",
  })
    .input(z.strictObject({ id: AgentId }))
    .output(
      z.object({
        windows: z.array(z.string()),
        holder: z.object({ name: z.string(), door: Door, since: z.number().int() }).nullable(),
        viewers: z.number().int(),
      }),
    ),
};
