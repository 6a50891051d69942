/**
 * How much an inbox takes: so many messages and characters that are not acknowledged. A sender that finds it full is told to
 * come back; of several recipients those that are full are left out and named. What is sent in the same few milliseconds as
 * the last that fits may go a little above it.
 */
import { AppError } from '#shared/kernel/errors.ts';
import type { Sender } from '#shared/messages/model.ts';
import { MAX_INBOX_CHARS, MAX_INBOX_MESSAGES } from '#shared/messages/model.ts';
import type { InboxCount } from './inbox-count.ts';

/** When a sender that was refused is told to come back, in milliseconds. */
export const RETRY_AFTER_MS = 5_000;
/** Most recipients that an error names. */
const NAMED_RECIPIENTS = 20;

/** What an inbox takes. */
export interface InboxLimits {
  readonly messages: number;
  readonly chars: number;
}

/** What every inbox takes. */
export const INBOX_LIMITS: InboxLimits = { messages: MAX_INBOX_MESSAGES, chars: MAX_INBOX_CHARS };

/** Whether an inbox takes no more from a sender. The operator and the core are always heard. */
export function isFull({ unread, delayed, chars }: InboxCount, from: Sender, limits: InboxLimits): boolean {
  if (from.kind === 'operator' || from.kind === 'system') return false;
  return unread + delayed >= limits.messages || chars >= limits.chars;
}

/** Nobody can be sent to. */
export function inboxFull(recipients: readonly string[]): AppError {
  const [first] = recipients;
  const whose = recipients.length === 1 ? `The inbox of "${first}" is` : `The inboxes of all ${recipients.length} recipients are`;
  return new AppError(
    'TOO_MANY_REQUESTS',
    `${whose} full: too much is not acknowledged there. Nothing was sent. Send less, and try again in ${RETRY_AFTER_MS / 1_000} seconds with the same idempotencyKey.`,
    { data: { recipients: recipients.slice(0, NAMED_RECIPIENTS), retryAfterMs: RETRY_AFTER_MS }, retryable: true },
  );
}
