/**
 * An agent for specs: asks the operator one question (the argument), prints the number of the message, and waits to be
 * ended. With no argument it ends at once with code 3.
 */
import * as z from 'zod';

const [, , question] = process.argv;
if (question === undefined) process.exit(3);

const { QUARTERDECK_AGENT_URL: url, QUARTERDECK_AGENT_TOKEN: token } = z
  .object({ QUARTERDECK_AGENT_URL: z.string(), QUARTERDECK_AGENT_TOKEN: z.string() })
  .parse(process.env);
const version = '2026-07-28';

process.stdout.write('hello from the agent\n');
const response = await fetch(url, {
  method: 'POST',
  headers: {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': version,
    'mcp-method': 'tools/call',
    'mcp-name': 'send_message',
  },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'send_message',
      arguments: { to: 'operator', kind: 'request', body: question },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': version,
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': { name: 'asking-agent', version: '1' },
      },
    },
  }),
});
if (!response.ok) throw new Error(`the question was not sent: ${response.status} ${await response.text()}`);
setInterval(() => undefined, 60_000);
