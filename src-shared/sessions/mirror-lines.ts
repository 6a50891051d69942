/**
 * The lines of a mirror (`messages.jsonl`), of an export as JSONL, and of what is imported: one JSON object each.
 * docs/sessions.md describes them. A reader takes lines of unknown types for ones of a later version, and passes them over.
 */
import * as z from 'zod';
import { MessageId, SessionId } from '#shared/kernel/ids.ts';
import { Message } from '#shared/messages/model.ts';

/** What stands in the first line's `format`. */
export const MIRROR_FORMAT = 'quarterdeck-session';

/** What later versions added to messages, as it is where a line lacks it. */
const LATER_FIELDS = { topic: null, attachments: [], notBefore: null, replyBy: null, expiresAt: null };

/** Where a message's copy for one recipient ended; `open`: it had died and was taken up again. */
export const DeliveryEnd = z.object({
  recipient: z.string().max(200),
  state: z.enum(['read', 'dead', 'open']),
  /** When it was read or died; null where it is open. */
  at: z.number().int().nullable(),
  deliveredAt: z.number().int().nullable(),
  /** Why it died. */
  reason: z.string().max(200).nullable(),
});
/** Where a message's copy for one recipient ended. */
export type DeliveryEnd = z.infer<typeof DeliveryEnd>;

/** The first line of each file. */
export const SessionLine = z.object({
  type: z.literal('session'),
  format: z.literal(MIRROR_FORMAT),
  version: z.literal(1),
  /** Counts the files of the session from 1. */
  file: z.number().int(),
  session: z.object({ id: SessionId, startedAt: z.number().int() }),
});
/** The first line of each file. */
export type SessionLine = z.infer<typeof SessionLine>;

/** A message, as it was stored. */
export const MessageLine = z.object({
  type: z.literal('message'),
  message: z.preprocess(
    (message) => (typeof message === 'object' && message !== null ? { ...LATER_FIELDS, ...message } : message),
    Message,
  ),
  /** How long it was to live, in milliseconds; null: for ever. */
  ttlMs: z.number().int().nullable().default(null),
  /** In exports: how its copies had ended by then. In a mirror they follow as lines of their own. */
  ends: z.array(DeliveryEnd).optional(),
});
/** A message, as it was stored. */
export type MessageLine = z.infer<typeof MessageLine>;

/** A copy of a message ended, or was taken up again. Of several about the same copy the last counts. */
export const EndLine = DeliveryEnd.extend({ type: z.literal('end'), messageId: MessageId });
/** A copy of a message ended, or was taken up again. */
export type EndLine = z.infer<typeof EndLine>;
