/**
 * The one router behind every door, built from the contract and the handlers without a line per procedure.
 * Invariant: every call, through whatever door, passes the same chain: metrics, errors, the rule on roles, validation of
 * the input, idempotency, the handler, validation of the output.
 */
import { ContractProcedure } from '@orpc/contract';
import type { AnySchema, ErrorMap } from '@orpc/contract';
import { call, implement } from '@orpc/server';
import type { ORPCError, Procedure, Router } from '@orpc/server';
import type { Registry } from 'prom-client';
import * as z from 'zod';
import { refusalFor } from '#shared/auth/authorise.ts';
import type { Contract } from '#shared/contract.ts';
import { contract } from '#shared/contract.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { ProcedureMeta } from '#shared/kernel/procedure.ts';
import type { Caller } from '#core/caller.ts';
import type { Call, HandlersOf } from '#core/procedures.ts';
import type { OpenCall } from './calls.ts';
import { Calls, endingError } from './calls.ts';
import type { CommandStore } from './command-results.ts';
import { CommandResults } from './command-results.ts';
import { inputJsonSchema } from '#shared/kernel/describe-issues.ts';
import type { BugLog } from './errors.ts';
import { toPublicError, toWireError } from './errors.ts';
import { CallMetrics } from './metrics.ts';
import type { OnRefused } from './refusals.ts';
import { Refusals } from './refusals.ts';
import { guardStream, isStream } from './stream.ts';

/** The handlers of every feature. */
export type Handlers = { readonly [G in keyof Contract]: HandlersOf<Contract[G]> };

/** What a door states about a call. The signal comes with the request. */
export interface RpcContext {
  readonly caller: Caller;
}

/** The router as oRPC's handlers take it. */
export type RpcRouter = Router<Contract, RpcContext>;

/** One procedure, for doors that build something of their own from it. */
export interface RoutedProcedure {
  /** For example `agents.spawn`. */
  readonly name: string;
  readonly path: readonly [group: string, name: string];
  readonly meta: ProcedureMeta;
  readonly route: { readonly method: string; readonly path: string; readonly description: string; readonly summary: string };
  /** JSON schema of the input, from the caller's side. */
  readonly inputSchema: Record<string, unknown>;
}

/** What the router needs. */
export interface RouterOptions {
  readonly handlers: Handlers;
  readonly store: CommandStore;
  readonly log: BugLog;
  readonly metrics: Registry;
  readonly onRefused?: OnRefused | undefined;
}

/** The router and the ways into it. */
export interface Rpc {
  readonly router: RpcRouter;
  readonly procedures: readonly RoutedProcedure[];
  /** Calls one procedure by name, through the whole chain. Fails with an ORPCError. */
  invoke(name: string, input: unknown, caller: Caller, signal?: AbortSignal): Promise<unknown>;
  /** Refuses new calls and ends long polls and streams with a retryable error. */
  end(): void;
  /** How many calls and streams are under way. */
  readonly underWay: number;
}

type AnyContractProcedure = ContractProcedure<AnySchema, AnySchema, ErrorMap, ProcedureMeta>;
type AnyHandler = (input: unknown, call: Call) => Promise<unknown>;
type BuiltProcedure = Procedure<RpcContext, RpcContext, AnySchema, AnySchema, ErrorMap, ProcedureMeta>;

/**
 * These keep their keys themselves, in the same transaction as what they send. A repeated request must reach them: what is
 * repeated is the waiting, and its answer may be another by then.
 */
const NATIVELY_IDEMPOTENT: ReadonlySet<string> = new Set(['messages.send', 'messages.request']);

const Keyed = z.object({ idempotencyKey: z.string(), projectId: z.string().optional() });

/** Builds the router. */
export function createRouter(options: RouterOptions): Rpc {
  const calls = new Calls();
  const chain: Chain = {
    calls,
    log: options.log,
    results: new CommandResults(options.store),
    refusals: new Refusals(options.store, { onRefused: options.onRefused }),
    metrics: new CallMetrics(options.metrics, () => calls.size),
  };
  const built = new Map<string, BuiltProcedure>();
  const procedures: RoutedProcedure[] = [];
  const router: Record<string, Record<string, BuiltProcedure>> = {};
  for (const [group, members] of Object.entries<Record<string, AnyContractProcedure>>(contract)) {
    const handlers = options.handlers[group as keyof Contract] as Readonly<Record<string, AnyHandler | undefined>>;
    const routed: Record<string, BuiltProcedure> = {};
    for (const [name, definition] of Object.entries(members)) {
      const handler = handlers[name];
      if (handler === undefined) throw new Error(`No handler for ${group}.${name}.`);
      const procedure = describe(group, name, definition);
      const one = build(withLiteralColons(definition), procedure, handler, chain);
      routed[name] = one;
      built.set(procedure.name, one);
      procedures.push(procedure);
    }
    router[group] = routed;
  }
  return {
    // Complete by construction: every member of the contract was visited.
    router: router as RpcRouter,
    procedures,
    invoke: async (name, input, caller, signal) => {
      const procedure = built.get(name);
      if (procedure === undefined) throw toWireError(new AppError('NOT_FOUND', `There is no procedure "${name}".`));
      const output: unknown = await call(procedure, input, {
        context: { caller },
        path: name.split('.'),
        ...(signal ? { signal } : {}),
      });
      return output;
    },
    end: () => calls.endAll(),
    get underWay() {
      return calls.size;
    },
  };
}

