/** Handlers of the procedures about middleware. */
import type { middlewareContract } from '#shared/middleware/contract.ts';
import { draftOf } from '#core/messages/message-draft.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { MiddlewareService } from './middleware-service.ts';

/** Handlers of the procedures about middleware. */
export function middlewareHandlers(service: MiddlewareService): HandlersOf<typeof middlewareContract> {
  return {
    get: async ({ projectId }) => service.get(projectId),
    set: (input, { caller }) => service.set(input, caller),
    tryOut: async ({ projectId, message, from, chain }) => {
      const { draft, steps, refusal } = await service.tryOut({ projectId, draft: draftOf(message), from, chain });
      const { subject, body, data, priority, ttlMs } = draft;
      return {
        steps: steps.map(({ id, kind, outcome, detail }) => ({ id, kind, outcome, detail })),
        refusal: refusal
          ? {
              step: refusal.step,
              code: refusal.code,
              message: `${refusal.reason}. ${refusal.advice}`,
              retryAfterMs: refusal.retryAfterMs ?? null,
            }
          : null,
        message: refusal ? null : { subject, body, data, priority, ttlMs },
      };
    },
    modules: async () => ({ folder: service.modules.folder, modules: await service.modules.list() }),
    module: ({ name }) => service.modules.get(name),
    accept: ({ name, sha256 }, { caller }) => service.modules.accept(name, sha256, caller),
  };
}
