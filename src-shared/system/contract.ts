/** Procedures about the installation itself. */
import * as z from 'zod';
import { command, procedure, query } from '#shared/kernel/procedure.ts';
import { RuntimeAvailability } from '#shared/runtimes/model.ts';
import { RunInfo, SystemCheck } from './model.ts';

/** Procedures about the installation itself. */
export const systemContract = {
  info: procedure(query('get_system_info', 'core'), {
    method: 'GET',
    path: '/system',
    summary: 'What runs here',
    description: 'Version, addresses, data folder, runtimes and whether they work on this machine.',
  })
    .input(z.strictObject({}))
    .output(RunInfo.extend({ dataDir: z.string(), runtimes: z.array(RuntimeAvailability) })),

  stats: procedure(query('get_stats'), {
    method: 'GET',
    path: '/system/stats',
    summary: 'Figures of the core',
    description:
      'Counts and measurements of the core: agents by state, messages, journal, connections, memory, event loop delay, commits.',
  })
    .input(z.strictObject({}))
    .output(
      z.object({
        uptimeMs: z.number(),
        agents: z.record(z.string(), z.number().int()),
        messages: z.number().int(),
        unread: z.number().int(),
        journalSeq: z.number().int(),
        followers: z.number().int(),
        memoryBytes: z.number(),
        eventLoop: z.object({ p50Ms: z.number(), p99Ms: z.number(), p999Ms: z.number(), maxMs: z.number() }),
        store: z.object({
          commits: z.number().int(),
          writes: z.number().int(),
          commitP50Ms: z.number(),
          commitP99Ms: z.number(),
          commitMaxMs: z.number(),
          databaseBytes: z.number(),
        }),
      }),
    ),

  doctor: procedure(query('run_doctor'), {
    method: 'GET',
    path: '/system/doctor',
    summary: 'Look at this machine',
    description:
      'Looks for what agents need (agent CLIs and whether they are logged in, Docker, tmux, git, disk), by the PATH of a login shell and by really asking each, and says for each gap the one command that closes it.',
  })
    .input(z.strictObject({}))
    .output(z.object({ checks: z.array(SystemCheck), checkedAt: z.number().int() })),

  shutdown: procedure(command(undefined, 'CRITICAL', { role: 'operator' }), {
    method: 'POST',
    path: '/system:shutdown',
    summary: 'End the core',
    description: 'Ends the core cleanly. Agents in tmux go on unless stopAgents is true.',
  })
    .input(z.strictObject({ stopAgents: z.boolean().default(false) }))
    .output(z.object({ isEnding: z.literal(true) })),
};
