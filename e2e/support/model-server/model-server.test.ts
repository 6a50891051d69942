import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { startModelServer } from './model-server.ts';
import type { ModelServer } from './model-server.ts';
import type { Script } from './script.ts';

let server: ModelServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const TOOLS = [{ name: 'ToolSearch' }, { name: 'mcp__quarterdeck__list_agents' }, { name: 'Bash' }];

const answerBody = z.object({
  stop_reason: z.string(),
  content: z.array(z.looseObject({ type: z.string() })),
});

/** A client of the API that keeps the conversation, as Claude Code does. */
class Client {
  readonly messages: { role: string; content: unknown }[] = [];

  say(text: string): this {
    this.messages.push({ role: 'user', content: text });
    return this;
  }

  answerTools(content: (call: { id: string; name: string; input: unknown }) => string): this {
    const call = z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() });
    const calls = z.array(call).parse(this.messages.at(-1)?.content);
    this.messages.push({
      role: 'user',
      content: calls.map((one) => ({ type: 'tool_result', tool_use_id: one.id, content: content(one) })),
    });
    return this;
  }

  async ask(tools: readonly { name: string }[] = TOOLS): Promise<z.infer<typeof answerBody>> {
    const response = await this.post({ tools });
    const body = answerBody.parse(await response.json());
    this.messages.push({ role: 'assistant', content: body.content });
    return body;
  }

  async post(fields: Record<string, unknown>): Promise<Response> {
    return await fetch(`${server?.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 100, messages: this.messages, ...fields }),
    });
  }
}

async function start(script: Script): Promise<Client> {
  server = await startModelServer({ script });
  return new Client();
}

describe('startModelServer', () => {
  it('plays the turns in order, with the results of earlier calls at hand', async () => {
    const client = await start([
      { toolUse: { name: 'list_agents' } },
      {
        toolUse: {
          name: 'Bash',
          input: (context) => ({ command: context.read('list_agents', z.object({ ids: z.array(z.string()) })).ids[0] }),
        },
      },
      { text: (context) => `${context.prompt}: ${context.results.map((result) => result.text).join(' ')}` },
      { text: 'bye' },
    ]);
    client.say('go');
    expect(await client.ask()).toEqual({
      stop_reason: 'tool_use',
      content: [{ type: 'tool_use', id: 'toolu_0_0', name: 'mcp__quarterdeck__list_agents', input: {} }],
    });
    client.answerTools(() => '{"ids":["a1"]}');
    expect((await client.ask()).content).toMatchObject([{ name: 'Bash', input: { command: 'a1' } }]);
    client.answerTools(() => 'made');
    expect(await client.ask()).toEqual({
      stop_reason: 'end_turn',
      content: [{ type: 'text', text: 'go: {"ids":["a1"]} made' }],
    });
    client.say('and now?');
    expect((await client.ask()).content).toEqual([{ type: 'text', text: 'bye' }]);
    expect(server?.problems).toEqual([]);
  });

  it('answers a repeated request in the same way', async () => {
    const client = await start([{ text: 'first' }, { text: 'second' }]);
    client.say('go');
    const twice = [await client.post({ tools: TOOLS }), await client.post({ tools: TOOLS })];
    for (const response of twice) {
      expect(answerBody.parse(await response.json()).content).toEqual([{ type: 'text', text: 'first' }]);
    }
  });

  it('repeats a turn until its result is there, and gives up after maxTries', async () => {
    const client = await start([
      { toolUse: { name: 'list_agents' }, until: (result) => result.text === 'ready', maxTries: 3 },
      { text: 'seen' },
    ]);
    client.say('go');
    await client.ask();
    client.answerTools(() => 'not yet');
    expect((await client.ask()).stop_reason).toBe('tool_use');
    client.answerTools(() => 'ready');
    expect((await client.ask()).content).toEqual([{ type: 'text', text: 'seen' }]);

    const unlucky = new Client().say('go');
    for (let round = 0; round < 3; round += 1) {
      await unlucky.ask();
      unlucky.answerTools(() => 'not yet');
    }
    expect((await unlucky.post({ tools: TOOLS })).status).toBe(400);
    expect(server?.problems).toEqual(['turn 0 of the script never got what it waits for; last result: not yet']);
  });

  it('loads a deferred tool before it calls it, and says so when there is none', async () => {
    const client = await start([{ toolUse: { name: 'list_agents' } }, { text: 'done' }]);
    client.say('go');
    expect((await client.ask([{ name: 'ToolSearch' }])).content).toMatchObject([
      { name: 'ToolSearch', input: { query: 'select:mcp__quarterdeck__list_agents', max_results: 1 } },
    ]);
    client.answerTools(() => 'No matching deferred tools found');
    expect((await client.post({ tools: [{ name: 'ToolSearch' }] })).status).toBe(400);
    expect(server?.problems).toEqual([
      'the client has no tool mcp__quarterdeck__list_agents; it offers ToolSearch. No matching deferred tools found',
    ]);
    expect((await client.ask()).content).toMatchObject([{ name: 'mcp__quarterdeck__list_agents' }]);
    client.answerTools(() => '{}');
    expect((await client.ask()).content).toEqual([{ type: 'text', text: 'done' }]);
  });

  it('takes a function as script, and holds the answer back until its promise settles', async () => {
    const gate = Promise.withResolvers<string>();
    const client = await start((context) => ({ text: async () => `${context.prompt} ${await gate.promise}` }));
    client.say('one').say('two');
    const answer = client.ask();
    gate.resolve('open');
    expect((await answer).content).toEqual([{ type: 'text', text: 'two open' }]);
  });

  it('streams the events of the Messages API', async () => {
    const long = `${'x'.repeat(199)}😀 and more`;
    const client = await start([{ text: long }]);
    const response = await client.say('go').post({ tools: TOOLS, stream: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const events = (await response.text())
      .trimEnd()
      .split('\n\n')
      .map((event) => {
        const [name, data] = event.split('\n');
        const parsed = z
          .looseObject({ type: z.string(), delta: z.looseObject({ text: z.string().optional() }).optional() })
          .parse(JSON.parse(data?.replace('data: ', '') ?? ''));
        expect(name).toBe(`event: ${parsed.type}`);
        return parsed;
      });
    expect(events.map((event) => event.type)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(events.map((event) => event.delta?.text ?? '').join('')).toBe(long);
  });

  it('answers background requests without touching the script, and refuses everything else', async () => {
    const client = await start([{ text: 'mine' }]);
    client.say('a title, please');
    const background = [await client.post({}), await client.post({ tools: TOOLS, model: 'claude-haiku-4-5' })];
    for (const response of background) {
      expect(answerBody.parse(await response.json()).content).toEqual([{ type: 'text', text: 'ok' }]);
    }
    const count = await fetch(`${server?.url}/v1/messages/count_tokens?beta=true`, { method: 'POST', body: '{}' });
    expect(await count.json()).toEqual({ input_tokens: 1 });
    expect((await fetch(`${server?.url}/api/hello`)).status).toBe(404);
    expect((await client.post({ messages: 'none' })).status).toBe(400);
    expect(server?.requests.map((request) => request.kind)).toEqual([
      'background',
      'background',
      'background',
      'unknown',
      'unknown',
    ]);
    expect(server?.problems).toHaveLength(1);
  });

  it('names a script that has run out and a result that is not there', async () => {
    const client = await start([{ text: (context) => String(context.read('list_agents', z.string())) }]);
    expect((await client.say('go').post({ tools: TOOLS })).status).toBe(400);
    client.messages.push({ role: 'assistant', content: 'x' });
    expect((await client.say('again').post({ tools: TOOLS })).status).toBe(400);
    expect(server?.problems).toEqual([
      'mcp__quarterdeck__list_agents was not called yet',
      'the script has 1 turns and no turn 1',
    ]);
  });
});
