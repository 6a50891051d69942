/** For specs: what an operator does with a crew, said once, so that the same journey runs through every door. */
import * as z from 'zod';
import type { RuntimeKind } from '#shared/runtimes/model.ts';
import { InboxMessage } from '#shared/messages/model.ts';
import type { RestClient } from './rest-client.ts';

const Started = z.object({ started: z.array(z.string()), agents: z.array(z.object({ id: z.string() })) });
const Inbox = z.object({ messages: z.array(InboxMessage) });

/** Calls one tool of the contract by its MCP name and returns what it answers. */
export type CallTool = (tool: string, input: Record<string, unknown>) => Promise<unknown>;

/** The tools of this journey by their REST routes. */
export function restTools(rest: RestClient): CallTool {
  return (tool, input) => {
    switch (tool) {
      case 'start_sample_crew':
        return rest.ok('POST', '/teams:sample', input);
      case 'wait_for_messages':
        return rest.ok('POST', '/inbox:wait', input);
      case 'get_messages':
        return rest.ok('GET', '/inbox');
      case 'mark_messages_read':
        return rest.ok('POST', '/inbox:read', input);
      default:
        throw new Error(`no route for ${tool}`);
    }
  };
}

/** Acknowledges everything in the operator's inbox: what earlier journeys left must not be taken for an answer. */
export async function emptyInbox(call: CallTool): Promise<void> {
  const { messages } = Inbox.parse(await call('get_messages', {}));
  if (messages.length > 0) await call('mark_messages_read', { messageIds: messages.map((message) => message.id) });
}

/** Starts the sample crew on `folder` and returns the ids of the start messages and of the agents. */
export async function startSample(
  call: CallTool,
  folder: string,
  options: { key?: string; runtime?: RuntimeKind } = {},
): Promise<z.infer<typeof Started>> {
  const { key, runtime } = options;
  return Started.parse(
    await call('start_sample_crew', {
      folder,
      ...(key === undefined ? {} : { idempotencyKey: key }),
      ...(runtime === undefined ? {} : { runtime }),
    }),
  );
}

/** Waits for the reply to a message, acknowledges it and returns its data. Fails when it arrives twice. */
export async function awaitReply(call: CallTool, messageId: string, deadlineMs = 90_000): Promise<unknown> {
  const deadline = Date.now() + deadlineMs;
  while (Date.now() < deadline) {
    await call('wait_for_messages', { timeoutMs: 5_000 });
    const { messages } = Inbox.parse(await call('get_messages', {}));
    const replies = messages.filter((message) => message.inReplyTo === messageId);
    if (replies.length > 1) throw new Error(`${replies.length} replies to ${messageId}`);
    const [reply] = replies;
    if (reply) {
      await call('mark_messages_read', { messageIds: [reply.id] });
      return reply.data;
    }
  }
  throw new Error(`no reply to ${messageId} within ${deadlineMs} ms`);
}
