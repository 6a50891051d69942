/** For measurements: a core with a fleet of real tmux agents whose tokens the load driver uses. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';

/** An agent that the driver speaks as. */
export interface FleetAgent {
  readonly id: string;
  readonly token: string;
}

/** Hands its token over and then does nothing: what is measured is the core. */
const SCRIPT = 'umask 077; printf %s "$QUARTERDECK_AGENT_TOKEN" > "tokens/$QUARTERDECK_AGENT_ID"; exec sleep 1000000';

/** Starts `count` agents, some at a time, and waits until each has handed over its token. */
export async function startFleet(core: TestCore, count: number): Promise<FleetAgent[]> {
  const folder = join(core.dataDir, 'bench-project');
  mkdirSync(join(folder, 'tokens'), { recursive: true });
  const rest = new RestClient(core);
  const ids = Array.from({ length: count }, (_, index) => `bench-${index}`);
  for (let from = 0; from < ids.length; from += 10) {
    await Promise.all(
      ids
        .slice(from, from + 10)
        .map((id) => rest.ok('POST', '/agents', { id, type: 'command', command: ['sh', '-c', SCRIPT], projectFolder: folder })),
    );
  }
  return Promise.all(ids.map(async (id) => ({ id, token: await tokenIn(join(folder, 'tokens', id)) })));
}

async function tokenIn(file: string): Promise<string> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    try {
      const token = readFileSync(file, 'utf8');
      if (token !== '') return token;
    } catch {
      // Not written yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${file} never appeared`);
}
