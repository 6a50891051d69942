/** Procedures about messages. The sender, and whose inbox is read, always come from the token. */
import * as z from 'zod';
import { AgentId, MessageId, ProjectId } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { Address, Delivery, InboxMessage, MAX_BODY_CHARS, Message, MessageKind, Priority } from './model.ts';

/** Longest long-poll in milliseconds: below the idle limits of common HTTP clients. */
export const MAX_WAIT_MS = 55_000;

const Inbox = z.object({
  messages: z.array(InboxMessage),
  unread: z.number().int().describe('Unread messages left in the inbox, these included'),
});

/** Procedures about messages. */
export const messagesContract = {
  send: procedure(command('send_message', 'LOW', { audience: 'both', toolset: 'core' }), {
    method: 'POST',
    path: '/messages',
    summary: 'Send a message',
    description:
      'Sends a message to an agent, to several, to the operator, or to everybody in the project ("*"). It is stored before this call answers. Use kind "task" for work to be done and "request" for a question; the answer comes back as a "reply" whose inReplyTo is the id returned here. A worker takes its job in "data". Give an idempotencyKey when you may have to repeat the call.',
  })
    .input(
      z.strictObject({
        to: z
          .union([Address, z.array(Address).min(1).max(500)])
          .describe('An agent\'s id, "operator", "*" for everybody else in the project, or a list of these'),
        body: z.string().min(1).max(MAX_BODY_CHARS).describe('The text'),
        kind: MessageKind.default('note'),
        priority: Priority.default('normal'),
        subject: z.string().max(200).optional(),
        data: Json.optional().describe('Anything structured that goes with the text; at most 256 KB of JSON'),
        inReplyTo: MessageId.optional().describe('The message that this one answers'),
        projectId: ProjectId.optional().describe('Only needed for "*" when more than one project is open'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(
      z.object({
        messageId: MessageId,
        threadId: MessageId,
        recipients: z.array(z.string()),
        isDuplicate: z.boolean().describe('true when the idempotencyKey was used before: nothing new was sent'),
      }),
    ),

  inbox: procedure(query('get_messages', 'core', 'both'), {
    method: 'GET',
    path: '/inbox',
    summary: 'Read your inbox',
    description:
      "Returns messages in your inbox: unread ones unless unreadOnly is false, most urgent first, then oldest first. Reading does not acknowledge: call mark_messages_read when you have dealt with them. A page may end before its limit when the messages are large: ask again with after. The management side may look into an agent's inbox with agentId; looking changes nothing there.",
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
      'Returns the messages that were not handed out to you before, at once when there are some, else as soon as one comes, or an empty list after timeoutMs. After a lost connection call get_messages first: it lists everything unread, handed out or not.',
  })
    .input(
      z.strictObject({
        timeoutMs: z.number().int().min(0).max(MAX_WAIT_MS).default(25_000),
        limit: z.number().int().min(1).max(200).default(50),
      }),
    )
    .output(Inbox),

  markRead: procedure(command('mark_messages_read', 'LOW', { audience: 'both', toolset: 'core', role: 'operator' }), {
    method: 'POST',
    path: '/inbox:read',
    summary: 'Acknowledge messages',
    description:
      'Marks messages in your inbox as read: you have dealt with them and they will not be shown again. Repeating it is harmless. Ids that are not in your inbox are an error, and nothing is marked.',
  })
    .input(z.strictObject({ messageIds: z.array(MessageId).min(1).max(500) }))
    .output(z.object({ marked: z.number().int().describe('How many were unread until now') })),

  list: procedure(query('list_messages'), {
    method: 'GET',
    path: '/messages',
    summary: 'History of messages',
    description:
      'Pages through everything said, newest first. Filter by project, by a participant (agent id or "operator"), kind or thread.',
  })
    .input(
      z.strictObject({
        projectId: ProjectId.optional(),
        participant: z.string().max(64).optional(),
        kind: MessageKind.optional(),
        threadId: MessageId.optional(),
        before: MessageId.optional().describe('Id of the last message of the page before'),
        limit: z.number().int().min(1).max(500).default(100),
      }),
    )
    .output(z.object({ messages: z.array(Message), hasMore: z.boolean() })),

  get: procedure(query('get_message'), {
    method: 'GET',
    path: '/messages/{id}',
    summary: 'One message and its deliveries',
    description: "Returns a message and where its copy stands in each recipient's inbox.",
  })
    .input(z.strictObject({ id: MessageId }))
    .output(z.object({ message: Message, deliveries: z.array(Delivery) })),
};
