/** The journal: an append-only, hash-chained record of what happened. It is the audit trail and what every window follows. */
import * as z from 'zod';
import { agentEvents } from '#shared/agents/events.ts';
import { attachmentEvents } from '#shared/attachments/events.ts';
import { authEvents } from '#shared/auth/events.ts';
import { boundaryEvents } from '#shared/boundary/events.ts';
import { egressEvents } from '#shared/egress/events.ts';
import { enrolmentEvents } from '#shared/enrolments/events.ts';
import { runtimeEvents } from '#shared/runtimes/events.ts';
import { workspaceEvents } from '#shared/workspaces/events.ts';
import { Actor, Door } from '#shared/auth/model.ts';
import { ProjectId } from '#shared/kernel/ids.ts';
import { journalEvents } from './events.ts';
import { messageEvents } from '#shared/messages/events.ts';
import { middlewareEvents } from '#shared/middleware/events.ts';
import { DeliveryState } from '#shared/messages/model.ts';
import { projectEvents } from '#shared/projects/events.ts';
import { provenanceEvents } from '#shared/provenance/events.ts';
import { retentionEvents } from '#shared/retention/events.ts';
import { secretEvents } from '#shared/secrets/events.ts';
import { sessionEvents } from '#shared/sessions/events.ts';
import { settingsEvents } from '#shared/settings/events.ts';
import { terminalEvents } from '#shared/terminals/events.ts';
import { topicEvents } from '#shared/topics/events.ts';

/** The data of every kind of event there is. */
export const eventSchemas = {
  ...projectEvents,
  ...sessionEvents,
  ...retentionEvents,
  ...settingsEvents,
  ...agentEvents,
  ...messageEvents,
  ...middlewareEvents,
  ...terminalEvents,
  ...topicEvents,
  ...attachmentEvents,
  ...authEvents,
  ...secretEvents,
  ...runtimeEvents,
  ...workspaceEvents,
  ...boundaryEvents,
  ...egressEvents,
  ...enrolmentEvents,
  ...provenanceEvents,
  ...journalEvents,
};

/** Name of a kind of event, such as `agent.state-changed`. */
export type EventKind = keyof typeof eventSchemas;
/** The data of one kind of event. */
export type EventData<K extends EventKind> = z.infer<(typeof eventSchemas)[K]>;

/** The names of all kinds. */
export const EventKind = z.enum(Object.keys(eventSchemas) as [EventKind, ...EventKind[]]);

const envelope = {
  /** Counts from 1 without gaps. */
  seq: z.number().int().positive(),
  at: z.number().int(),
  projectId: ProjectId,
  actor: Actor,
  door: Door,
  subject: z.string(),
};

/** An event as windows receive it: the kind decides the data. */
export type JournalEvent = {
  [K in EventKind]: {
    seq: number;
    at: number;
    projectId: ProjectId;
    actor: Actor;
    door: Door;
    kind: K;
    subject: string;
    data: EventData<K>;
  };
}[EventKind];

type EventOption = z.ZodObject<{ kind: z.ZodLiteral<EventKind> }>;

const eventOptions = (Object.keys(eventSchemas) as EventKind[]).map(
  // The kind of each option is known only at run time; the exported type below is what callers see.
  (kind): EventOption => z.object({ ...envelope, kind: z.literal(kind), data: eventSchemas[kind] }),
);

/** Checks an event at an edge. */
export const JournalEvent: z.ZodType<JournalEvent> = z
  .discriminatedUnion('kind', eventOptions as [EventOption, ...EventOption[]])
  .pipe(z.custom<JournalEvent>());

/** A row of the audit trail. `data` is null when it was erased; its hash stays. */
export const JournalRow = z.object({
  ...envelope,
  kind: z.string(),
  data: z.record(z.string(), z.unknown()).nullable(),
  hash: z.string(),
});
/** A row of the audit trail. */
export type JournalRow = z.infer<typeof JournalRow>;

/** What a follower receives. */
export const FollowItem = z.discriminatedUnion('type', [
  z.object({ type: z.literal('events'), events: z.array(JournalEvent) }),
  /** Deliveries that changed since the last item, the newest state of each. Not journaled. */
  z.object({
    type: z.literal('deliveries'),
    changes: z.array(
      z.object({
        messageId: z.string(),
        recipient: z.string(),
        state: DeliveryState,
        attempts: z.number().int(),
        leasedUntil: z.number().int().nullable(),
      }),
    ),
  }),
  /** Nothing happened for a while; the link lives. */
  z.object({ type: z.literal('heartbeat'), seq: z.number().int() }),
]);
/** What a follower receives. */
export type FollowItem = z.infer<typeof FollowItem>;

/** Why a journal does not verify. */
export const JournalFault = z.object({
  /** changed: a row is not what was written; gap: rows are missing or moved; cut: the end is missing; head: the head file is missing or not ours. */
  kind: z.enum(['changed', 'gap', 'cut', 'head']),
  /** Where: a sequence number, or null for the head file. */
  seq: z.number().int().nullable(),
  detail: z.string(),
});
/** Why a journal does not verify. */
export type JournalFault = z.infer<typeof JournalFault>;

/** An event that is about to be committed: the journal gives it its number, time and hash. */
export type PendingEvent = {
  [K in EventKind]: { projectId: ProjectId; actor: Actor; door: Door; kind: K; subject: string; data: EventData<K> };
}[EventKind];
