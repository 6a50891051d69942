/**
 * For the MCP conformance suite only: the server whose tools, resources and prompts the suite calls by name. It stands on the
 * product's own HTTP door, which is what is tested; the product's tools are tested elsewhere.
 */
import type { Server, ServerContext } from '@modelcontextprotocol/server';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { FIXED_TOOLS, FORMS, PICTURE, textResult } from './fixture-contents.ts';
import { registerRounds, verifyState } from './fixture-rounds.ts';

const CACHED = { ttlMs: 60_000, cacheScope: 'private' as const };

/** Makes the fixture's server. */
export function createFixtureServer(): Server {
  const fixture = new McpServer(
    { name: 'conformance-fixture', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: verifyState },
      cacheHints: {
        'tools/list': CACHED,
        'prompts/list': CACHED,
        'resources/list': CACHED,
        'resources/templates/list': CACHED,
        'resources/read': CACHED,
        'server/discover': CACHED,
      },
    },
  );
  registerTools(fixture);
  registerRounds(fixture);
  registerResources(fixture);
  registerPrompts(fixture);
  const { server } = fixture;
  server.setRequestHandler('resources/subscribe', async () => ({}));
  server.setRequestHandler('resources/unsubscribe', async () => ({}));
  server.setRequestHandler('completion/complete', async () => ({ completion: { values: [], total: 0, hasMore: false } }));
  return server;
}

/**
 * A question to the client goes onto the stream of the call that is being answered. Without this the SDK (server 2.4.0: `elicitInput`
 * and `requestSampling` of a call's context too) sends it on the client's stream beside, and drops it while that is not open yet.
 */
const onItsStream = (context: ServerContext): { relatedRequestId: ServerContext['mcpReq']['id'] } => ({
  relatedRequestId: context.mcpReq.id,
});

function registerTools(fixture: McpServer): void {
  const tool = (name: string, run: (context: ServerContext) => Promise<ReturnType<typeof textResult>>): void => {
    fixture.registerTool(name, { description: `Conformance: ${name}`, inputSchema: z.object({}) }, async (_input, context) =>
      run(context),
    );
  };
  for (const [name, result] of Object.entries(FIXED_TOOLS)) tool(name, async () => result);
  tool('test_error_handling', async () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  tool('test_tool_with_logging', async (context) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed'])
      await context.mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
    return textResult('Tool with logging executed successfully');
  });
  tool('test_logging_tool', async (context) => {
    // Sent only to a client that asked for messages of this level.
    await context.mcpReq.log('info', 'A message of the tool');
    return textResult('The tool has logged.');
  });
  tool('test_tool_with_progress', async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken ?? 0;
    for (const progress of [0, 50, 100]) {
      const params = { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` };
      await context.mcpReq.notify({ method: 'notifications/progress', params });
    }
    return textResult(`${progressToken}`);
  });
  tool('test_reconnection', async (context) => {
    // The client comes again for the answer, which the session keeps.
    context.http?.closeSSE?.();
    return textResult('Reconnection test completed successfully.');
  });
  // Each goes with the request that is being answered: what goes beside is lost while nobody listens there.
  fixture.registerTool(
    'test_sampling',
    { description: 'Conformance: sampling', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, context) => {
      const { content } = await context.mcpReq.requestSampling(
        { messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens: 100 },
        onItsStream(context),
      );
      return textResult(`LLM response: ${JSON.stringify(content)}`);
    },
  );
  fixture.registerTool(
    'test_elicitation',
    { description: 'Conformance: elicitation', inputSchema: z.object({ message: z.string() }) },
    async ({ message }, context) => {
      const answer = await context.mcpReq.elicitInput(
        {
          mode: 'form',
          message,
          requestedSchema: { type: 'object', properties: { response: { type: 'string' } }, required: ['response'] },
        },
        onItsStream(context),
      );
      return textResult(`User response: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
    },
  );
  for (const [name, requestedSchema] of Object.entries(FORMS)) {
    tool(name, async (context) => {
      const answer = await context.mcpReq.elicitInput(
        { mode: 'form', message: 'Please fill in the form', requestedSchema },
        onItsStream(context),
      );
      return textResult(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
    });
  }
}

function registerResources(fixture: McpServer): void {
  const fixed = [
    { name: 'static-text', mimeType: 'text/plain', content: { text: 'This is the content of the static text resource.' } },
    { name: 'static-binary', mimeType: 'image/png', content: { blob: PICTURE } },
    { name: 'watched-resource', mimeType: 'text/plain', content: { text: 'Watched resource content' } },
  ];
  for (const { name, mimeType, content } of fixed) {
    const uri = `test://${name}`;
    fixture.registerResource(name, uri, { title: name, description: `Conformance: ${name}`, mimeType }, async () => ({
      contents: [{ uri, mimeType, ...content }],
    }));
  }
  fixture.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { title: 'template', description: 'Conformance: a template', mimeType: 'application/json' },
    async (uri, { id }) => ({
      contents: [
        {
          uri: uri.toString(),
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
}

function registerPrompts(fixture: McpServer): void {
  const said = (text: string) => ({ role: 'user' as const, content: { type: 'text' as const, text } });
  fixture.registerPrompt('test_simple_prompt', { description: 'Conformance: a prompt' }, () => ({
    messages: [said('This is a simple prompt for testing.')],
  }));
  fixture.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'Conformance: a prompt with arguments', argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
    ({ arg1, arg2 }) => ({ messages: [said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  fixture.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Conformance: a prompt with a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
          },
        },
        said('Please process the embedded resource above.'),
      ],
    }),
  );
  fixture.registerPrompt('test_prompt_with_image', { description: 'Conformance: a prompt with a picture' }, () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: PICTURE, mimeType: 'image/png' } },
      said('Please analyze the image above.'),
    ],
  }));
}
