/** Procedures about teams. */
import * as z from 'zod';
import { Agent } from '#shared/agents/model.ts';
import { IdempotencyKey, command, procedure } from '#shared/kernel/procedure.ts';
import { MessageId, ProjectId } from '#shared/kernel/ids.ts';
import { RuntimeKind } from '#shared/runtimes/model.ts';
import { Project } from '#shared/projects/model.ts';
import { Team } from './model.ts';

/** What became of a team that was brought up. */
const TeamUp = z.object({
  project: Project,
  agents: z.array(Agent),
  /** Ids of the start messages, in the order of the file. Their replies name them in inReplyTo. */
  started: z.array(MessageId),
});

/** Procedures about teams. */
export const teamsContract = {
  up: procedure(command('start_team', 'MEDIUM', { toolset: 'core' }), {
    method: 'POST',
    path: '/teams',
    summary: 'Bring a team up',
    description:
      'Spawns the agents of a team and sends its start messages. Agents that run already with the same configuration are kept, and with fresh=true ids that are taken get a number. A team that was read from a file should name it: one that an agent in a container can write is a proposal of that agent, and is refused unless acceptAgentFile=true.',
  })
    .input(
      z.strictObject({
        team: Team,
        projectId: ProjectId.optional(),
        projectFolder: z.string().max(4_096).optional(),
        fresh: z.boolean().default(false).describe('true: agents of its own, whatever runs already'),
        file: z
          .string()
          .max(4_096)
          .refine((path) => path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path), 'must be an absolute path')
          .optional()
          .describe('The file that the team was read from. One that a contained agent can write is refused as a proposal'),
        acceptAgentFile: z
          .boolean()
          .default(false)
          .describe('true: you have read the file, and bring it up although a contained agent can write it'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(TeamUp),

  sample: procedure(command('start_sample_crew', 'MEDIUM', { toolset: 'core' }), {
    method: 'POST',
    path: '/teams:sample',
    summary: 'Start the sample crew',
    description:
      'Starts three workers that survey a folder together and write report.md into it: one inventories the files and splits the work, two analyse their share, the first merges. Needs no model and no keys. Without a folder a small sample repository is made. With asksOperator=true the first of them asks you a question on the way and waits for your answer. With a runtime all three run there. The answer arrives in your inbox as a reply to the id in "started".',
  })
    .input(
      z.strictObject({
        folder: z.string().max(4_096).optional(),
        runtime: RuntimeKind.optional(),
        asksOperator: z.boolean().default(false).describe('true: a person is at hand to answer a question on the way'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(TeamUp),
};
