/** Handlers of the terminals' procedures. */
import type { terminalsContract } from '#shared/terminals/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { TerminalsService } from './terminals-service.ts';

/** Handlers of the terminals' procedures. */
export function terminalsHandlers(terminals: TerminalsService): HandlersOf<typeof terminalsContract> {
  return {
    capture: async (input) => {
      const { lines, size, cursor, windows } = await terminals.capture(input);
      return { lines: [...lines], size, cursor, windows: [...windows] };
    },
    write: async (input, { caller }) => ({ id: input.id, ...(await terminals.write(input, caller)) }),
    resize: (input, { caller }) => terminals.resize(input, caller),
    status: async ({ id }) => {
      const { windows, holder, viewers } = await terminals.status(id);
      return { windows: [...windows], holder, viewers };
    },
  };
}
