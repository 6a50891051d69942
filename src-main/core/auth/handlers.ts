/** RPC glue of access: input in, service call, output out. */
import type { authContract } from '#shared/auth/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { AuthService } from './auth-service.ts';

/** What the handlers need besides the service. */
export interface AuthHandlerOptions {
  /** The address of the app with a login code in it. */
  readonly loginUrl: (code: string) => string;
}

/** The handlers of the procedures about access. */
export function authHandlers(service: AuthService, options: AuthHandlerOptions): HandlersOf<typeof authContract> {
  return {
    whoami: (_input, { caller }) => Promise.resolve({ actor: caller.actor, role: caller.role, door: caller.door }),
    createLoginLink: () => {
      const { code, expiresAt } = service.createLoginCode();
      return Promise.resolve({ url: options.loginUrl(code), expiresAt });
    },
    createToken: (input, { caller }) => service.createToken(input, caller),
    listTokens: async ({ limit }) => ({ tokens: await service.listTokens(limit) }),
    changeTokenRole: ({ id, role }, { caller }) => service.changeRole(id, role, caller),
    revokeToken: ({ id }, { caller }) => service.revokeToken(id, caller),
  };
}
