/** The key of a model API is used by a contained agent and is nowhere: searched where it could be, for its very text. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { containerOf, docker, insideContainer, removeContainers } from '#e2e/support/containers.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { Agent } from '#shared/agents/model.ts';
import { ModelApi } from '#shared/egress/model.ts';
import { pathsOf } from '#core/paths.ts';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';

const JOURNEY_MS = 240_000;
// Made anew by every run, so that nothing an earlier one left is found.
const KEY = `sk-test-${Array.from({ length: 4 }, () => Math.random().toString(36).slice(2, 10)).join('')}`;

let core: TestCore;
let rest: RestClient;
let folder: string;
let model: Server;
let seen: IncomingHttpHeaders[];

describe.skipIf(ENGINE_MISSING)(`the key of a model API${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  beforeAll(async () => {
    await ensureTestKit();
    folder = await mkdtemp(join(tmpdir(), 'qd-keys-'));
    seen = [];
    model = createServer((request, response) => {
      seen.push(request.headers);
      // One that repeats what it was sent, as some do in their errors.
      response.end(JSON.stringify({ youSent: request.headers }));
    });
    await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
    core = await startCore();
    rest = new RestClient(core);
    await rest.ok('PUT', '/secrets/ANTHROPIC_API_KEY', { value: KEY });
    const { modelApis } = z
      .object({ modelApis: z.array(z.looseObject({ ...ModelApi.shape, hasKey: z.boolean() })) })
      .parse(await rest.ok('GET', '/egress/model-apis'));
    await rest.ok('PUT', '/egress/model-apis', {
      modelApis: modelApis.map(({ hasKey: _hasKey, ...api }) =>
        api.name === 'anthropic' ? { ...api, upstream: `http://127.0.0.1:${(model.address() as AddressInfo).port}` } : api,
      ),
    });
  }, JOURNEY_MS);

  afterAll(async () => {
    model.closeAllConnections();
    model.close();
    expect(await core.stop()).toBe(0);
    await removeContainers(core.dataDir);
    removeDataDir(core.dataDir);
    rmSync(folder, { recursive: true });
  }, 60_000);

  it(
    'is used by an agent in a container, and is in nothing that it or anybody can look at',
    { timeout: JOURNEY_MS },
    async () => {
      const agent = Agent.parse(
        await rest.ok('POST', '/agents', {
          id: 'keyless',
          type: 'command',
          runtime: 'docker',
          login: 'api-key',
          modelApis: ['anthropic'],
          // As a CLI does: the address and the placeholder from its environment, and what came back kept in files.
          command: [
            'sh',
            '-c',
            'curl --silent --fail -H "x-api-key: $ANTHROPIC_API_KEY" "$ANTHROPIC_BASE_URL/v1/messages" | tee /home/agent/answer /tmp/answer /workspace/answer; exec sleep 3600',
          ],
          projectFolder: folder,
        }),
      );
      expect(agent.boundary).toBe('container');
      await vi.waitFor(() => expect(seen).toHaveLength(1), { timeout: 30_000, interval: 50 });
      // It did reach the model, with the real key, having sent the placeholder.
      expect(seen[0]?.['x-api-key']).toBe(KEY);
      const id = await containerOf(core.dataDir, 'keyless');
      await vi.waitFor(async () => expect((await insideContainer(id, 'cat', '/home/agent/answer')).stdout).toContain('youSent'), {
        timeout: 30_000,
        interval: 50,
      });

      const places: Record<string, string> = {
        'the container’s configuration': (await docker('inspect', id)).stdout,
        'the history of its image': (await docker('history', '--no-trunc', await imageOf(id))).stdout,
        'its log': (({ stdout, stderr }) => stdout + stderr)(await docker('logs', id)),
        'its process list': (await docker('top', id, '-eo', 'pid,args')).stdout,
        'the core’s log': core.log(),
        'every process of this machine': processesOf(readdirSync('/proc').filter((name) => /^\d+$/.test(name))),
        'its terminal': JSON.stringify(await rest.ok('GET', '/agents/keyless/terminal?historyLines=1000')),
        'the journal': JSON.stringify(await rest.ok('GET', '/journal?limit=500')),
      };
      // The search itself works: each of these has something that is known to be there.
      expect(places['the container’s configuration']).toContain('keyless');
      expect(places['every process of this machine']).toContain('ANTHROPIC_API_KEY=held-by-the-gateway');
      expect(places['its terminal']).toContain('youSent');
      expect(places['the journal']).toContain('egress.opened');
      for (const [place, text] of Object.entries(places)) expect([place, text.includes(KEY)]).toEqual([place, false]);

      const { dataDir } = core;
      const { socketDir } = pathsOf(dataDir, process.env);
      expect(filesWith('held-by-the-gateway', [folder])).toEqual([]);
      expect(filesWith('egress.opened', [dataDir]).length).toBeGreaterThan(0);
      expect(filesWith(KEY, [dataDir, socketDir, folder])).toEqual([]);
      expect(await filesInsideWith(id, 'youSent')).toEqual(
        expect.arrayContaining(['/home/agent/answer', '/tmp/answer', '/workspace/answer']),
      );
      expect(await filesInsideWith(id, KEY)).toEqual([]);
    },
  );
});

async function imageOf(container: string): Promise<string> {
  return (await docker('inspect', '--format', '{{.Image}}', container)).stdout.trim();
}

/** Environment and arguments of processes; those of others, or gone by now, say nothing. */
function processesOf(pids: readonly string[]): string {
  return pids
    .flatMap((pid) =>
      ['environ', 'cmdline'].map((file) => {
        try {
          return readFileSync(`/proc/${pid}/${file}`, 'latin1');
        } catch {
          return '';
        }
      }),
    )
    .join('\n');
}

/** Files on the host that hold a text, in bytes as they are. */
function filesWith(text: string, folders: readonly string[]): string[] {
  return folders.flatMap((top) =>
    readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name))
      .filter((path) => readFileSync(path).includes(text)),
  );
}

/** Files that hold a text and that the agent can read, in its whole file system, what is mounted included. The text comes by standard input: an argument would be found. */
function filesInsideWith(container: string, text: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', ['exec', '--interactive', container, 'bash', '-c', searchScript()], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let found = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (found += chunk));
    child.once('error', reject);
    child.once('close', () => resolve(found.split('\n').filter((line) => line !== '')));
    child.stdin.end(`${text}\n`);
  });
}

/** Reads the text from its standard input into no file. */
function searchScript(): string {
  return String.raw`read -r text; find / \( -path /proc -o -path /sys -o -path /dev \) -prune -o -type f -readable -print0 2>/dev/null | xargs -0 grep --binary-files=text --files-with-matches --fixed-strings -f <(printf '%s\n' "$text") 2>/dev/null; true`;
}
