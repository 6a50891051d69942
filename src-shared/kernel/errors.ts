/**
 * The one error type that expected failures use when they cross a call.
 * Its `code` is stable and part of the contract; its message says what happened, why, and what to do.
 */

/** Stable error codes. Each maps to one HTTP status (`httpStatusOf`) and one CLI exit code. */
export const ERROR_CODES = [
  'BAD_REQUEST',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'PAYLOAD_TOO_LARGE',
  'TOO_MANY_REQUESTS',
  'UNAVAILABLE',
  'TIMEOUT',
  'INTERNAL',
] as const;

/** One of `ERROR_CODES`. */
export type ErrorCode = (typeof ERROR_CODES)[number];

const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  PAYLOAD_TOO_LARGE: 413,
  TOO_MANY_REQUESTS: 429,
  UNAVAILABLE: 503,
  TIMEOUT: 504,
  INTERNAL: 500,
};

/** The HTTP status that a code is answered with. */
export function httpStatusOf(code: ErrorCode): number {
  return HTTP_STATUS[code];
}

/** Facts that travel with an error: the offending field, what is allowed, an id. JSON only. */
export type ErrorData = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** An expected failure. Thrown by services, turned into the door's own form by the doors. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without being changed. */
  readonly retryable: boolean;
  readonly data: ErrorData;

  constructor(code: ErrorCode, message: string, options: { data?: ErrorData; retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.data = options.data ?? {};
    this.retryable = options.retryable ?? (code === 'UNAVAILABLE' || code === 'TIMEOUT' || code === 'TOO_MANY_REQUESTS');
  }
}

/** The message of anything thrown, for logs and error texts. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
