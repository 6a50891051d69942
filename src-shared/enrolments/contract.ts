/** Procedures about agents from outside: codes, requests, and the one call that is open to who has no token. */
import * as z from 'zod';
import { Capability } from '#shared/agents/model.ts';
import { AgentId, EnrolmentCodeId, EnrolmentRequestId, ProjectId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { DurationMs } from '#shared/kernel/units.ts';
import { EnrolmentCode, EnrolmentRequest, RegisterInput, Registration } from './model.ts';

/** Procedures about agents from outside. */
export const enrolmentsContract = {
  register: procedure(
    { ...command('register_agent', 'LOW', { audience: 'agent' }), hasSecretResult: true, isForApplicants: true },
    {
      method: 'POST',
      path: '/enrolments:register',
      summary: 'Enrol as an agent of the crew',
      description:
        'Makes you an agent of this crew, though Quarterdeck did not start you. With the operator\'s one-time code at once; without one the operator is asked, and you call again with the requestId until it is decided. The answer holds your token, once: send it as "Authorization: Bearer <token>" with every later request to this address, and connect anew with it. Called with your token it changes your capabilities and nothing else.',
    },
  )
    .input(RegisterInput)
    .output(Registration),

  createCode: procedure(
    { ...command('create_enrolment_code', 'HIGH', { role: 'operator' }), hasSecretResult: true },
    {
      method: 'POST',
      path: '/enrolments/codes',
      summary: 'Make a code that lets an agent from outside in',
      description:
        'Makes a code with which one agent that Quarterdeck did not start may enrol, once (register_agent). The code is returned this one time; only its hash is kept. With the id of an agent from outside that lost its token, the code gives that agent a new one.',
    },
  )
    .input(
      z.strictObject({
        ttlMs: DurationMs.optional().describe('How long it is good: from 10 s to 24 h, 15 minutes when left out'),
        agentId: AgentId.optional().describe('The id that the agent gets; left out, one of its choice'),
        projectId: ProjectId.optional().describe('The project that it is for; left out, the agent may name any'),
        capabilities: z.array(Capability).max(32).optional().describe('What the agent may state at most; left out, anything'),
        note: z.string().trim().max(200).default('').describe('What it is for'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(
      z.object({
        code: EnrolmentCode,
        /** The code itself. */
        secret: z.string(),
        /** Where the agent calls register_agent. */
        agentMcpUrl: z.string(),
      }),
    ),

  list: procedure(
    { ...query('list_enrolments'), role: 'operator' },
    {
      method: 'GET',
      path: '/enrolments',
      summary: 'List codes and requests of agents from outside',
      description: 'Lists the codes that are good now, and the requests that wait for a decision, the newest first.',
    },
  )
    .input(z.strictObject({}))
    .output(z.object({ codes: z.array(EnrolmentCode), requests: z.array(EnrolmentRequest) })),

  revokeCode: procedure(command('revoke_enrolment_code', 'HIGH', { role: 'operator' }), {
    method: 'DELETE',
    path: '/enrolments/codes/{id}',
    summary: 'Revoke a code for an agent from outside',
    description: 'Ends a code at once. An agent that came with it stays; remove_agent ends its access. Repeating it is harmless.',
  })
    .input(z.strictObject({ id: EnrolmentCodeId }))
    .output(EnrolmentCode),

  decide: procedure(command('decide_enrolment', 'HIGH', { role: 'operator' }), {
    method: 'POST',
    path: '/enrolments/requests/{id}/decision',
    summary: 'Let an agent from outside in, or not',
    description:
      'Decides on a request of an agent that Quarterdeck did not start. Approved, it becomes an agent of type external: not contained, not controlled. agentId and projectId stand for what it asked for. A request that was decided otherwise is a CONFLICT.',
  })
    .input(
      z.strictObject({
        id: EnrolmentRequestId,
        isApproved: z.boolean(),
        agentId: AgentId.optional().describe('The id that it gets instead of the one it asked for'),
        projectId: ProjectId.optional().describe('The project that it gets instead of the one it asked for'),
      }),
    )
    .output(EnrolmentRequest),
};
