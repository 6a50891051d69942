/** Procedures about middleware: what a project does with each message before it is stored. */
import * as z from 'zod';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { Address, MAX_BODY_CHARS, MAX_TTL_MS, MessageKind, MIN_TTL_MS, Priority } from '#shared/messages/model.ts';
import { MiddlewareChain, MiddlewareModule, ModuleName, ProjectMiddleware, StepReport } from './model.ts';

/** A message to be tried. */
const Trial = z.strictObject({
  to: z.union([Address, z.array(Address).min(1).max(500)]),
  body: z.string().min(1).max(MAX_BODY_CHARS),
  kind: MessageKind.default('note'),
  priority: Priority.default('normal'),
  subject: z.string().max(200).optional(),
  data: Json.optional(),
  ttlMs: z.number().int().min(MIN_TTL_MS).max(MAX_TTL_MS).optional(),
});

/** Procedures about middleware. */
export const middlewareContract = {
  get: procedure(query('get_middleware'), {
    method: 'GET',
    path: '/projects/{projectId}/middleware',
    summary: 'Get the middleware of a project',
    description:
      'Returns the steps that every message of a project passes before it is stored, in order, and what each did since Quarterdeck started.',
  })
    .input(z.strictObject({ projectId: ProjectId }))
    .output(ProjectMiddleware),

  set: procedure(command('set_middleware', 'HIGH', { role: 'operator' }), {
    method: 'PUT',
    path: '/projects/{projectId}/middleware',
    summary: 'Set the middleware of a project',
    description:
      'Replaces the steps that every message of a project passes before it is stored. They hold from the next message on. State the revision you read to be refused when somebody changed the chain meanwhile. Try it first with try_middleware.',
  })
    .input(
      z.strictObject({
        projectId: ProjectId,
        chain: MiddlewareChain,
        revision: z.number().int().min(0).optional().describe('The revision that is replaced; CONFLICT when it is another'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(ProjectMiddleware),

  tryOut: procedure(
    { ...query('try_middleware'), role: 'operator' },
    {
      method: 'POST',
      path: '/projects/{projectId}/middleware:try',
      summary: 'Try the middleware of a project',
      description:
        'Shows what each step would do with a message, and sends nothing: no limit is used up and nothing is written down. Modules are run. State a chain to try one that is not set yet, and in "from" the agent that would send it (the operator when left out).',
    },
  )
    .input(
      z.strictObject({
        projectId: ProjectId,
        message: Trial,
        from: AgentId.optional(),
        chain: MiddlewareChain.optional(),
      }),
    )
    .output(
      z.object({
        steps: z.array(StepReport),
        refusal: z
          .object({ step: z.string(), code: z.string(), message: z.string(), retryAfterMs: z.number().int().nullable() })
          .nullable(),
        message: z
          .object({
            subject: z.string().nullable(),
            body: z.string(),
            data: Json.nullable(),
            priority: Priority,
            ttlMs: z.number().int().nullable(),
          })
          .nullable()
          .describe('As it would be stored; null when it is refused'),
      }),
    ),

  modules: procedure(query('list_middleware_modules'), {
    method: 'GET',
    path: '/middleware/modules',
    summary: 'List modules of middleware',
    description:
      'Lists the modules in the folder "middleware" of the data folder: new, accepted, changed since (the accepted copy runs on) or missing.',
  })
    .input(z.strictObject({}))
    .output(z.object({ folder: z.string(), modules: z.array(MiddlewareModule) })),

  module: procedure(
    { ...query('get_middleware_module'), role: 'operator' },
    {
      method: 'GET',
      path: '/middleware/modules/{name}',
      summary: 'Read a module of middleware',
      description: 'Returns the text of a module as the file is now and as it was accepted, so that the two can be compared.',
    },
  )
    .input(z.strictObject({ name: ModuleName }))
    .output(z.object({ module: MiddlewareModule, text: z.string().nullable(), acceptedText: z.string().nullable() })),

  accept: procedure(command('accept_middleware_module', 'HIGH', { role: 'operator' }), {
    method: 'POST',
    path: '/middleware/modules/{name}/accept',
    summary: 'Accept a module of middleware',
    description:
      'Takes the module as the file is now: this copy runs from then on, whatever becomes of the file. State the SHA-256 of the text you read; CONFLICT when the file is another by now. A module runs as your own code does: read it first.',
  })
    .input(
      z.strictObject({
        name: ModuleName,
        sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in 64 hexadecimal digits'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(MiddlewareModule),
};
