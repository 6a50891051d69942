/** What the journal says about agents from outside, and how a window folds it. */
import * as z from 'zod';
import { AgentId } from '#shared/kernel/ids.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import { EnrolmentCode, EnrolmentRequest } from './model.ts';

/** Data of each journal event about enrolments, by kind. The subject is the id of the code or of the request. */
export const enrolmentEvents = {
  'enrolment.code-created': z.object({ code: EnrolmentCode }),
  'enrolment.code-revoked': z.object({ revokedAt: z.number().int() }),
  'enrolment.code-used': z.object({ agentId: AgentId, address: z.string() }),
  'enrolment.requested': z.object({ request: EnrolmentRequest }),
  'enrolment.decided': z.object({ status: z.enum(['approved', 'denied', 'expired']), agentId: AgentId.nullable() }),
};

/** The requests that wait for the operator, by id. */
export type EnrolmentTable = Readonly<Record<string, EnrolmentRequest>>;

type EnrolmentEvent = {
  [K in keyof typeof enrolmentEvents]: { kind: K; subject: string; data: z.infer<(typeof enrolmentEvents)[K]> };
}[keyof typeof enrolmentEvents];

/** Folds one event into the table. Codes are no state of windows: they are listed when they are looked at. */
export function reduceEnrolments(table: EnrolmentTable, event: EnrolmentEvent): EnrolmentTable {
  switch (event.kind) {
    case 'enrolment.requested':
      return { ...table, [event.subject]: event.data.request };
    case 'enrolment.decided': {
      if (ownEntry(table, event.subject) === undefined) return table;
      const { [event.subject]: _gone, ...rest } = table;
      return rest;
    }
    case 'enrolment.code-created':
    case 'enrolment.code-revoked':
    case 'enrolment.code-used':
      return table;
  }
}
