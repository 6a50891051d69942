/** Handlers of the workspaces' procedures. */
import type { workspacesContract } from '#shared/workspaces/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { WorkspacesService } from './workspaces-service.ts';

/** Handlers of the workspaces' procedures. */
export function workspacesHandlers(workspaces: WorkspacesService): HandlersOf<typeof workspacesContract> {
  return {
    get: (input) => workspaces.get(input.id),
    fetch: (input, { caller }) => workspaces.fetch(input.id, caller),
    remove: (input, { caller }) => workspaces.remove(input.id, input.force, caller),
  };
}
