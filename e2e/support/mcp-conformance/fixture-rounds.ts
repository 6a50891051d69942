/** Tools of the conformance fixture that need input from the client, in the form of protocol 2026-07-28: more than one round. */
import { randomBytes } from 'node:crypto';
import type { CallToolResult, InputRequests, InputRequiredResult, McpServer, ServerContext } from '@modelcontextprotocol/server';
import { acceptedContent, createRequestStateCodec, inputRequired } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { textResult } from './fixture-contents.ts';

/** Seals what travels through the client from round to round. */
const STATES = createRequestStateCodec<{ round: number }>({ key: randomBytes(32) });

/** Opens it again: for the server's options, so that a forged one never reaches a tool. */
export const verifyState = (state: string, context: ServerContext): Promise<{ round: number }> => STATES.verify(state, context);

type Outcome = CallToolResult | InputRequiredResult;

const form = (message: string, field: string, type: 'string' | 'boolean' = 'string') =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [field]: type === 'boolean' ? { type } : { type } }, required: [field] },
  });
const sampling = (text: string) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens: 100 });
const responses = (context: ServerContext): Record<string, unknown> => context.mcpReq.inputResponses ?? {};
const has = (context: ServerContext, keys: readonly string[]): boolean => keys.every((key) => key in responses(context));

/** Asks until every response is there. */
function ask(context: ServerContext, inputRequests: InputRequests, answer: () => string): Outcome {
  return has(context, Object.keys(inputRequests)) ? textResult(answer()) : inputRequired({ inputRequests });
}

const Name = z.object({ name: z.string() });
const Envelope = z.object({ 'io.modelcontextprotocol/clientCapabilities': z.record(z.string(), z.unknown()).default({}) });

/** Registers them. */
export function registerRounds(server: McpServer): void {
  const tool = (name: string, run: (context: ServerContext) => Outcome | Promise<Outcome>): void => {
    server.registerTool(name, { description: `Conformance: ${name}`, inputSchema: z.object({}) }, async (_input, context) =>
      run(context),
    );
  };

  tool('test_input_required_result_elicitation', (context) => {
    const user = acceptedContent(responses(context), 'user_name', Name);
    if (user !== undefined) return textResult(`Hello, ${user.name}!`);
    return inputRequired({ inputRequests: { user_name: form('What is your name?', 'name') } });
  });
  tool('test_streaming_elicitation', (context) =>
    ask(context, { user_name: form('What is your name?', 'name') }, () => 'The input was received.'),
  );
  tool('test_input_required_result_sampling', (context) =>
    ask(context, { capital_question: sampling('What is the capital of France?') }, () =>
      JSON.stringify(responses(context)['capital_question']),
    ),
  );
  tool('test_input_required_result_list_roots', (context) =>
    ask(context, { client_roots: inputRequired.listRoots() }, () => JSON.stringify(responses(context)['client_roots'])),
  );
  tool('test_input_required_result_request_state', async (context) => {
    if (context.mcpReq.requestState() !== undefined && has(context, ['confirm'])) return textResult('state-ok');
    return inputRequired({
      inputRequests: { confirm: form('Please confirm', 'ok', 'boolean') },
      requestState: await STATES.mint({ round: 1 }),
    });
  });
  tool('test_input_required_result_multiple_inputs', async (context) => {
    if (has(context, ['user_name', 'greeting', 'client_roots'])) return textResult('All inputs received.');
    return inputRequired({
      inputRequests: {
        user_name: form('What is your name?', 'name'),
        greeting: sampling('Generate a greeting'),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await STATES.mint({ round: 1 }),
    });
  });
  tool('test_input_required_result_multi_round', async (context) => {
    const { round } = context.mcpReq.requestState<{ round: number }>() ?? { round: 0 };
    if (round >= 2 && has(context, ['step2'])) return textResult('Both rounds are complete.');
    if (round >= 1 && (round >= 2 || has(context, ['step1']))) {
      return inputRequired({
        inputRequests: { step2: form('Step 2: What is your favorite color?', 'color') },
        requestState: await STATES.mint({ round: 2 }),
      });
    }
    return inputRequired({
      inputRequests: { step1: form('Step 1: What is your name?', 'name') },
      requestState: await STATES.mint({ round: 1 }),
    });
  });
  tool('test_input_required_result_tampered_state', async (context) => {
    if (context.mcpReq.requestState() !== undefined && has(context, ['confirm'])) return textResult('integrity-ok');
    return inputRequired({
      inputRequests: { confirm: form('Please confirm', 'ok', 'boolean') },
      requestState: await STATES.mint({ round: 1 }),
    });
  });
  tool('test_input_required_result_capabilities', (context) => {
    if (Object.keys(responses(context)).length > 0) return textResult('Input received.');
    const declared = Envelope.parse(context.mcpReq.envelope ?? {})['io.modelcontextprotocol/clientCapabilities'];
    return inputRequired({
      inputRequests: {
        ...('sampling' in declared ? { sample: sampling('What is the capital of France?') } : {}),
        ...('elicitation' in declared ? { ask: form('What is your name?', 'name') } : {}),
      },
      requestState: 'none',
    });
  });
  tool('test_missing_capability', (context) =>
    ask(context, { sample: sampling('What is the capital of France?') }, () => 'The capability was there.'),
  );

  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Conformance: a prompt that needs input', argsSchema: z.object({}) },
    (_input, context) => {
      if (!has(context, ['user_context']))
        return inputRequired({ inputRequests: { user_context: form('What context should the prompt use?', 'context') } });
      return {
        messages: [{ role: 'user', content: { type: 'text', text: JSON.stringify(responses(context)['user_context']) } }],
      };
    },
  );
}
