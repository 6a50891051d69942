/** Messages between agents and the operator. A message is stored once; a delivery is its copy in one inbox. */
import * as z from 'zod';
import { Boundary } from '#shared/runtimes/model.ts';
import { AgentId, MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';

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

/** An address: an agent's id, "operator", or "*" for everybody in the project. */
export const Address = z
  .union([z.literal(OPERATOR), z.literal(BROADCAST), AgentId])
  .describe('An agent\'s id, "operator", or "*" for everybody else in the project');
/** An address. */
export type Address = z.infer<typeof Address>;

/** A message as stored. */
export const Message = z.object({
  id: MessageId,
  projectId: ProjectId,
  sessionId: SessionId,
  from: Sender,
  /** As addressed, without repetitions; see `recipients` for whom it reached. */
  to: z.array(z.string()),
  recipients: z.array(z.string()),
  kind: MessageKind,
  priority: Priority,
  subject: z.string().nullable(),
  body: z.string(),
  data: Json.nullable(),
  inReplyTo: MessageId.nullable(),
  threadId: MessageId,
  originator: Originator,
  sentAt: z.number().int(),
  /** When copies that are not acknowledged die; null when they wait for ever. */
  expiresAt: z.number().int().nullable(),
});
/** A message as stored. */
export type Message = z.infer<typeof Message>;

/** Where a delivery stands: queued, handed to the recipient, acknowledged by it; or dead: never to be handed out again. */
export const DeliveryState = z.enum(['queued', 'delivered', 'read', 'dead']);
/** Where a delivery stands. */
export type DeliveryState = z.infer<typeof DeliveryState>;

/** A message's copy in one inbox. */
export const Delivery = z.object({
  messageId: MessageId,
  recipient: z.string(),
  state: DeliveryState,
  queuedAt: z.number().int(),
  deliveredAt: z.number().int().nullable(),
  readAt: z.number().int().nullable(),
  deadAt: z.number().int().nullable(),
  /** Why it died: "expired"; null while it lives. */
  deadReason: z.string().nullable(),
});
/** A message's copy in one inbox. */
export type Delivery = z.infer<typeof Delivery>;

/** A message as its recipient sees it. */
export const InboxMessage = Message.extend({ state: DeliveryState });
/** A message as its recipient sees it. */
export type InboxMessage = z.infer<typeof InboxMessage>;

/** What stands in one inbox that is not empty. */
export const InboxQueue = z.object({
  recipient: z.string(),
  /** Never handed out. */
  queued: z.number().int(),
  /** When the oldest of those was queued; null when everything was handed out. */
  oldestQueuedAt: z.number().int().nullable(),
  /** Not acknowledged, handed out or not. */
  unread: z.number().int(),
});
/** What stands in one inbox that is not empty. */
export type InboxQueue = z.infer<typeof InboxQueue>;

/** How many messages there are of each sort. */
export const MessageCounts = z.object({
  /** Ever sent. */
  total: z.number().int(),
  /** In the operator's inbox and not acknowledged. */
  forOperator: z.number().int(),
  /** Of kind request, ever sent. */
  requests: z.number().int(),
  /** With at least one dead delivery. */
  dead: z.number().int(),
  /** Inboxes that are not empty, by recipient. */
  queues: z.array(InboxQueue),
});
/** How many messages there are of each sort. */
export type MessageCounts = z.infer<typeof MessageCounts>;
