/** The procedure that searches messages. Whose mail is searched comes from the token. */
import * as z from 'zod';
import { MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { procedure, query } from '#shared/kernel/procedure.ts';
import { DeliveryState, MessageKind, Priority } from '#shared/messages/model.ts';
import { TopicName } from '#shared/topics/model.ts';
import { SearchOrder, SearchPage } from './model.ts';
import { MAX_QUERY_CHARS } from './query.ts';

/** What narrows a search down besides its query: the filters of the history (list_messages), by the same names. */
const filters = {
  projectId: ProjectId.optional().describe('Only this project; all unless stated'),
  sessionId: SessionId.optional(),
  participant: z.string().max(64).optional().describe('An agent\'s id or "operator": what it sent or was sent'),
  forOperator: z.literal(true).optional().describe('true: only what was sent to the operator'),
  kind: MessageKind.optional(),
  priority: Priority.optional(),
  state: z
    .union([DeliveryState, z.literal('unsettled')])
    .optional()
    .describe("Messages with a copy that stands there; with forOperator the operator's copy, for an agent its own"),
  threadId: MessageId.optional(),
  topic: TopicName.optional(),
};

/** Procedures about searching. */
export const searchContract = {
  messages: procedure(query('search_messages', 'full', 'both'), {
    method: 'GET',
    path: '/messages:search',
    summary: 'Search messages',
    description:
      'Finds messages by what they say. All words must be there; "a phrase" in quotes stands side by side; -word must not be there; dep* is a beginning. Filters: from:api to:operator kind:task priority:high topic:health.api session:current after:2026-11-01 before:7d. Part of a name finds it: both bar and foo_bar find foo_bar. Newest first; rank "relevance" compares the newest matches. Agents search what they sent and were sent; the management side searches everything. Go on with "next" as cursor until it is null.',
  })
    .input(
      z.strictObject({
        query: z.string().min(1).max(MAX_QUERY_CHARS).describe('Words and filters, for example: deploy failed from:api after:7d'),
        ...filters,
        rank: SearchOrder.default('newest'),
        cursor: z.string().max(60).optional().describe('"next" of the page before'),
        limit: z.number().int().min(1).max(100).default(20),
      }),
    )
    .output(SearchPage),
};
