/**
 * The shape of a feature's handlers, derived from its contract: one function per procedure. The doors compose these and
 * nothing else, so that no behaviour can live in a door.
 */
import type { AnySchema, ContractProcedure, ErrorMap, InferSchemaInput, InferSchemaOutput } from '@orpc/contract';
import type { ProcedureMeta } from '#shared/kernel/procedure.ts';
import type { Caller } from './caller.ts';

/** One call: who makes it, and when it is no longer wanted. */
export interface Call {
  readonly caller: Caller;
  /** Aborted when the caller has gone away. */
  readonly signal: AbortSignal;
}

/** The handler of one procedure: checked input in, output out. Expected failures are thrown as AppError. */
export type HandlerOf<P> =
  P extends ContractProcedure<infer I extends AnySchema, infer O extends AnySchema, ErrorMap, ProcedureMeta>
    ? (input: InferSchemaOutput<I>, call: Call) => Promise<InferSchemaInput<O>>
    : never;

/** The handlers of one feature, by the names of its contract. */
export type HandlersOf<C> = { readonly [P in keyof C]: HandlerOf<C[P]> };
