/** What the command line of the desktop app decides. The launcher passes the same options on as the headless host takes. */
import { parseArgs } from 'node:util';
import { resolveDataDir } from '#core/paths.ts';
import { portOption } from '#hosts/headless/port-option.ts';
import { linkIn } from './window-paths.ts';

/** What the command line decides. */
export interface LaunchOptions {
  readonly dataDir: string;
  /** 0 = any; undefined = the usual one. */
  readonly port: number | undefined;
  readonly agentPort: number | undefined;
  readonly bind: string;
  readonly allowHosts: readonly string[];
  /** Stop the agents at the end. */
  readonly shouldStopAgents: boolean;
  /** Print the ready line as JSON on stdout. */
  readonly json: boolean;
  /** A deep link that the app was started with, as it was given; what it names is still to be judged. */
  readonly link: string | undefined;
}

/** Reads the arguments after the program's name. Chromium's own switches are among them and are passed over. */
export function launchOptions(args: readonly string[], env: NodeJS.ProcessEnv): LaunchOptions {
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    options: {
      'data-dir': { type: 'string' },
      port: { type: 'string' },
      'agent-mcp-port': { type: 'string' },
      bind: { type: 'string' },
      'allow-host': { type: 'string', multiple: true },
      'stop-agents': { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    dataDir: resolveDataDir(text(values['data-dir']), env),
    port: portOption('--port', text(values['port']), env['HTTP_PORT']),
    agentPort: portOption('--agent-mcp-port', text(values['agent-mcp-port']), env['AGENT_MCP_PORT']),
    bind: text(values['bind']) ?? '127.0.0.1',
    allowHosts: (Array.isArray(values['allow-host']) ? values['allow-host'] : []).flatMap((name) => text(name) ?? []),
    shouldStopAgents: values['stop-agents'] === true,
    json: values['json'] === true,
    link: linkIn(args),
  };
}
