/**
 * For tests of kill -9: as much of a core as the gateway sees. Serves agent `a1`, stores the log of connections, and answers at
 * an agent port with its own name. Arguments: data folder, folder of sockets, name, rules.
 */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { openTestStore } from '#core/testing/open-store.ts';
import { EgressService } from '../egress-service.ts';
import { madeAgent } from './made-agent.ts';

const [dir = '', sockets = '', name = '', ...rules] = process.argv.slice(2);
const { store, journal } = openTestStore({ dir });
const agent = madeAgent('a1', { egress: { mode: 'deny', rules } });
const socketDir = join(sockets, 'a1');
mkdirSync(socketDir, { recursive: true, mode: 0o700 });
const say = (facts: Readonly<Record<string, unknown>>, message: string): void =>
  void process.stderr.write(`${name}: ${message} ${JSON.stringify(facts)}\n`);

const egress = new EgressService({
  store,
  program: {
    argv: [process.execPath, new URL('../../../guests/gateway/main.ts', import.meta.url).pathname],
    socketDir: sockets,
    eventLog: join(dir, 'egress.jsonl'),
    logFile: join(dir, 'gateway.log'),
    version: '1.0.0',
    env: process.env,
  },
  coreId: name,
  word: 'a word that core and gateway know',
  agentOf: () => agent,
  agents: () => [agent],
  isRunning: () => true,
  configure: () => Promise.resolve(agent),
  reveal: () => 'a-key',
  onCommitted: (listener) => journal.onCommitted(listener),
  log: { info: say, warn: say, error: say },
});

const port = createServer((_request, response) => response.end(name));
port.listen(0, '127.0.0.1', () => {
  const address = port.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  egress
    .open({ agentUrl: url })
    .then(() => egress.serve(agent, { socketDir, owner: null }))
    .then(() => process.stdout.write('ready\n'))
    .catch((error: unknown) => {
      say({ err: String(error) }, 'it could not serve');
      process.exit(1);
    });
});
