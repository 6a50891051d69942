/** The procedure that searches messages. Whose mail is searched comes from the token. */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';
import { procedure, query } from '#shared/kernel/procedure.ts';
import { SearchOrder, SearchPage } from './model.ts';
import { MAX_QUERY_CHARS } from './query.ts';

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
        projectId: ProjectId.optional().describe('Only this project; all unless stated'),
        rank: SearchOrder.default('newest'),
        cursor: z.string().max(60).optional().describe('"next" of the page before'),
        limit: z.number().int().min(1).max(100).default(20),
      }),
    )
    .output(SearchPage),
};
