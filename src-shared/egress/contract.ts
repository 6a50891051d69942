/** Procedures about what contained agents connect to. */
import * as z from 'zod';
import { AgentId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { EgressConnection, EgressMode, EgressProposal, EgressRule, ModelApi } from './model.ts';

/** What holds for one agent now. */
const AgentEgress = z.object({
  id: AgentId,
  mode: EgressMode,
  rules: z.array(EgressRule),
  /** Whether a gateway serves this agent, so that rules are enforced and anything is let through at all. */
  isServed: z.boolean(),
});

/** Procedures about what contained agents connect to. */
export const egressContract = {
  get: procedure(query('get_egress'), {
    method: 'GET',
    path: '/agents/{id}/egress',
    summary: 'Get the egress rules of an agent',
    description: 'Returns where a contained agent may connect to. Everything else is refused.',
  })
    .input(z.strictObject({ id: AgentId }))
    .output(AgentEgress),

  set: procedure(command('set_egress', 'HIGH'), {
    method: 'PUT',
    path: '/agents/{id}/egress',
    summary: 'Change the egress rules of an agent',
    description:
      'Replaces the rules of a contained agent, at once, also while it runs. Connections that no rule allows any more are closed.',
  })
    .input(
      z.strictObject({
        id: AgentId,
        mode: EgressMode.optional(),
        rules: z.array(EgressRule).max(500).optional(),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(AgentEgress),

  connections: procedure(query('list_connections'), {
    method: 'GET',
    path: '/egress/connections',
    summary: 'List connections',
    description:
      'Lists connections that contained agents opened or tried to open, newest first, with bytes, duration, and the rule or the reason of the refusal.',
  })
    .input(
      z.strictObject({
        agentId: AgentId.optional(),
        outcome: EgressConnection.shape.outcome.optional(),
        before: z.number().int().optional().describe('Only those with a smaller id: the page after this one'),
        limit: z.number().int().min(1).max(500).default(100),
      }),
    )
    .output(z.object({ connections: z.array(EgressConnection), hasMore: z.boolean() })),

  proposals: procedure(query('list_egress_proposals'), {
    method: 'GET',
    path: '/egress/proposals',
    summary: 'List proposed egress rules',
    description: 'Rules that would have allowed what was refused to agents in mode "learn", the most frequent first.',
  })
    .input(z.strictObject({ agentId: AgentId.optional() }))
    .output(z.object({ proposals: z.array(EgressProposal) })),

  modelApis: procedure(query('list_model_apis'), {
    method: 'GET',
    path: '/egress/model-apis',
    summary: 'List model APIs',
    description: 'Model APIs that contained agents can be given: where they are, and whether their key is stored.',
  })
    .input(z.strictObject({}))
    .output(z.object({ modelApis: z.array(ModelApi.extend({ hasKey: z.boolean() })) })),

  setModelApis: procedure(command('set_model_apis', 'CRITICAL', { role: 'operator' }), {
    method: 'PUT',
    path: '/egress/model-apis',
    summary: 'Change the model APIs',
    description: 'Replaces the list of model APIs. The key of each is a secret (set_secret) and never leaves the gateway.',
  })
    .input(z.strictObject({ modelApis: z.array(ModelApi).max(32), idempotencyKey: IdempotencyKey.optional() }))
    .output(z.object({ modelApis: z.array(ModelApi.extend({ hasKey: z.boolean() })) })),
};
