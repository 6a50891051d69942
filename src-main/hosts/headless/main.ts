/** Entry of the headless host. Options as DESIGN's "start": --port, --agent-mcp-port, --data-dir, --no-open, --json, --bind, --allow-host, --stop-agents. */
import { parseArgs } from 'node:util';
import { resolveDataDir } from '#core/paths.ts';
import { portOption } from './port-option.ts';
import { serve } from './serve.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    'agent-mcp-port': { type: 'string' },
    'data-dir': { type: 'string' },
    'no-open': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    bind: { type: 'string', default: '127.0.0.1' },
    'allow-host': { type: 'string', multiple: true, default: [] },
    'stop-agents': { type: 'boolean', default: false },
    headless: { type: 'boolean', default: true },
  },
});

/** What may take longer after the end is a defect; it must not keep a supervisor waiting. In milliseconds. */
const LINGER_MS = 3_000;

process.exitCode = await serve({
  dataDir: resolveDataDir(values['data-dir'], process.env),
  port: portOption('--port', values.port, process.env['HTTP_PORT']),
  agentPort: portOption('--agent-mcp-port', values['agent-mcp-port'], process.env['AGENT_MCP_PORT']),
  bind: values.bind,
  allowHosts: values['allow-host'],
  json: values.json,
  isOpening: !values['no-open'],
  shouldStopAgents: values['stop-agents'],
});

setTimeout(() => {
  process.stderr.write(`Quarterdeck has ended, but something kept its process: ${process.getActiveResourcesInfo().join(', ')}\n`);
  process.exit();
}, LINGER_MS).unref();
