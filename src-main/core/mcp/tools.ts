/** MCP tools, generated from the contract: what a role may call, named and described as the contract says. */
import type { CallToolResult, Tool } from '@modelcontextprotocol/server';
import { audienceOf, isCoreTool, refusalFor } from '#shared/auth/authorise.ts';
import type { Role } from '#shared/auth/model.ts';
import { RISKS } from '#shared/auth/model.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import { isWireError } from '#core/rpc/errors.ts';
import type { OnRefused } from '#core/rpc/refusals.ts';
import type { RoutedProcedure, Rpc } from '#core/rpc/router.ts';
import type { Caller } from '#core/caller.ts';

/** Which tools are listed: the few that a model needs, or all. */
export type Toolset = 'core' | 'full';

/** From this risk on a tool is marked as destructive. */
const DESTRUCTIVE_FROM = RISKS.indexOf('HIGH');

/** The tools of one role and toolset. */
interface Listing {
  readonly tools: Tool[];
  readonly procedures: ReadonlyMap<string, RoutedProcedure>;
}

/** The tools of each role, made when they are first asked for. */
export class ToolTable {
  readonly rpc: Rpc;
  readonly #onRefused: OnRefused | undefined;
  readonly #listings = new Map<string, Listing>();

  /** `onRefused` is told when somebody calls a command that is not his. */
  constructor(rpc: Rpc, onRefused?: OnRefused) {
    this.rpc = rpc;
    this.#onRefused = onRefused;
  }

  /** The tools of a role, in the order of the contract. */
  list(role: Role, toolset: Toolset): Tool[] {
    return this.#listing(role, toolset).tools;
  }

  /** The procedure behind a tool that this role may call, whatever toolset is listed; undefined for any other name. */
  find(role: Role, tool: string): RoutedProcedure | undefined {
    return this.#listing(role, 'full').procedures.get(tool);
  }

  /** Why there is no such tool for a caller. A command of others is written down as refused. */
  async refuse(caller: Caller, tool: string): Promise<string> {
    const none = `There is no tool "${tool.slice(0, 100)}" for you. tools/list names those there are.`;
    // Who has no token is told nothing of what there is.
    if (caller.role === 'applicant') return none;
    const procedure = this.rpc.procedures.find(({ meta }) => meta.tool === tool);
    const refusal = procedure && refusalFor(caller.role, procedure.meta);
    if (!procedure || !refusal) return none;
    if (!procedure.meta.isReadOnly) await this.#onRefused?.(caller, procedure.name, refusal.reason);
    return `${none} It ${refusal.reason}.`;
  }

  #listing(role: Role, toolset: Toolset): Listing {
    const key = `${role} ${toolset}`;
    let listing = this.#listings.get(key);
    if (listing === undefined) {
      const procedures = this.rpc.procedures.filter((procedure) => isListed(procedure, role, toolset));
      listing = {
        tools: procedures.map(toTool),
        procedures: new Map(procedures.map((procedure) => [procedure.meta.tool ?? '', procedure])),
      };
      this.#listings.set(key, listing);
    }
    return listing;
  }
}

/** Calls a tool. Failures are results that a model can read and act on, not protocol errors. */
export async function callTool(
  rpc: Rpc,
  procedure: RoutedProcedure,
  input: unknown,
  caller: Caller,
  signal: AbortSignal,
): Promise<CallToolResult> {
  try {
    const output = await rpc.invoke(procedure.name, input ?? {}, caller, signal);
    const content = toJsonObject(output);
    return { content: [{ type: 'text', text: JSON.stringify(content) }], structuredContent: content };
  } catch (error) {
    const failure = isWireError(error)
      ? { code: error.code, message: error.message, ...(hasFacts(error.data) ? { data: error.data } : {}) }
      : { code: 'INTERNAL', message: messageOf(error) };
    const facts = 'data' in failure ? ` ${JSON.stringify(failure.data)}` : '';
    return {
      isError: true,
      content: [{ type: 'text', text: `${failure.code}: ${failure.message}${facts}` }],
      structuredContent: { error: failure },
    };
  }
}

function isListed({ meta }: RoutedProcedure, role: Role, toolset: Toolset): boolean {
  if (meta.tool === undefined || (toolset === 'core' && !isCoreTool(meta, audienceOf(role)))) return false;
  return (meta.audience === 'both' || meta.audience === audienceOf(role)) && refusalFor(role, meta) === undefined;
}

function toTool({ meta, route, inputSchema }: RoutedProcedure): Tool {
  const { $schema: _dialect, ...schema } = inputSchema;
  return {
    name: meta.tool ?? '',
    title: route.summary,
    description: route.description,
    inputSchema: { ...schema, type: 'object' },
    annotations: {
      title: route.summary,
      readOnlyHint: meta.isReadOnly,
      destructiveHint: !meta.isReadOnly && RISKS.indexOf(meta.risk) >= DESTRUCTIVE_FROM,
      idempotentHint: meta.isReadOnly || 'idempotencyKey' in ((inputSchema['properties'] as object | undefined) ?? {}),
      openWorldHint: false,
    },
  };
}

function toJsonObject(output: unknown): Record<string, unknown> {
  return typeof output === 'object' && output !== null && !Array.isArray(output) ? { ...output } : { result: output };
}

function hasFacts(data: unknown): data is object {
  return typeof data === 'object' && data !== null && Object.keys(data).length > 0;
}
