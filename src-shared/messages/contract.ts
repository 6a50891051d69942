/** Procedures about messages. The sender, and whose inbox is read, always come from the token. */
import * as z from 'zod';
import { AgentId, MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { TopicName } from '#shared/topics/model.ts';
import { AttachmentInput, MAX_ATTACHMENTS } from './attachment.ts';
import {
  Address,
  DEAD_REASONS,
  DEFAULT_LEASE_MS,
  Delivery,
  DeliveryState,
  InboxMessage,
  LeaseMs,
  MAX_ATTEMPTS,
  MAX_BODY_CHARS,
  MAX_DELAY_MS,
  MAX_TTL_MS,
  Message,
  MessageCounts,
  MessageKind,
  MIN_TTL_MS,
  Priority,
  QueueInspection,
} from './model.ts';

/** Longest long-poll in milliseconds: below the idle limits of common HTTP clients. */
export const MAX_WAIT_MS = 55_000;

const Inbox = z.object({
  messages: z.array(InboxMessage),
  unread: z.number().int().describe('Unread messages left in the inbox, these included'),
});

/** A participant of a message: an agent's id, or "operator". */
const Participant = z.string().max(64);

/** What may be stated about any message to be sent. */
const content = {
  to: z
    .union([Address, z.array(Address).min(1).max(500)])
    .describe(
      'An agent\'s id, "operator", "*" for everybody else in the project, "topic:<name>" for those who subscribed to it, "capability:<name>" or "template:<name>" for agents of that sort, or a list of these',
    ),
  body: z.string().min(1).max(MAX_BODY_CHARS).describe('The text'),
  priority: Priority.default('normal'),
  subject: z.string().max(200).optional(),
  data: Json.optional().describe('Anything structured that goes with the text; at most 256 KB of JSON'),
  inReplyTo: MessageId.optional().describe('The message that this one answers'),
  ttlMs: z
    .number()
    .int()
    .min(MIN_TTL_MS)
    .max(MAX_TTL_MS)
    .optional()
    .describe(
      'Milliseconds until the message expires: whoever has not acknowledged it by then is not shown it any more. 1 second to 30 days; without it the message waits for ever',
    ),
  delayMs: z
    .number()
    .int()
    .min(1)
    .max(MAX_DELAY_MS)
    .optional()
    .describe('Milliseconds until it is handed to anybody; without it at once'),
  replyWithinMs: z
    .number()
    .int()
    .min(MIN_TTL_MS)
    .max(MAX_DELAY_MS)
    .optional()
    .describe(
      'With a task or request: milliseconds until you want the reply. When it has not come by then you get an event; a late reply still arrives',
    ),
  attachments: z.array(AttachmentInput).max(MAX_ATTACHMENTS).optional().describe('Files that go with it, by reference'),
  projectId: ProjectId.optional().describe('Only needed for "*", topics and groups when more than one project is open'),
  idempotencyKey: IdempotencyKey.optional(),
};

const Sent = z.object({
  messageId: MessageId,
  threadId: MessageId,
  recipients: z.array(z.string()),
  refused: z
    .array(z.string())
    .describe('Recipients that did not get it because their inbox is full. Send it to them again later'),
  isDuplicate: z.boolean().describe('true when the idempotencyKey was used before: nothing new was sent'),
});

/** Ids of messages in the caller's inbox. */
const OwnIds = z.array(MessageId).min(1).max(500);
const notHeld = z.array(MessageId).describe('Those you do not hold: acknowledged, dead, or given back because their time was up');

/** Procedures about messages. */
export const messagesContract = {
  send: procedure(command('send_message', 'LOW', { audience: 'both', toolset: 'core' }), {
    method: 'POST',
    path: '/messages',
    summary: 'Send a message',
    description:
      'Sends a message to an agent, to several, to the operator, or to everybody in the project ("*"). It is stored before this call answers. Use kind "task" for work to be done and "request" for a question; the answer comes back as a "reply" whose inReplyTo is the id returned here. A worker takes its job in "data". Give ttlMs only to what is useless when it comes late. Give an idempotencyKey when you may have to repeat the call.',
  })
    .input(z.strictObject({ kind: MessageKind.default('note'), ...content }))
    .output(Sent),

  inbox: procedure(query('get_messages', 'core', 'both'), {
    method: 'GET',
    path: '/inbox',
    summary: 'Read your inbox',
    description:
      "Returns messages in your inbox: unread ones unless unreadOnly is false, most urgent first, then oldest first. Reading does not acknowledge: call mark_messages_read when you have dealt with them; an agent holds what it is shown until leasedUntil. A page may end before its limit when the messages are large: ask again with after. The management side may look into an agent's inbox with agentId; looking changes nothing there.",
  })
    .input(
      z.strictObject({
        unreadOnly: z.boolean().default(true),
        limit: z.number().int().min(1).max(200).default(50),
        after: MessageId.optional().describe('Id of the last message of the page before; it must be in this inbox'),
        agentId: AgentId.optional().describe("Management only: look into this agent's inbox instead of your own"),
      }),
    )
    .output(Inbox),

  wait: procedure(command('wait_for_messages', 'LOW', { audience: 'both', toolset: 'core', role: 'operator' }), {
    method: 'POST',
    path: '/inbox:wait',
    summary: 'Wait for messages',
    description:
      'Returns messages that wait for you, at once when there are some, else as soon as one comes, or an empty list after timeoutMs. An agent has until leasedUntil to acknowledge them (mark_messages_read); extend_lease when the work takes longer, release_messages to give them back. What is not acknowledged by then comes again. After a lost connection call get_messages first: it lists everything unread, handed out or not.',
  })
    .input(
      z.strictObject({
        timeoutMs: z.number().int().min(0).max(MAX_WAIT_MS).default(25_000),
        limit: z.number().int().min(1).max(200).default(50),
        leaseMs: LeaseMs.optional().describe(
          'How long you have them for yourself, in milliseconds: 1 second to 12 hours, 10 minutes unless stated',
        ),
      }),
    )
    .output(Inbox),

  markRead: procedure(command('mark_messages_read', 'LOW', { audience: 'both', toolset: 'core', role: 'operator' }), {
    method: 'POST',
    path: '/inbox:read',
    summary: 'Acknowledge messages',
    description:
      'Marks messages in your inbox as read: you have dealt with them and they will not be shown again. Repeating it is harmless, and so is naming one that has expired: it stays expired. Ids that are not in your inbox are an error, and nothing is marked.',
  })
    .input(z.strictObject({ messageIds: z.array(MessageId).min(1).max(500) }))
    .output(z.object({ marked: z.number().int().describe('How many were unread until now') })),

  extend: procedure(command('extend_lease', 'LOW', { audience: 'agent', toolset: 'agent-core' }), {
    method: 'POST',
    path: '/inbox:extend',
    summary: 'Keep messages for longer',
    description:
      'You are still at these messages: nobody hands them out again for leaseMs from now. Call it before leasedUntil when the work takes longer. Those in notHeld are not yours any more: they come again with wait_for_messages unless they were acknowledged.',
  })
    .input(z.strictObject({ messageIds: OwnIds, leaseMs: LeaseMs.default(DEFAULT_LEASE_MS) }))
    .output(z.object({ extended: z.number().int(), leasedUntil: z.number().int(), notHeld })),

  release: procedure(command('release_messages', 'LOW', { audience: 'agent', toolset: 'agent-core' }), {
    method: 'POST',
    path: '/inbox:release',
    summary: 'Give messages back',
    description: `Gives messages back to your inbox without acknowledging them: they come again, not before delayMs. For what you cannot deal with now. One that was handed out ${MAX_ATTEMPTS} times becomes a dead letter instead.`,
  })
    .input(z.strictObject({ messageIds: OwnIds, delayMs: z.number().int().min(0).max(MAX_DELAY_MS).default(0) }))
    .output(z.object({ released: z.number().int(), notHeld })),

  request: procedure(command('request_reply', 'LOW', { audience: 'both', toolset: 'agent-core', role: 'operator' }), {
    method: 'POST',
    path: '/messages:request',
    summary: 'Ask and wait for the reply',
    description:
      'Sends a request and waits for its reply, up to timeoutMs. The reply is in your inbox, too: acknowledge it with mark_messages_read. reply is null when none came in time: it still arrives later (wait_for_messages). Repeat the call with the same idempotencyKey to go on waiting. An event instead of a reply says why none will come.',
  })
    .input(z.strictObject({ ...content, timeoutMs: z.number().int().min(0).max(MAX_WAIT_MS).default(50_000) }))
    .output(Sent.extend({ reply: InboxMessage.nullable() })),

  cancel: procedure(command('cancel_message', 'LOW', { audience: 'both' }), {
    method: 'POST',
    path: '/messages/{id}/cancel',
    summary: 'Take a message back',
    description:
      'Takes back a message you sent: copies that are not acknowledged die. Whoever was handed one is told by an event. The operator may take back any. Repeating it is harmless.',
  })
    .input(z.strictObject({ id: MessageId }))
    .output(
      z.object({
        cancelled: z.array(z.string()).describe('Recipients that will not be handed it any more'),
        acknowledged: z.array(z.string()).describe('Recipients that had dealt with it before'),
      }),
    ),

  dead: procedure(query('list_dead_letters'), {
    method: 'GET',
    path: '/messages:dead',
    summary: 'Dead letters',
    description:
      'Lists messages with copies that could not be delivered, newest first: expired, handed out too often without acknowledgement (attempts), or for an agent that was removed. What was taken back (cancelled) or imported is listed only by its reason. Bring one back with retry_dead_letter. A page may be short; go on with "older" as before until it is null.',
  })
    .input(
      z.strictObject({
        projectId: ProjectId.optional(),
        to: Participant.optional().describe('Who was to get it: an agent\'s id or "operator"'),
        reason: z.enum(DEAD_REASONS).optional().describe('Only those that died of it; without it all but cancelled and imported'),
        before: MessageId.optional(),
        limit: z.number().int().min(1).max(500).default(100),
      }),
    )
    .output(
      z.object({
        messages: z.array(Message),
        deliveries: z.array(Delivery).describe('Their dead copies'),
        older: MessageId.nullable().describe('State it in "before" for older ones; null when there are none'),
      }),
    ),

  retry: procedure(command('retry_dead_letter', 'LOW', { role: 'operator' }), {
    method: 'POST',
    path: '/messages/{id}/retry',
    summary: 'Deliver a dead letter again',
    description:
      'Puts the dead copies of a message back into their inboxes, as if they had just been sent: attempts begin anew, and one that expired gets its time again. Copies that live are left alone, so repeating it is harmless.',
  })
    .input(
      z.strictObject({
        id: MessageId,
        recipients: z
          .array(Participant)
          .min(1)
          .max(500)
          .optional()
          .describe('Only these; without it everyone whose copy is dead'),
      }),
    )
    .output(z.object({ retried: z.array(z.string()) })),

  queues: procedure(query('inspect_queue'), {
    method: 'GET',
    path: '/inbox:inspect',
    summary: 'One inbox as it stands',
    description:
      "Lists what is not acknowledged in an inbox in the order in which it is handed out, with leases, attempts and what is held back, and how full the inbox is. Changes nothing. Without agentId the operator's.",
  })
    .input(
      z.strictObject({
        agentId: AgentId.optional(),
        after: MessageId.optional().describe('Id of the last message of the page before'),
        limit: z.number().int().min(1).max(200).default(50),
      }),
    )
    .output(QueueInspection),

  list: procedure(query('list_messages'), {
    method: 'GET',
    path: '/messages',
    summary: 'History of messages',
    description:
      'Pages through everything said, with where each copy stands: newest first, or oldest first from "after" on, or newest first on both sides of a time with "around". Filters narrow it down together. A page may end before its limit, even be empty, when matches are rare: go on with "older" as before, or "newer" as after, until it is null.',
  })
    .input(
      z.strictObject({
        projectId: ProjectId.optional(),
        sessionId: SessionId.optional().describe('Only of this session; see list_sessions'),
        participant: Participant.optional().describe('An agent\'s id or "operator": what it sent or was sent'),
        from: Participant.optional().describe('Id of the sender: an agent\'s, "operator", or a token\'s name'),
        to: Participant.optional().describe('Who was sent a copy: an agent\'s id or "operator"'),
        forOperator: z.boolean().optional().describe('true: only what was sent to the operator; false: only what was not'),
        kind: MessageKind.optional(),
        priority: Priority.optional(),
        state: z
          .union([DeliveryState, z.literal('unsettled')])
          .optional()
          .describe(
            'Messages with a copy that stands there; with "to" or forOperator: true, the copy of that recipient. unsettled: queued or delivered',
          ),
        threadId: MessageId.optional(),
        topic: TopicName.optional().describe('Published on this topic'),
        before: MessageId.optional().describe('Older than this message, newest first'),
        after: MessageId.optional().describe('Newer than this message, oldest first'),
        around: z
          .number()
          .int()
          .min(0)
          .optional()
          .describe('Milliseconds since 1970: half a page from before this time, half from then on, newest first'),
        limit: z.number().int().min(1).max(500).default(100),
      }),
    )
    .output(
      z.object({
        messages: z.array(Message),
        deliveries: z.array(Delivery).describe('The copies of these messages, in their order'),
        hasMore: z.boolean().describe('Whether there is more in the direction asked for: newer for "after", else older'),
        older: MessageId.nullable().describe('State it in "before" for older ones; null when there are none'),
        newer: MessageId.nullable().describe('State it in "after" for newer ones; null when there were none'),
      }),
    ),

  counts: procedure(query('count_messages'), {
    method: 'GET',
    path: '/messages:counts',
    summary: 'How many messages there are',
    description:
      "Counts messages: all, unread ones for the operator, requests, messages with a copy that died; and for every inbox that is not empty how many are queued and unread, and since when the oldest is queued. Cheap, however long the history. With projectId only that project's.",
  })
    .input(z.strictObject({ projectId: ProjectId.optional() }))
    .output(MessageCounts),

  get: procedure(query('get_message'), {
    method: 'GET',
    path: '/messages/{id}',
    summary: 'One message and its deliveries',
    description: "Returns a message and where its copy stands in each recipient's inbox.",
  })
    .input(z.strictObject({ id: MessageId }))
    .output(z.object({ message: Message, deliveries: z.array(Delivery) })),
};
