/** Procedures about secrets. No procedure returns a value. */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';
import { command, procedure, query } from '#shared/kernel/procedure.ts';
import { SecretInfo, SecretName } from './model.ts';

const Named = z.strictObject({
  name: SecretName,
  projectId: ProjectId.optional().describe('For one project only; for all when left out'),
});

/** Procedures about secrets. */
export const secretsContract = {
  set: procedure(command(undefined, 'HIGH', { role: 'operator' }), {
    method: 'PUT',
    path: '/secrets/{name}',
    summary: 'Keep a secret',
    description: 'Keeps a secret encrypted under a name, replacing an earlier value. It is never returned by any call.',
  })
    .input(Named.extend({ value: z.string().min(1).max(16_384) }))
    .output(SecretInfo),

  list: procedure(
    { ...query(undefined), role: 'operator' },
    {
      method: 'GET',
      path: '/secrets',
      summary: 'List secrets',
      description: 'Lists the names of the secrets that are kept.',
    },
  )
    .input(z.strictObject({}))
    .output(z.object({ secrets: z.array(SecretInfo) })),

  remove: procedure(command(undefined, 'HIGH', { role: 'operator' }), {
    method: 'DELETE',
    path: '/secrets/{name}',
    summary: 'Forget a secret',
    description: 'Removes a secret. It cannot be brought back.',
  })
    .input(Named)
    .output(z.object({ name: SecretName, isRemoved: z.boolean() })),
};
