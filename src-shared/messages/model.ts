/** Messages between agents and the operator. A message is stored once; a delivery is its copy in one inbox. */
import * as z from 'zod';
import { Boundary } from '#shared/runtimes/model.ts';
import { AgentId, MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';
import { TopicName } from '#shared/topics/model.ts';
import { Attachment } from './attachment.ts';

/** Priorities, highest first. */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const;
/** How urgent a message is. Within one priority the oldest comes first. */
export const Priority = z.enum(PRIORITIES).describe('critical > high > normal > low; within one the oldest first');
/** How urgent a message is. */
export type Priority = z.infer<typeof Priority>;

/** What a message is for. A task or request is to be answered by a reply. */
export const MessageKind = z
  .enum(['note', 'task', 'request', 'reply', 'event'])
  .describe(
    'note: to be read. task: work to be done. request: a question to be answered. reply: the answer. event: something that happened',
  );
/** What a message is for. */
export type MessageKind = z.infer<typeof MessageKind>;

/** The operator's address. */
export const OPERATOR = 'operator';
/** The address of everybody in the project but the sender. */
export const BROADCAST = '*';

/** Who sent a message, by its token. */
export const Sender = z.object({ kind: z.enum(['operator', 'agent', 'token', 'system']), id: z.string() });
/** Who sent a message. */
export type Sender = z.infer<typeof Sender>;

/**
 * Whose wish a message carries, and how confined that one is: nothing is executed in a weaker boundary because of it.
 * Operators, their tokens and the core itself stand on the host. See src-main/core/messages/boundary-rule.ts.
 */
export const Originator = z.object({
  kind: z.enum(['operator', 'agent', 'token', 'system']),
  id: z.string(),
  boundary: Boundary,
});
/** Whose wish a message carries. */
export type Originator = z.infer<typeof Originator>;

/** Longest body in characters; larger things go into the workspace and are named in the message. */
export const MAX_BODY_CHARS = 64 * 1024;
/** Largest `data`, as JSON text, in characters. */
export const MAX_DATA_CHARS = 256 * 1024;
/** A page of messages ends early when its bodies and data, as JSON text, reach this many characters; it holds at least one message. */
export const MAX_PAGE_CHARS = 1024 * 1024;

/** Shortest and longest life of a message that has an end, in milliseconds: a second, thirty days. */
export const MIN_TTL_MS = 1_000;
/** See MIN_TTL_MS. */
export const MAX_TTL_MS = 30 * 24 * 60 * 60 * 1_000;

/** Longest delay of a message, and longest deadline of a request, in milliseconds: thirty days. */
export const MAX_DELAY_MS = 30 * 24 * 60 * 60 * 1_000;

/** What stands before a topic's name in an address. */
export const TOPIC_PREFIX = 'topic:';
/** What stands before a group's name in an address: those with a capability, those made from a template. */
export const GROUP_KINDS = ['capability', 'template'] as const;
/** A group of agents of the project that are not removed. */
export interface Group {
  readonly kind: (typeof GROUP_KINDS)[number];
  readonly name: string;
}

const TopicAddress = z
  .templateLiteral([TOPIC_PREFIX, z.string()])
  .refine(
    (text) => TopicName.safeParse(text.slice(TOPIC_PREFIX.length)).success,
    'must be "topic:" and a topic, such as "topic:health.api"',
  );
const GroupAddress = z
  .templateLiteral([z.enum(GROUP_KINDS), ':', z.string()])
  .refine((text) => text.length <= 128 && !text.endsWith(':'), 'must be "capability:" or "template:" and a name');

/** An address: an agent's id, "operator", "*" for everybody in the project, a topic or a group. */
export const Address = z
  .union([z.literal(OPERATOR), z.literal(BROADCAST), TopicAddress, GroupAddress, AgentId])
  .describe(
    'An agent\'s id, "operator", "*" for everybody else in the project, "topic:<name>", "capability:<name>" or "template:<name>"',
  );
/** An address. */
export type Address = z.infer<typeof Address>;

/** The topic that an address names; undefined when it names none. */
export function topicOf(address: string): TopicName | undefined {
  return address.startsWith(TOPIC_PREFIX) ? address.slice(TOPIC_PREFIX.length) : undefined;
}

/** The group that an address names; undefined when it names none. */
export function groupOf(address: string): Group | undefined {
  const colon = address.indexOf(':');
  const kind = GROUP_KINDS.find((known) => known === address.slice(0, Math.max(0, colon)));
  return kind && { kind, name: address.slice(colon + 1) };
}

/** A message as stored. */
export const Message = z.object({
  id: MessageId,
  projectId: ProjectId,
  sessionId: SessionId,
  from: Sender,
  /** As addressed, without repetitions; see `recipients` for whom it reached. */
  to: z.array(z.string()),
  recipients: z.array(z.string()),
  /** The topic it was published on; null when it was not. */
  topic: z.string().nullable(),
  kind: MessageKind,
  priority: Priority,
  subject: z.string().nullable(),
  body: z.string(),
  data: Json.nullable(),
  attachments: z.array(Attachment),
  inReplyTo: MessageId.nullable(),
  threadId: MessageId,
  originator: Originator,
  sentAt: z.number().int(),
  /** When copies that are not acknowledged die; null when they wait for ever. */
  expiresAt: z.number().int().nullable(),
  /** Until when nobody is handed it; null when it was not delayed. */
  notBefore: z.number().int().nullable(),
  /** A request's deadline: whoever asked is told when it passes unanswered; null when there is none. */
  replyBy: z.number().int().nullable(),
});
/** A message as stored. */
export type Message = z.infer<typeof Message>;

/**
 * Where a delivery stands: queued, handed to the recipient, acknowledged by it; or dead: never to be handed out again unless
 * somebody retries it. One whose lease ended without acknowledgement is queued again.
 */
export const DeliveryState = z.enum(['queued', 'delivered', 'read', 'dead']);
/** Where a delivery stands. */
export type DeliveryState = z.infer<typeof DeliveryState>;

/**
 * Why a delivery died: its time was up; its sender took it back; it was handed out too often without acknowledgement; its
 * recipient was removed; it was deleted with old messages.
 */
export const DEAD_REASONS = ['expired', 'cancelled', 'attempts', 'recipient-removed', 'retention', 'imported'] as const;
/** Why a delivery died. */
export type DeadReason = (typeof DEAD_REASONS)[number];
/** Deaths that were meant: what its sender took back, and what was imported to be read only. Copies that died otherwise are dead letters. */
export const MEANT_DEATHS: readonly DeadReason[] = ['cancelled', 'imported'];
/** Whether a copy that died of this is a dead letter: one that somebody may want to deliver after all. */
export function isLetterOf(reason: string | null): boolean {
  return reason !== null && !MEANT_DEATHS.some((one) => one === reason);
}

/** A message's copy in one inbox. */
export const Delivery = z.object({
  messageId: MessageId,
  recipient: z.string(),
  state: DeliveryState,
  queuedAt: z.number().int(),
  deliveredAt: z.number().int().nullable(),
  readAt: z.number().int().nullable(),
  deadAt: z.number().int().nullable(),
  /** Why it died, one of DEAD_REASONS; null while it lives. */
  deadReason: z.string().nullable(),
  /** How often it was handed out. */
  attempts: z.number().int(),
  /** Until when its recipient has it for itself; null when it holds none of it, or is in no hurry (the operator). */
  leasedUntil: z.number().int().nullable(),
  /** From when on it may be handed out: later than queuedAt when it was delayed, given back or not acknowledged in time. */
  availableAt: z.number().int(),
});
/** A message's copy in one inbox. */
export type Delivery = z.infer<typeof Delivery>;

/** Where a copy stands, in the words of a screen. */
export const DELIVERY_STEPS = ['queued', 'leased', 'delivered', 'acknowledged', 'expired', 'dead'] as const;
/** Where a copy stands, in the words of a screen. */
export type DeliveryStep = (typeof DELIVERY_STEPS)[number];

/**
 * Where a copy stands at a time (milliseconds since 1970). leased: its recipient has it for itself for a while; delivered:
 * it was seen by somebody who is in no hurry (the operator). A lease whose time is up counts as queued.
 */
export function deliveryStepOf(delivery: Pick<Delivery, 'state' | 'leasedUntil' | 'deadReason'>, now: number): DeliveryStep {
  if (delivery.state === 'dead') return delivery.deadReason === 'expired' ? 'expired' : 'dead';
  if (delivery.state === 'read') return 'acknowledged';
  if (delivery.state === 'queued') return 'queued';
  if (delivery.leasedUntil === null) return 'delivered';
  return delivery.leasedUntil > now ? 'leased' : 'queued';
}

/** A message as its recipient sees it. */
export const InboxMessage = Message.extend({
  state: DeliveryState,
  /** How often it was handed out, this time included: more than 1 means that it may have been dealt with before. */
  attempts: z.number().int(),
  /** Acknowledge it by then, or say that you need longer (extend_lease); null when there is no hurry. */
  leasedUntil: z.number().int().nullable(),
});
/** A message as its recipient sees it. */
export type InboxMessage = z.infer<typeof InboxMessage>;

/** How long an agent has a message for itself unless it asks for longer, in milliseconds: ten minutes. */
export const DEFAULT_LEASE_MS = 10 * 60 * 1_000;
/** How long it may ask for: a second to twelve hours. */
export const LeaseMs = z
  .number()
  .int()
  .min(1_000)
  .max(12 * 60 * 60 * 1_000);
/** A copy that was handed out so often and never acknowledged is a dead letter. */
export const MAX_ATTEMPTS = 10;

/** Most messages in one inbox that are not acknowledged; a send to a full one is refused. The operator may exceed it. */
export const MAX_INBOX_MESSAGES = 10_000;
/** Most characters of bodies and data in one inbox that are not acknowledged: 64 MB as most texts go. */
export const MAX_INBOX_CHARS = 64 * 1024 * 1024;

/** What stands in one inbox that is not empty. */
export const InboxQueue = z.object({
  recipient: z.string(),
  /** To be handed out. */
  queued: z.number().int(),
  /** Held back: delayed, given back, or not acknowledged in time. */
  delayed: z.number().int(),
  /** When the oldest of those was queued; null when everything was handed out. */
  oldestQueuedAt: z.number().int().nullable(),
  /** Not acknowledged, handed out or not, without what is held back. */
  unread: z.number().int(),
});
/** What stands in one inbox that is not empty. */
export type InboxQueue = z.infer<typeof InboxQueue>;

/** An inbox as it stands. */
export const QueueInspection = z.object({
  recipient: z.string(),
  counts: InboxQueue.omit({ recipient: true }),
  /** Characters of bodies and data that are not acknowledged. */
  chars: z.number().int(),
  limits: z.object({ messages: z.number().int(), chars: z.number().int(), attempts: z.number().int() }),
  /** What is not acknowledged, in the order in which it is handed out. */
  messages: z.array(Message),
  /** The copies of these messages in this inbox, in their order. */
  deliveries: z.array(Delivery),
  /** State it in "after" for more; null when there is none. */
  next: MessageId.nullable(),
});
/** An inbox as it stands. */
export type QueueInspection = z.infer<typeof QueueInspection>;

/** How many messages there are of each sort. */
export const MessageCounts = z.object({
  /** Ever sent. */
  total: z.number().int(),
  /** In the operator's inbox and not acknowledged. */
  forOperator: z.number().int(),
  /** Of kind request, ever sent. */
  requests: z.number().int(),
  /** With at least one dead letter: see isLetterOf. */
  dead: z.number().int(),
  /** Inboxes that are not empty, by recipient. */
  queues: z.array(InboxQueue),
});
/** How many messages there are of each sort. */
export type MessageCounts = z.infer<typeof MessageCounts>;
