/** What a search answers. */
import * as z from 'zod';
import { MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { MessageKind, Priority, Sender } from '#shared/messages/model.ts';

/** Where something was found in a text: UTF-16 units, `end` behind the last one. */
export const Mark = z.object({ start: z.number().int().min(0), end: z.number().int().min(0) });
/** Where something was found in a text. */
export type Mark = z.infer<typeof Mark>;

/** A piece of a message's text around what was found. Plain text, never markup. */
export const Snippet = z.object({
  field: z.enum(['body', 'data', 'attachments']).describe('Where the piece comes from'),
  text: z.string(),
  matches: z.array(Mark).describe('What was found, as offsets in "text"'),
  isCutBefore: z.boolean().describe('Whether there is more before it'),
  isCutAfter: z.boolean().describe('Whether there is more behind it'),
});
/** A piece of a message's text around what was found. */
export type Snippet = z.infer<typeof Snippet>;

/** Longest piece in characters. */
export const SNIPPET_CHARS = 240;

/** A message that was found. Get all of it with get_message. */
export const SearchResult = z.object({
  messageId: MessageId,
  threadId: MessageId,
  projectId: ProjectId,
  sessionId: SessionId,
  from: Sender,
  to: z.array(z.string()),
  kind: MessageKind,
  priority: Priority,
  topic: z.string().nullable(),
  subject: z.string().nullable(),
  subjectMatches: z.array(Mark).describe('What was found in the subject'),
  sentAt: z.number().int(),
  snippet: Snippet,
});
/** A message that was found. */
export type SearchResult = z.infer<typeof SearchResult>;

/** The order of results. */
export const SearchOrder = z.enum(['newest', 'relevance']);
/** The order of results. */
export type SearchOrder = z.infer<typeof SearchOrder>;

/** With `relevance` so many of the newest matches are compared. */
export const RANKED_AT_MOST = 1_000;

/** A page of results. */
export const SearchPage = z.object({
  results: z.array(SearchResult),
  next: z.string().nullable().describe('State it in "cursor" for the next page; null when there is none'),
  isBounded: z
    .boolean()
    .describe(
      `true when not all was looked at: with rank "relevance" only the newest ${RANKED_AT_MOST} matches were compared; else the time for one page was over and "next" goes on from "searchedTo"`,
    ),
  searchedTo: z.number().int().nullable().describe('Everything sent since then was looked at; null: everything'),
  isComplete: z.boolean().describe('false while messages are still being indexed: older ones may be missing'),
  indexed: z.number().int().describe('Messages indexed by now'),
  total: z.number().int().describe('Messages to be indexed'),
});
/** A page of results. */
export type SearchPage = z.infer<typeof SearchPage>;
