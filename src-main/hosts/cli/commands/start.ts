/** `start` and `serve`: the core itself, in the desktop app or without a window. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import { portOption } from '#hosts/headless/port-option.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag, listFlag } from '../command.ts';
import { findElectron, hasDisplay, installElectron, productRoot, runElectron } from '../desktop.ts';

const ServeOptions = z.object({
  port: z.string().optional(),
  agentMcpPort: z.string().optional(),
  open: z.boolean().default(true),
  bind: z.string().default('127.0.0.1'),
  allowHost: z.array(z.string()).default([]),
  stopAgents: z.boolean().default(false),
});
const StartOptions = ServeOptions.extend({ headless: z.boolean().default(false) });

type Serve = Invocation<z.infer<typeof ServeOptions>>;

async function serveHere(call: Serve): Promise<number> {
  const { options: o, io, out } = call;
  const options = {
    dataDir: call.dataDir,
    port: portOption('--port', o.port, io.env['HTTP_PORT']),
    agentPort: portOption('--agent-mcp-port', o.agentMcpPort, io.env['AGENT_MCP_PORT']),
    bind: o.bind,
    allowHosts: o.allowHost,
    json: out.isJson,
    isOpening: o.open && !out.isJson && hasDisplay(io.env),
    shouldStopAgents: o.stopAgents,
  };
  // Loaded only here: the other commands speak to a core and have no use for its database, terminals and servers.
  const { serve } = await import('#hosts/headless/serve.ts');
  io.takeSignals();
  return serve(options);
}

/** The arguments of the desktop app: the same options, for its own core. */
function electronArgs(root: string, call: Serve): string[] {
  const { options: o } = call;
  return [
    root,
    '--data-dir',
    call.dataDir,
    ...(o.port === undefined ? [] : ['--port', o.port]),
    ...(o.agentMcpPort === undefined ? [] : ['--agent-mcp-port', o.agentMcpPort]),
    ...(o.bind === '127.0.0.1' ? [] : ['--bind', o.bind]),
    ...o.allowHost.flatMap((name) => ['--allow-host', name]),
    ...(o.stopAgents ? ['--stop-agents'] : []),
    ...(call.out.isJson ? ['--json'] : []),
  ];
}

/** Runs the desktop app, fetching its runtime if need be. Its exit code, or why there is no window here. */
async function startDesktop(call: Serve): Promise<number | string> {
  const { io, out } = call;
  const root = productRoot(io.entry);
  if (!existsSync(join(root, 'out', 'main', 'main.js'))) return 'The desktop window is not part of this build';
  if (!hasDisplay(io.env)) return 'There is no display for a window';
  let binary = findElectron(root, io.env);
  if (binary === undefined) {
    out.note('The desktop window needs the Electron runtime, which is not here yet; fetching it …');
    await installElectron(root, io.env);
    binary = findElectron(root, io.env);
  }
  if (binary === undefined) return 'The Electron runtime is not here and could not be fetched';
  io.takeSignals();
  const end = await runElectron(binary, electronArgs(root, call), io.env);
  return 'code' in end ? end.code : `The Electron runtime could not start here (${end.crashed})`;
}

async function start(call: Invocation<z.infer<typeof StartOptions>>): Promise<number> {
  if (call.options.headless) return serveHere(call);
  const outcome = await startDesktop(call);
  if (typeof outcome === 'number') return outcome;
  call.out.note(`${outcome}: Quarterdeck goes on without a window, and you use it in a browser.`);
  return serveHere(call);
}

const SERVE_FLAGS = [
  flag('--port <number>', 'port of the app and the API (default: $HTTP_PORT, else 3000 or the next free one; 0 = any)'),
  flag('--agent-mcp-port <number>', 'port of the interface for agents (default: $AGENT_MCP_PORT, else as before; 0 = any)'),
  flag('--no-open', 'do not open the browser'),
  flag('--bind <address>', 'address to listen on (default: 127.0.0.1)'),
  listFlag('--allow-host <name>', 'accept this Host too, for example of a proxy in front; may be repeated'),
  flag('--stop-agents', 'at the end, stop the agents too'),
];

/** Adds `start` and `serve`. */
export function addStartCommands(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'start',
    summary: 'Start the desktop app, or without a window where there is none',
    details:
      'With --json the one line {"event":"ready", …} is printed on stdout when it is ready; logs go to stderr. SIGTERM and Ctrl-C end it cleanly: agents in tmux keep running.',
    examples: [
      ['quarterdeck start', 'the desktop app'],
      ['quarterdeck start --headless --json --no-open --port 0', 'for a machine: any free port, told on stdout'],
    ],
    flags: [flag('--headless', 'without a window: the app is used in a browser'), ...SERVE_FLAGS],
    options: StartOptions,
    run: start,
  });
  addCommand(program, host, {
    usage: 'serve',
    summary: 'Start without a window: the same as `start --headless`',
    examples: [['quarterdeck serve --data-dir ~/crew --port 4000', 'a second Quarterdeck, with data of its own']],
    flags: SERVE_FLAGS,
    options: ServeOptions,
    run: serveHere,
  });
}
