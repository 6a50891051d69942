/** Whose inbox a caller may change, and what is said when it may not or asks for what is not there. */
import { AppError } from '#shared/kernel/errors.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';

/** Most ids that an error names. */
const NAMED_IDS = 5;

/** The inbox that a caller may change: an agent's own, or the operator's for whoever holds that role. */
export function ownInbox(caller: Caller): string {
  if (caller.agentId !== undefined) return caller.agentId;
  if (caller.role === 'operator') return OPERATOR;
  throw new AppError(
    'FORBIDDEN',
    `Role "${caller.role}" has no inbox of its own: it may look (get_messages), not take or acknowledge.`,
  );
}

/** Nothing is handed out any more. */
export function endingError(): AppError {
  return new AppError('UNAVAILABLE', 'Quarterdeck is ending. Nothing was handed out; wait again when it is back.', {
    retryable: true,
  });
}

/** A page is to begin at a message that is not there. */
export function notInInbox(id: string | undefined): AppError {
  return new AppError(
    'NOT_FOUND',
    `Message ${id} is not in this inbox. State in "after" the id of the last message of the page before, or leave it out.`,
    { data: { field: 'after' } },
  );
}

/** Messages that are not in the caller's inbox; `done` says what was not done. */
export function unknownIds(ids: readonly string[], done = 'marked'): AppError {
  const named = ids.slice(0, NAMED_IDS).join(', ');
  const more = ids.length > NAMED_IDS ? ` and ${ids.length - NAMED_IDS} more` : '';
  return new AppError(
    'NOT_FOUND',
    `Not in your inbox: ${named}${more}. Nothing was ${done}. See what is there with get_messages.`,
    { data: { messageIds: ids.slice(0, NAMED_IDS) } },
  );
}
