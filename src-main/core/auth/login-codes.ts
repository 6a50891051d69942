/**
 * One-time codes that log a browser in. They live in memory only: a restart ends them all.
 * Invariant: a code is given out once and taken once, within its time.
 */
import { randomBytes } from 'node:crypto';
import { AppError } from '#shared/kernel/errors.ts';
import { hashToken } from './token-format.ts';

/** How long a code is good for, in milliseconds. */
export const LOGIN_CODE_TTL_MS = 10 * 60_000;
/** At most this many codes are open; making another ends the oldest. */
export const MAX_OPEN_CODES = 20;
/** More wrong codes than this within a minute are answered with TOO_MANY_REQUESTS. */
export const MAX_WRONG_CODES = 10;
/** The window of `MAX_WRONG_CODES`, in milliseconds. */
const WRONG_WINDOW_MS = 60_000;

/** A code, and until when it is good. */
export interface LoginCode {
  readonly code: string;
  readonly expiresAt: number;
}

/** The open codes. */
export class LoginCodes {
  readonly #now: () => number;
  /** By hash, in the order they were made. Looked up by hash, so that the time it takes tells nothing about a code. */
  readonly #open = new Map<string, number>();
  #wrongAt: number[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A new code of 192 random bits. */
  create(): LoginCode {
    const now = this.#now();
    for (const [key, expiresAt] of this.#open) if (expiresAt <= now) this.#open.delete(key);
    while (this.#open.size >= MAX_OPEN_CODES) {
      const [oldest] = this.#open.keys();
      if (oldest === undefined) break;
      this.#open.delete(oldest);
    }
    const code = randomBytes(24).toString('base64url');
    const expiresAt = now + LOGIN_CODE_TTL_MS;
    this.#open.set(keyOf(code), expiresAt);
    return { code, expiresAt };
  }

  /**
   * Takes a code: once for a good one, answered with the end of its time. Wrong ones are counted, and too many of them are TOO_MANY_REQUESTS. A good
   * one is let through even then: it cannot be guessed, and a flood of wrong ones must not lock the operator out.
   */
  take(code: string): number | undefined {
    const now = this.#now();
    const key = keyOf(code);
    const expiresAt = this.#open.get(key);
    this.#open.delete(key);
    if (expiresAt !== undefined && expiresAt > now) return expiresAt;
    this.#wrongAt = this.#wrongAt.filter((at) => now - at < WRONG_WINDOW_MS && at <= now);
    if (this.#wrongAt.length >= MAX_WRONG_CODES) {
      throw new AppError('TOO_MANY_REQUESTS', 'Too many wrong login codes. Wait a minute, then make a new login link.', {
        data: { retryAfterMs: WRONG_WINDOW_MS - (now - (this.#wrongAt[0] ?? now)) },
      });
    }
    this.#wrongAt.push(now);
    return undefined;
  }

  /** Opens a taken code again, when nothing came of the login. */
  giveBack(code: string, expiresAt: number): void {
    if (this.#open.size < MAX_OPEN_CODES) this.#open.set(keyOf(code), expiresAt);
  }
}

function keyOf(code: string): string {
  return hashToken(code).toString('hex');
}
