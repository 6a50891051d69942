/** Procedures of the journal: the state for windows, following it, and the audit trail. */
import { eventIterator } from '@orpc/contract';
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';
import { procedure, query } from '#shared/kernel/procedure.ts';
import { CrewState } from '#shared/state.ts';
import { EventKind, FollowItem, JournalFault, JournalRow } from './model.ts';

/** Procedures of the journal. */
export const journalContract = {
  snapshot: procedure(query(undefined), {
    method: 'GET',
    path: '/state',
    summary: 'The state, and the sequence number it belongs to',
    description: 'Returns projects, agents and session as of one sequence number of the journal; follow from that number on.',
  })
    .input(z.strictObject({}))
    .output(CrewState),

  follow: procedure(query(undefined), {
    method: 'GET',
    path: '/journal:follow',
    summary: 'Follow the journal',
    description:
      'Streams every event after the given sequence number, then new ones as they are committed, in order and without gaps. A number that is ahead of the journal or no longer kept is a CONFLICT: take a new snapshot.',
  })
    .input(z.strictObject({ after: z.number().int().min(0) }))
    .output(eventIterator(FollowItem)),

  list: procedure(query('list_audit'), {
    method: 'GET',
    path: '/journal',
    summary: 'Read the audit trail',
    description:
      'Pages through the audit trail: who did what, when, through which door. Oldest first after a number, or newest first before one.',
  })
    .input(
      z.strictObject({
        after: z.number().int().min(0).optional(),
        before: z.number().int().min(1).optional(),
        projectId: ProjectId.optional(),
        kind: EventKind.optional(),
        subject: z.string().max(128).optional(),
        limit: z.number().int().min(1).max(500).default(100),
      }),
    )
    .output(z.object({ rows: z.array(JournalRow), hasMore: z.boolean() })),

  verify: procedure(query('verify_audit'), {
    method: 'POST',
    path: '/journal:verify',
    summary: 'Verify the audit trail',
    description:
      'Recomputes the hash chain of the whole journal and compares its end with the head kept outside the database. Reports the first faults found.',
  })
    .input(z.strictObject({}))
    .output(
      z.object({
        isIntact: z.boolean(),
        rows: z.number().int(),
        headSeq: z.number().int().nullable(),
        faults: z.array(JournalFault),
      }),
    ),
};
