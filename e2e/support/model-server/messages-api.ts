/**
 * The part of the Messages API that the scripted model reads: what a request says, and what the
 * conversation in it amounts to. The client sends the whole conversation with every request, so
 * nothing about it has to be remembered here.
 */

import * as z from 'zod';

/** Prefix of the ids of the tool calls with which the model server itself loads deferred tools. */
export const LOAD_ID_PREFIX = 'toolu_load_';

const textBlock = z.looseObject({ type: z.literal('text'), text: z.string() });

const toolUseBlock = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
});

const toolResultBlock = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  is_error: z.boolean().optional(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).optional(),
});

/** Kinds of block that the script has no use for: thinking, images, tool references. */
const otherBlock = z.looseObject({ type: z.string() });

const message = z.looseObject({
  // Claude Code 2.1.329 puts `system` messages in the middle of a conversation.
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), z.array(z.union([textBlock, toolUseBlock, toolResultBlock, otherBlock]))]),
});

/** Body of `POST /v1/messages`, as far as it is read here. */
export const messagesRequest = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  max_tokens: z.number().optional(),
  system: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).optional(),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
  messages: z.array(message),
});

export type MessagesRequest = z.infer<typeof messagesRequest>;

/** One tool call of the model with what came back for it. */
export interface ToolResult {
  readonly toolUseId: string;
  /** Full name, for example `mcp__quarterdeck__list_agents`. */
  readonly name: string;
  readonly input: unknown;
  readonly isError: boolean;
  /** The text blocks of the result, joined by line ends. */
  readonly text: string;
  /** `text` read as JSON; undefined when it is none. */
  readonly json: unknown;
}

/** One answer of the model in the conversation so far, with the results of its tool calls. */
export interface AssistantTurn {
  readonly text: string;
  readonly results: readonly ToolResult[];
  /** True when the model server made it to load deferred tools: no turn of the script. */
  readonly isLoad: boolean;
}

/** What the conversation of a request amounts to. */
export interface Conversation {
  /** What the user typed, in order, without what the client adds in `<system-reminder>`. */
  readonly prompts: readonly string[];
  readonly turns: readonly AssistantTurn[];
  /** Text of the `system` messages and reminders: what the client told the model. */
  readonly notices: string;
}

/** Text that Claude Code adds to the user's message; the rest of the block is the user's. */
const REMINDER = /<system-reminder>[\s\S]*?<\/system-reminder>/g;

/** What the client writes under the result of a ToolSearch. */
const TOOL_LOADED = 'Tool loaded.';

/** Reads the conversation out of a request. */
export function readConversation(request: MessagesRequest): Conversation {
  const results = new Map<string, z.infer<typeof toolResultBlock>>();
  for (const { block } of blocksOf(request)) {
    const found = toolResultBlock.safeParse(block);
    if (found.success) results.set(found.data.tool_use_id, found.data);
  }

  const prompts: string[] = [];
  const notices: string[] = [];
  const turns: { texts: string[]; calls: z.infer<typeof toolUseBlock>[] }[] = [];
  let previous: 'assistant' | 'other' = 'other';
  for (const { role, block } of blocksOf(request)) {
    const text = textBlock.safeParse(block).data?.text;
    if (role === 'assistant') {
      // One answer may arrive as several assistant messages in a row.
      if (previous === 'other') turns.push({ texts: [], calls: [] });
      previous = 'assistant';
      const turn = turns.at(-1);
      const call = toolUseBlock.safeParse(block);
      if (call.success) turn?.calls.push(call.data);
      else if (text !== undefined) turn?.texts.push(text);
      continue;
    }
    previous = 'other';
    if (text === undefined) continue;
    if (role === 'system') {
      notices.push(text);
      continue;
    }
    notices.push(...(text.match(REMINDER) ?? []));
    const typed = text.replace(REMINDER, '').trim();
    if (typed !== '' && typed !== TOOL_LOADED) prompts.push(typed);
  }

  return {
    prompts,
    notices: notices.join('\n'),
    turns: turns.map(({ texts, calls }) => ({
      text: texts.join('\n'),
      isLoad: calls.length > 0 && calls.every((call) => call.id.startsWith(LOAD_ID_PREFIX)),
      results: calls.flatMap((call) => {
        const result = results.get(call.id);
        return result === undefined ? [] : [toToolResult(call, result)];
      }),
    })),
  };
}

function* blocksOf(request: MessagesRequest): Generator<{ role: 'user' | 'assistant' | 'system'; block: unknown }> {
  for (const { role, content } of request.messages) {
    if (typeof content === 'string') yield { role, block: { type: 'text', text: content } };
    else for (const block of content) yield { role, block };
  }
}

function toToolResult(call: z.infer<typeof toolUseBlock>, result: z.infer<typeof toolResultBlock>): ToolResult {
  const content = result.content ?? '';
  const text =
    typeof content === 'string' ? content : content.flatMap((block) => textBlock.safeParse(block).data?.text ?? []).join('\n');
  return {
    toolUseId: call.id,
    name: call.name,
    input: call.input,
    isError: result.is_error ?? false,
    text,
    json: parseJson(text),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
