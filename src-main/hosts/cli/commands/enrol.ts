/** `enrol`: a code for an agent from outside, and what to do with it; who asks to be let in, and the decision. */
import type { Command } from 'commander';
import * as z from 'zod';
import { Capability } from '#shared/agents/model.ts';
import { AgentId, EnrolmentRequestId, ProjectId } from '#shared/kernel/ids.ts';
import { usageError } from '../cli-error.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag, NoOptions } from '../command.ts';
import { Duration } from '../option-schemas.ts';
import { oneLine } from '../output.ts';
import { clockTime } from '../times.ts';

const EnrolOptions = z.object({
  ttl: Duration.optional(),
  id: AgentId.optional(),
  project: ProjectId.optional(),
  capability: z.array(Capability).optional(),
  note: z.string().max(200).optional(),
});

async function enrol(call: Invocation<z.infer<typeof EnrolOptions>>): Promise<void> {
  const { ttl, id, project, capability, note } = call.options;
  await call.withCore(async (client) => {
    const made = await client.enrolments.createCode({
      ...(ttl === undefined ? {} : { ttlMs: ttl }),
      ...(id === undefined ? {} : { agentId: id }),
      ...(project === undefined ? {} : { projectId: project }),
      ...(capability === undefined ? {} : { capabilities: capability }),
      ...(note === undefined ? {} : { note }),
    });
    call.out.result(made, () => {
      call.out.note(`A code for one agent, good once and until ${clockTime(made.code.expiresAt)}. It is shown this one time:`);
      call.out.line(made.secret);
      call.out.note(
        [
          '',
          'Claude Code: add the crew without a token, and tell it to call register_agent with this code.',
          `  claude mcp add --transport http quarterdeck-crew ${made.agentMcpUrl}`,
          'It is told its own token. Then add the crew again with that token, and start Claude Code anew:',
          '  claude mcp remove quarterdeck-crew',
          `  claude mcp add --transport http quarterdeck-crew ${made.agentMcpUrl} --header "Authorization: Bearer <its token>"`,
          'Any other MCP client does the same. Quarterdeck neither contains nor controls an agent from outside.',
        ].join('\n'),
      );
    });
  });
}

async function list(call: Invocation<unknown>): Promise<void> {
  await call.withCore(async (client) => {
    const open = await client.enrolments.list({});
    call.out.result(open, () => {
      call.out.table(
        ['REQUEST', 'NAME', 'FROM', 'CHECK', 'UNTIL', 'SAYS'],
        open.requests.map((one) => [
          one.id,
          { text: oneLine(one.wish.name), style: 'strong' },
          one.address,
          one.check,
          clockTime(one.expiresAt),
          oneLine(one.wish.note),
        ]),
        'Nobody asks to be let in.',
      );
      call.out.table(
        ['CODE', 'FOR', 'UNTIL'],
        open.codes.map((one) => [one.id, one.agentId ?? 'any agent', clockTime(one.expiresAt)]),
        'No code is open.',
      );
    });
  });
}

function decide(isApproved: boolean): (call: Invocation<unknown>) => Promise<void> {
  return async (call) => {
    const id = EnrolmentRequestId.safeParse(call.args[0]);
    if (!id.success)
      throw usageError(`"${call.args[0] ?? ''}" is no request of the form enr_<uuid>. See: quarterdeck enrol list`);
    await call.withCore(async (client) => {
      const request = await client.enrolments.decide({ id: id.data, isApproved });
      call.out.result(request, () =>
        call.out.line(
          isApproved
            ? `${oneLine(request.wish.name)} is agent ${request.agentId ?? ''} now, not contained and not controlled.`
            : `${oneLine(request.wish.name)} was not let in.`,
        ),
      );
    });
  };
}

/** Adds `enrol`. */
export function addEnrolCommand(program: Command, host: CommandHost): void {
  const command = addCommand(program, host, {
    usage: 'enrol',
    summary: 'Let an agent in that Quarterdeck does not start',
    flags: [
      flag('--ttl <duration>', 'how long the code is good (default: 15m)'),
      flag('--id <agent>', 'the id that the agent gets; with that of an agent from outside, it gets a new token'),
      flag('--project <project-id>', 'the project it is for (default: the one that the agent names)'),
      flag('--capability <name...>', 'what the agent may state at most'),
      flag('--note <text>', 'what the code is for'),
    ],
    examples: [
      ['quarterdeck enrol --ttl 5m', 'a code, and how Claude Code uses it'],
      ['quarterdeck enrol list', 'who asks to be let in without one'],
    ],
    options: EnrolOptions,
    run: enrol,
  });
  addCommand(command, host, { usage: 'list', summary: 'Open codes, and who asks to be let in', options: NoOptions, run: list });
  addCommand(command, host, { usage: 'approve <request>', summary: 'Let one in', options: NoOptions, run: decide(true) });
  addCommand(command, host, { usage: 'deny <request>', summary: 'Let one not in', options: NoOptions, run: decide(false) });
}