interface Chain {
  readonly calls: Calls;
  readonly log: BugLog;
  readonly results: CommandResults;
  readonly refusals: Refusals;
  readonly metrics: CallMetrics;
}

function describe(group: string, name: string, definition: AnyContractProcedure): RoutedProcedure {
  const { meta, route, inputSchema } = definition['~orpc'];
  if (!(inputSchema instanceof z.ZodType)) throw new Error(`${group}.${name} has no zod schema for its input.`);
  return {
    name: `${group}.${name}`,
    path: [group, name],
    meta,
    route: {
      method: route.method ?? 'POST',
      path: route.path ?? '/',
      description: route.description ?? '',
      summary: route.summary ?? '',
    },
    inputSchema: inputJsonSchema(inputSchema),
  };
}

/**
 * oRPC's matcher of REST routes takes ":name" inside a segment for a parameter, which makes /inbox:wait and /inbox:read the
 * same route. A backslash makes the colon a letter, which the matcher keeps as %3A; core/http/rest.ts asks for it so.
 */
function withLiteralColons(definition: AnyContractProcedure): AnyContractProcedure {
  const { route } = definition['~orpc'];
  if (route.path === undefined) return definition;
  return new ContractProcedure({
    ...definition['~orpc'],
    route: { ...route, path: `/${route.path.slice(1).replaceAll(':', '\\:')}` },
  });
}

/** Where oRPC validates: behind the one middleware, so that the chain sees what a validation complains about. */
const AFTER_MIDDLEWARE = { initialInputValidationIndex: 1, initialOutputValidationIndex: 1 };

/** One procedure with its chain. */
function build(definition: AnyContractProcedure, procedure: RoutedProcedure, handler: AnyHandler, chain: Chain): BuiltProcedure {
  return implement(definition, AFTER_MIDDLEWARE)
    .$context<RpcContext & { signal?: AbortSignal }>()
    .use(async ({ context, next, signal }, _input, output) => {
      const startedAt = performance.now();
      const { caller } = context;
      let open: OpenCall | undefined;
      let isStreaming = false;
      const toError = (error: unknown): ORPCError<string, unknown> => {
        if (open?.signal.aborted && !(error instanceof AppError))
          return toWireError(open.wasEnded() ? endingError() : new AppError('UNAVAILABLE', 'The caller went away.'));
        return toPublicError(error, procedure, chain.log);
      };
      try {
        await authorise(caller, procedure, chain);
        open = chain.calls.start(signal);
        const result = await next({ context: { signal: open.signal } });
        chain.metrics.record(procedure.name, caller.door, 'ok', startedAt);
        if (!isStream(result.output)) return result;
        isStreaming = true;
        const { signal: ended, cancel } = open;
        return await output(guardStream(result.output, { signal: ended, toError, onEnd: cancel }));
      } catch (error) {
        const failure = toError(error);
        chain.metrics.record(procedure.name, caller.door, failure.code, startedAt);
        throw failure;
      } finally {
        if (!isStreaming) open?.done();
      }
    })
    .handler(async ({ context, input }) => {
      const { caller, signal = new AbortController().signal } = context;
      const run = (): Promise<unknown> => handler(input, { caller, signal });
      const keyed =
        procedure.meta.isReadOnly || NATIVELY_IDEMPOTENT.has(procedure.name) ? undefined : Keyed.safeParse(input).data;
      if (keyed === undefined) return await run();
      return await chain.results.once(
        {
          actor: caller.actor,
          procedure: procedure.name,
          key: keyed.idempotencyKey,
          input,
          projectId: keyed.projectId,
          isSecret: procedure.meta.hasSecretResult === true,
        },
        run,
      );
    });
}

async function authorise(caller: Caller, procedure: RoutedProcedure, chain: Chain): Promise<void> {
  const refusal = refusalFor(caller.role, procedure.meta);
  if (refusal === undefined) return;
  if (!procedure.meta.isReadOnly) {
    await chain.refusals.record(caller, procedure.name, refusal.reason).catch((error: unknown) => {
      // Refused all the same: a full disk must not make the answer another one.
      chain.log.error({ err: error, procedure: procedure.name }, 'A refusal could not be journaled');
    });
  }
  throw new AppError('FORBIDDEN', `${procedure.name} ${refusal.reason}.`, {
    data: { procedure: procedure.name, role: caller.role },
  });
}
