/**
 * The base that every procedure of the contract is made from.
 * Its metadata decides who may call it, through which door, and how it appears there; see src-shared/auth/authorise.ts.
 */
import { oc } from '@orpc/contract';
import * as z from 'zod';
import type { Audience, Risk, Role } from '#shared/auth/model.ts';
import { ERROR_CODES, httpStatusOf } from './errors.ts';
import type { ErrorCode } from './errors.ts';

/** What every procedure states about itself. */
export interface ProcedureMeta {
  /** Name of the MCP tool; undefined where a tool makes no sense (streams, browser login). */
  readonly tool?: string;
  readonly audience: Audience;
  /**
   * `core` tools are listed by default (at most 25 per interface), `agent-core` ones so on the agent interface only, `full` ones
   * with `?tools=full`.
   */
  readonly toolset: 'core' | 'agent-core' | 'full';
  /** The least managing role that may call it. On the agent interface every agent may, within its risk. */
  readonly role: Extract<Role, 'observer' | 'automation' | 'operator'>;
  readonly risk: Risk;
  /** Whether it only reads. Reads are not journaled and need no idempotency key. */
  readonly isReadOnly: boolean;
  /** Whether its result holds a secret: such a result is never kept, not even to answer a repeated command. */
  readonly hasSecretResult?: boolean;
  /** Whether callers without any token may call it on the agent port. Nothing else is there for them. */
  readonly isForApplicants?: boolean;
}

/** Facts that an error carries. */
const errorData = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])).optional();

const errorMap = Object.fromEntries(ERROR_CODES.map((code) => [code, { status: httpStatusOf(code), data: errorData }])) as Record<
  ErrorCode,
  { status: number; data: typeof errorData }
>;

/** Nothing is allowed until a procedure says so. */
const CLOSED: ProcedureMeta = { audience: 'manage', toolset: 'full', role: 'operator', risk: 'CRITICAL', isReadOnly: false };

const base = oc.$meta<ProcedureMeta>(CLOSED).errors(errorMap);

/** Where a procedure stands in REST (under /api/v1) and what it says of itself. */
export interface ProcedureRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With parameters in braces, for example `/agents/{id}`. */
  readonly path: `/${string}`;
  readonly summary: string;
  /** One paragraph, written for a model as much as for a person. */
  readonly description: string;
}

/** Starts a procedure: metadata and REST route. `.input()` and `.output()` follow. */
export function procedure(meta: ProcedureMeta, route: ProcedureRoute) {
  return base.meta(meta).route({ ...route, tags: [route.path.split('/')[1] ?? ''] });
}

/** Metadata of a query for the managing side. */
export function query(
  tool: string | undefined,
  toolset: ProcedureMeta['toolset'] = 'full',
  audience: Audience = 'manage',
): ProcedureMeta {
  return { ...(tool === undefined ? {} : { tool }), audience, toolset, role: 'observer', risk: 'LOW', isReadOnly: true };
}

/** Metadata of a command for the managing side. */
export function command(
  tool: string | undefined,
  risk: Risk,
  options: { toolset?: ProcedureMeta['toolset']; audience?: Audience; role?: ProcedureMeta['role'] } = {},
): ProcedureMeta {
  return {
    ...(tool === undefined ? {} : { tool }),
    audience: options.audience ?? 'manage',
    toolset: options.toolset ?? 'full',
    role: options.role ?? 'automation',
    risk,
    isReadOnly: false,
  };
}

/** A key chosen by the caller: the same command with the same key is done once. */
export const IdempotencyKey = z
  .string()
  .min(1)
  .max(200)
  .describe('Any string chosen by you; repeating a call with the same key does the work once and returns the first result');
