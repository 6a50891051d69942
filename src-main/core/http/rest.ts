/** REST under /api/v1: the contract's own routes, with JSON bodies and flat queries. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { JsonSchemaCoercer } from '@orpc/json-schema';
import type { JsonSchema } from '@orpc/json-schema';
import { OpenAPIHandler } from '@orpc/openapi/node';
import { AppError } from '#shared/kernel/errors.ts';
import type { Caller } from '#core/caller.ts';
import type { Rpc, RpcContext } from '#core/rpc/router.ts';
import { WIRE_JSON } from '#core/rpc/wire-json.ts';
import { MAX_BODY_BYTES, readJson } from './body.ts';
import { sendMethodError } from './respond.ts';

/** Where the contract's routes begin. */
export const API_PREFIX = '/api/v1';

interface RestRoute {
  readonly method: string;
  readonly pattern: RegExp;
}

/** Serves REST. */
export class RestDoor {
  readonly #handler: OpenAPIHandler<RpcContext>;
  readonly #routes: readonly RestRoute[];

  constructor(rpc: Rpc) {
    this.#routes = rpc.procedures.map(({ route }) => ({ method: route.method, pattern: patternOf(route.path) }));
    const schemas = new Map(rpc.procedures.map((procedure) => [procedure.name, procedure.inputSchema as JsonSchema]));
    const coercer = new JsonSchemaCoercer();
    this.#handler = new OpenAPIHandler<RpcContext>(rpc.router, {
      customJsonSerializers: WIRE_JSON,
      clientInterceptors: [
        async (options) => {
          // Everything in a query is text: "5" becomes 5 where the contract wants a number. Bodies are JSON and say it themselves.
          const schema = options.procedure['~orpc'].route.method === 'GET' ? schemas.get(options.path.join('.')) : undefined;
          return await options.next(
            schema === undefined ? options : { ...options, input: coercer.coerce(schema, options.input ?? {}) },
          );
        },
      ],
    });
  }

  /** Answers one request whose path begins with the prefix. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL, caller: Caller): Promise<void> {
    const path = url.pathname.slice(API_PREFIX.length);
    const allowed = this.#routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    if (!allowed.includes(request.method ?? '')) {
      if (allowed.length === 0)
        throw new AppError(
          'NOT_FOUND',
          `There is no "${url.pathname.slice(0, 200)}". GET /api/openapi.json lists what there is.`,
        );
      sendMethodError(response, request.method, allowed);
      return;
    }
    // Read here, so that the limit and the complaints are ours; undefined would make oRPC read it again.
    const body = (await readJson(request, response, MAX_BODY_BYTES)) ?? {};
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw new AppError('BAD_REQUEST', 'The body must be a JSON object with the fields of the input.');
    // A colon is no letter for oRPC's matcher; core/rpc/router.ts writes it so in the routes as well.
    const escaped = `${url.pathname.replaceAll(':', '%3A')}${url.search}`;
    const served = await this.#handler.handle(Object.assign(request, { body, url: escaped }), response, {
      prefix: API_PREFIX,
      context: { caller },
    });
    if (!served.matched) throw new AppError('NOT_FOUND', `There is no "${url.pathname.slice(0, 200)}".`);
  }
}

function patternOf(path: string): RegExp {
  const literal = path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll(/\{[^}]+\}/g, '[^/]+')}/?$`);
}
