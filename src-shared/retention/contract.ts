/** Procedures about how long messages are kept. */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { RetentionPolicy, RetentionReport } from './model.ts';

/** Procedures about how long messages are kept. */
export const retentionContract = {
  get: procedure(query('get_retention'), {
    method: 'GET',
    path: '/retention',
    summary: 'How long messages are kept',
    description: "Returns what of a project's messages is kept, and when it was applied last. By default everything is kept.",
  })
    .input(z.strictObject({ projectId: ProjectId }))
    .output(z.object({ policy: RetentionPolicy, appliedAt: z.number().int().nullable() })),

  set: procedure(command('set_retention', 'HIGH', { role: 'operator' }), {
    method: 'PUT',
    path: '/retention',
    summary: 'Choose how long messages are kept',
    description:
      "Sets what of a project's messages is kept: by age, by number, by size, or several of them. Removes nothing by itself at once; with isAutomatic it is applied once a day from now on. Look at preview_retention first: what is removed is gone from the history and from the audit trail's texts.",
  })
    .input(z.strictObject({ projectId: ProjectId, policy: RetentionPolicy, idempotencyKey: IdempotencyKey.optional() }))
    .output(z.object({ policy: RetentionPolicy })),

  preview: procedure(query('preview_retention'), {
    method: 'POST',
    path: '/retention:preview',
    summary: 'What a policy would remove',
    description:
      'Says exactly which messages would go if a policy were applied now, how many, how large, of how many sessions, and sent between when; and how many stay although a limit is passed, and why. Changes nothing. Without a policy the one that is set is looked at.',
  })
    .input(z.strictObject({ projectId: ProjectId, policy: RetentionPolicy.optional() }))
    .output(RetentionReport),

  apply: procedure(command('apply_retention', 'HIGH', { role: 'operator' }), {
    method: 'POST',
    path: '/retention:apply',
    summary: 'Remove what is not to be kept',
    description:
      'Removes what the policy of a project does not keep. Messages with a copy that was not acknowledged, threads with such a message, requests that nobody answered, and what the mirror does not have yet stay. The audit trail keeps the row of each message and its hash, without its text, and one row that says what was removed.',
  })
    .input(z.strictObject({ projectId: ProjectId, idempotencyKey: IdempotencyKey.optional() }))
    .output(RetentionReport),
};
