/** How a command ends when it does not succeed: one error type, one exit code each (docs/cli.md, "Exit codes"). */
import { ORPCError } from '@orpc/client';
import { CommanderError } from 'commander';
import * as z from 'zod';
import { AppError, messageOf } from '#shared/kernel/errors.ts';

/** The exit codes of the command line. Scripts rely on them. */
export const ExitCode = { ok: 0, failed: 1, usage: 2, unreachable: 3, refused: 4, notFound: 5, interrupted: 130 } as const;

const EXIT_BY_CODE: Readonly<Record<string, number>> = {
  BAD_REQUEST: ExitCode.usage,
  PAYLOAD_TOO_LARGE: ExitCode.usage,
  UNAUTHORIZED: ExitCode.refused,
  FORBIDDEN: ExitCode.refused,
  NOT_FOUND: ExitCode.notFound,
  CONFLICT: ExitCode.notFound,
  NOT_RUNNING: ExitCode.unreachable,
  CONNECTION_LOST: ExitCode.unreachable,
  INTERRUPTED: ExitCode.interrupted,
};

/** A command that did not succeed. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** Stable: a code of the contract (`ERROR_CODES`), or NOT_RUNNING, CONNECTION_LOST, FAILED, INTERRUPTED. */
  readonly code: string;
  readonly data: unknown;

  constructor(code: string, message: string, options: { data?: unknown; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.data = options.data;
  }

  /** The exit code that belongs to it. */
  get exitCode(): number {
    return EXIT_BY_CODE[this.code] ?? ExitCode.failed;
  }
}

/** Wrong usage: exit code 2. */
export function usageError(message: string): CliError {
  return new CliError('BAD_REQUEST', message);
}

function optionName(key: PropertyKey): string {
  return `--${String(key).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function isContractError(error: unknown): error is Error & { code: string; data: unknown } {
  return error instanceof ORPCError || error instanceof AppError;
}

/** Anything thrown, as the error that the command ends with. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (isContractError(error)) return new CliError(error.code, error.message, { data: error.data, cause: error });
  if (error instanceof z.ZodError) {
    return usageError(
      error.issues
        .map((issue) => `${issue.path[0] === undefined ? 'The options' : optionName(issue.path[0])}: ${issue.message}`)
        .join('; '),
    );
  }
  if (error instanceof CommanderError) return usageError(error.message.replace(/^error: /, ''));
  return new CliError('FAILED', messageOf(error), { cause: error });
}

/** The JSON form of an error, as `--json` prints it on stderr. */
export function errorDocument(error: CliError): unknown {
  return {
    error: {
      code: error.code,
      message: error.message,
      exitCode: error.exitCode,
      ...(error.data === undefined ? {} : { data: error.data }),
    },
  };
}
