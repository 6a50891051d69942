/** Turns whatever a call throws into the one error form that every door carries. */
import { ORPCError, ValidationError } from '@orpc/server';
import type { ErrorCode } from '#shared/kernel/errors.ts';
import { AppError, ERROR_CODES, httpStatusOf } from '#shared/kernel/errors.ts';
import { describeIssues } from '#shared/kernel/describe-issues.ts';

/** Receives what nobody expected: a bug. */
export interface BugLog {
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** What is known of the procedure that failed. */
export interface FailedProcedure {
  readonly name: string;
  /** JSON schema of its input. */
  readonly inputSchema: object;
}

/** Whether something thrown is in the wire form already. */
export function isWireError(error: unknown): error is ORPCError<string, unknown> {
  return error instanceof ORPCError;
}

/** The code of an error that a door may show; undefined for anything else. */
export function codeOf(error: unknown): ErrorCode | undefined {
  if (error instanceof AppError) return error.code;
  if (isWireError(error)) return ERROR_CODES.find((code) => code === error.code);
  return undefined;
}

/** The wire form of an expected failure. */
export function toWireError(error: AppError): ORPCError<ErrorCode, unknown> {
  const data = { ...error.data };
  return new ORPCError(error.code, {
    defined: true,
    status: httpStatusOf(error.code),
    message: error.message,
    ...(Object.keys(data).length > 0 ? { data } : {}),
    cause: error,
  });
}

/**
 * The wire form of anything thrown. Expected failures keep code, message and data; a bad input becomes BAD_REQUEST that
 * names each field; everything else is a bug: logged with its stack, answered as INTERNAL without any detail.
 */
export function toPublicError(error: unknown, procedure: FailedProcedure, log: BugLog): ORPCError<string, unknown> {
  if (error instanceof AppError && error.code !== 'INTERNAL') return toWireError(error);
  if (isWireError(error)) {
    if (error.cause instanceof ValidationError && error.code === 'BAD_REQUEST') {
      const complaint = describeIssues(error.cause.issues, procedure.inputSchema, error.cause.data);
      return toWireError(
        new AppError('BAD_REQUEST', `The input of ${procedure.name} is not valid: ${complaint.message}.`, {
          data: { fields: complaint.fields },
          cause: error,
        }),
      );
    }
    if (error.defined && codeOf(error) !== undefined && codeOf(error) !== 'INTERNAL') return error;
  }
  const cause = isWireError(error) && error.cause instanceof ValidationError ? { issues: error.cause.issues.slice(0, 10) } : {};
  log.error({ procedure: procedure.name, err: error, ...cause }, 'A call failed unexpectedly');
  return toWireError(
    new AppError('INTERNAL', `Quarterdeck failed at ${procedure.name}. This is a bug; the log of the core holds the details.`),
  );
}
