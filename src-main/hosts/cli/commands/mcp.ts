/** `mcp` and `agent-mcp`: the MCP interfaces on standard input and output. */
import type { Command } from 'commander';
import * as z from 'zod';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import { CliError, usageError } from '../cli-error.ts';
import { findCore, NOT_RUNNING, readRunFile } from '../core-address.ts';
import type { McpTarget } from '../mcp/http-exchange.ts';
import { runStdioProxy } from '../mcp/stdio-proxy.ts';
import { agentId } from './agents.ts';

const McpOptions = z.object({ tools: z.enum(['core', 'full']).default('core') });

async function manage(call: Invocation<z.infer<typeof McpOptions>>): Promise<void> {
  const { io } = call;
  await call.ensureCore();
  const target = async (): Promise<McpTarget> => {
    const { mcpUrl, token } = await findCore(call.choice);
    const url = new URL(mcpUrl);
    if (call.options.tools === 'full') url.searchParams.set('tools', 'full');
    return { url: url.href, headers: { authorization: `Bearer ${token}`, 'x-quarterdeck-folder': encodeURIComponent(io.cwd) } };
  };
  await runStdioProxy({ input: io.stdin, output: io.stdout, target });
}

async function agent(call: Invocation<{ agent: string }>): Promise<void> {
  const { io } = call;
  const id = agentId(call.options.agent);
  const self = io.env['QUARTERDECK_AGENT_ID'];
  if (self !== undefined && self !== id) throw usageError(`--agent: this is the environment of ${self}, not of ${id}.`);
  const token = io.env['QUARTERDECK_AGENT_TOKEN'] ?? '';
  if (token === '')
    throw new CliError(
      'UNAUTHORIZED',
      `QUARTERDECK_AGENT_TOKEN is not set: only an agent itself speaks on its interface. It is set in the environment of every agent that Quarterdeck starts.`,
    );
  const stated = io.env['QUARTERDECK_AGENT_URL'] ?? '';
  const target = async (): Promise<McpTarget> => {
    const url = stated !== '' ? stated : (await readRunFile(call.dataDir, io.env))?.agentMcpUrl;
    if (url === undefined) throw new CliError('NOT_RUNNING', NOT_RUNNING);
    return { url, headers: { authorization: `Bearer ${token}` } };
  };
  await runStdioProxy({ input: io.stdin, output: io.stdout, target });
}

/** Adds `mcp` and `agent-mcp`. */
export function addMcpCommands(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'mcp',
    summary: 'Management MCP on standard input and output, for Claude Code and other clients',
    details:
      'Uses the running core, or starts one in the background; goes on when the core is restarted. Spawned agents work on the folder that the client started it in.',
    examples: [['claude mcp add quarterdeck -- quarterdeck mcp', 'lets Claude Code manage agents']],
    flags: [flag('--tools <set>', 'core: the tools chosen for a model; full: all of them').choices(['core', 'full'])],
    options: McpOptions,
    run: manage,
  });
  addCommand(program, host, {
    usage: 'agent-mcp',
    summary: "An agent's own MCP interface on standard input and output",
    details:
      'For agents whose client cannot speak HTTP. Reads QUARTERDECK_AGENT_TOKEN and QUARTERDECK_AGENT_URL, which every agent has in its environment.',
    flags: [flag('--agent <id>', 'the agent').makeOptionMandatory()],
    options: z.object({ agent: z.string() }),
    run: agent,
  });
}
