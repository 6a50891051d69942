/**
 * For specs: a program that runs as an agent and asks the operator, through the agent interface as any agent would.
 * Its argument is JSON: the questions, asked one after the other, each when the one before was answered.
 * It prints what it is told, so that its terminal shows what reached it.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as z from 'zod';

const Questions = z.array(z.object({ body: z.string(), options: z.array(z.string()).optional() }));
const Sent = z.object({ messageId: z.string() });
const Inbox = z.object({
  messages: z.array(z.object({ id: z.string(), body: z.string(), inReplyTo: z.string().nullable() })),
});

const env = z.object({ QUARTERDECK_AGENT_URL: z.string(), QUARTERDECK_AGENT_TOKEN: z.string() }).parse(process.env);
const client = new Client({ name: 'asking-agent', version: '1' });
await client.connect(
  // The SDK's transport predates exactOptionalPropertyTypes.
  new StreamableHTTPClientTransport(new URL(env.QUARTERDECK_AGENT_URL), {
    requestInit: { headers: { authorization: `Bearer ${env.QUARTERDECK_AGENT_TOKEN}` } },
  }) as Parameters<typeof client.connect>[0],
);

async function call(name: string, args: Record<string, unknown>): Promise<unknown> {
  const { structuredContent } = await client.callTool({ name, arguments: args });
  return structuredContent;
}

console.log('\u001b[32m●\u001b[0m \u001b[1mready to ask\u001b[0m');
for (const { body, options } of Questions.parse(JSON.parse(process.argv[2] ?? '[]'))) {
  const data = options === undefined ? {} : { data: { options } };
  const { messageId } = Sent.parse(await call('send_message', { to: 'operator', kind: 'request', body, ...data }));
  for (let isAnswered = false; !isAnswered;) {
    const { messages } = Inbox.parse(await call('wait_for_messages', { timeoutMs: 20_000 }));
    for (const message of messages) {
      console.log(`was told: ${message.body}`);
      await call('mark_messages_read', { messageIds: [message.id] });
      isAnswered ||= message.inReplyTo === messageId;
    }
  }
}
console.log('no more questions');
// An agent that has said all waits to be stopped.
setInterval(() => undefined, 60_000);
