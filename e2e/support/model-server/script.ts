/**
 * What the scripted model says next. A script is a list of turns or a function; the place in a
 * list is worked out from the conversation that each request carries, so a repeated request gets
 * the same answer and several agents can share one server, each with its own place.
 */

import * as z from 'zod';
import { LOAD_ID_PREFIX, readConversation } from './messages-api.ts';
import type { Conversation, MessagesRequest, ToolResult } from './messages-api.ts';

/** What the script can look at. */
export interface ScriptContext {
  readonly request: MessagesRequest;
  /** The client's session id (`x-claude-code-session-id`), if it sent one. */
  readonly sessionId: string | undefined;
  readonly conversation: Conversation;
  /** The latest thing that the user typed, or the empty string. */
  readonly prompt: string;
  /** Results of the script's own tool calls, oldest first. */
  readonly results: readonly ToolResult[];
  /**
   * The JSON of the latest result of this tool, parsed with the schema. Throws when the tool was
   * not called, answered with an error or answered something else; that ends the run (see
   * `ModelServer.problems`).
   */
  read<T>(tool: string, schema: z.ZodType<T>): T;
}

/** A value, or a function of the context that gives it; a promise holds the answer back. */
export type Scripted<T> = T | ((context: ScriptContext) => T | Promise<T>);

/**
 * A tool call. A name that starts with a small letter is a tool of the MCP server `quarterdeck`
 * (`list_agents` is `mcp__quarterdeck__list_agents`); full names and the client's own tools, which
 * start with a capital, stay as they are.
 */
export interface ScriptedToolUse {
  readonly name: string;
  readonly input?: Scripted<Readonly<Record<string, unknown>>>;
}

/** Calls one tool, or several at once. */
export interface ToolTurn {
  readonly toolUse: ScriptedToolUse | readonly ScriptedToolUse[];
  /** Says whether the results are what the script waits for; otherwise the turn is played again. Must be pure. */
  readonly until?: (result: ToolResult) => boolean;
  /** How often the turn is played before the run ends with a problem. Default 20. */
  readonly maxTries?: number;
}

/** Says something and ends the turn of the model. With a further user message the script goes on. */
export interface TextTurn {
  readonly text: Scripted<string>;
}

export type Turn = ToolTurn | TextTurn;

/** A list of turns, or a function that decides from the conversation alone. */
export type Script = readonly Turn[] | ((context: ScriptContext) => Turn | Promise<Turn>);

/** A finished answer, ready to be encoded. */
export type Reply =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tools'; readonly calls: readonly { id: string; name: string; input: unknown }[] };

/** Default of `ToolTurn.maxTries`; a `wait_for_messages` of 25 s each would be past any test's time long before. */
const DEFAULT_MAX_TRIES = 20;

/** Full name of a tool as the client knows it. */
export function toolName(name: string): string {
  return /^[a-z]/.test(name) && !name.startsWith('mcp__') ? `mcp__quarterdeck__${name}` : name;
}

/** The next answer of the script. Throws when the script has none: the message says why. */
export async function nextReply(script: Script, request: MessagesRequest, sessionId: string | undefined): Promise<Reply> {
  const conversation = readConversation(request);
  const context = contextOf(request, sessionId, conversation);
  const turn = typeof script === 'function' ? await script(context) : turnAt(script, conversation);
  if ('text' in turn) return { kind: 'text', text: await resolve(turn.text, context) };

  const uses = [turn.toolUse].flat();
  const missing = uses.map((use) => toolName(use.name)).filter((name) => !isLoaded(name, request, conversation));
  if (missing.length > 0) return loadReply(missing, conversation);

  const answered = conversation.turns.length;
  const calls = await Promise.all(
    uses.map(async (use, index) => ({
      id: `toolu_${answered}_${index}`,
      name: toolName(use.name),
      input: await resolve(use.input ?? {}, context),
    })),
  );
  return { kind: 'tools', calls };
}

function contextOf(request: MessagesRequest, sessionId: string | undefined, conversation: Conversation): ScriptContext {
  const results = conversation.turns.filter((turn) => !turn.isLoad).flatMap((turn) => turn.results);
  return {
    request,
    sessionId,
    conversation,
    prompt: conversation.prompts.at(-1) ?? '',
    results,
    read(tool, schema) {
      const name = toolName(tool);
      const result = results.findLast((candidate) => candidate.name === name);
      if (result === undefined) throw new Error(`${name} was not called yet`);
      if (result.isError) throw new Error(`${name} answered with an error: ${result.text}`);
      const parsed = schema.safeParse(result.json);
      if (!parsed.success) throw new Error(`${name} answered ${result.text}: ${parsed.error.message}`);
      return parsed.data;
    },
  };
}

/** Plays the conversation against the list: the first turn that has not been answered yet. */
function turnAt(script: readonly Turn[], conversation: Conversation): Turn {
  let place = 0;
  let tries = 0;
  let last = '';
  for (const { isLoad, results } of conversation.turns) {
    if (isLoad) continue;
    const turn = script[place];
    if (turn !== undefined && 'toolUse' in turn && turn.until !== undefined && !results.every(turn.until)) {
      tries += 1;
      last = results.map((result) => result.text).join('\n');
      if (tries >= (turn.maxTries ?? DEFAULT_MAX_TRIES)) {
        throw new Error(`turn ${place} of the script never got what it waits for; last result: ${last}`);
      }
      continue;
    }
    place += 1;
    tries = 0;
  }
  const turn = script[place];
  if (turn === undefined) throw new Error(`the script has ${script.length} turns and no turn ${place}`);
  return turn;
}

/**
 * Claude Code sends only the names of MCP tools at first; a model has to load a tool with
 * ToolSearch before it can call it, and a call without that fails. Says whether the tool can be
 * called now; throws when the client cannot load it either, as with a server that did not connect.
 */
function isLoaded(name: string, request: MessagesRequest, conversation: Conversation): boolean {
  const offered = (request.tools ?? []).map((tool) => tool.name);
  if (offered.includes(name)) return true;
  const load = conversation.turns.findLast((turn) => turn.isLoad && turn.results.some((result) => asksFor(result, name)));
  if (load === undefined && offered.includes('ToolSearch')) return false;
  const answer = load?.results.map((result) => result.text).join('\n') ?? '';
  throw new Error(`the client has no tool ${name}; it offers ${offered.join(', ')}. ${answer}`.trim());
}

const loadInput = z.looseObject({ query: z.string() });

function asksFor(load: ToolResult, name: string): boolean {
  const query = loadInput.safeParse(load.input).data?.query ?? '';
  return query.replace('select:', '').split(',').includes(name);
}

function loadReply(names: readonly string[], conversation: Conversation): Reply {
  const distinct = [...new Set(names)];
  return {
    kind: 'tools',
    calls: [
      {
        id: `${LOAD_ID_PREFIX}${conversation.turns.length}`,
        name: 'ToolSearch',
        input: { query: `select:${distinct.join(',')}`, max_results: distinct.length },
      },
    ],
  };
}

async function resolve<T>(value: Scripted<T>, context: ScriptContext): Promise<T> {
  return isFunction(value) ? await value(context) : value;
}

function isFunction<T>(value: Scripted<T>): value is (context: ScriptContext) => T | Promise<T> {
  return typeof value === 'function';
}
