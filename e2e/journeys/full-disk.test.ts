/** Agents that fill the disk: each is paused by the core before it has it all, says why, and goes on when there is room. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { removeContainers } from '#e2e/support/containers.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { Agent } from '#shared/agents/model.ts';
import { attentionOf } from '#shared/attention/attention.ts';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';

const JOURNEY_MS = 240_000;
const PATIENCE = { timeout: 90_000, interval: 50 };
/** Writes 60 MB, waits until it may go on, and writes more than that. */
const FILLER =
  'fill() { head -c "$2" /dev/zero > "$1"; }; fill one 60000000; while [ ! -e again ]; do sleep 0.1; done; fill two 90000000; exec sleep 3600';

let core: TestCore;
let rest: RestClient;
let folder: string;

beforeAll(async () => {
  if (!ENGINE_MISSING) await ensureTestKit();
  folder = await mkdtemp(join(tmpdir(), 'qd-disk-'));
  const git = (...words: string[]): unknown => execFileSync('git', ['-C', folder, ...words], { stdio: 'ignore' });
  git('init', '-q');
  writeFileSync(join(folder, 'README.md'), 'A project\n');
  git('add', '.');
  git('-c', 'user.name=Test', '-c', 'user.email=test@localhost', 'commit', '-qm', 'Begin');
  core = await startCore();
  rest = new RestClient(core);
}, JOURNEY_MS);

afterAll(async () => {
  expect(await core.stop()).toBe(0);
  if (!ENGINE_MISSING) await removeContainers(core.dataDir);
  removeDataDir(core.dataDir);
  rmSync(folder, { recursive: true });
}, 60_000);

for (const runtime of ['tmux', 'docker'] as const) {
  const missing = runtime === 'docker' && ENGINE_MISSING;
  describe.skipIf(missing)(`an agent that fills the disk, over ${runtime}${missing ? ` (${missing})` : ''}`, () => {
    const id = `filler-${runtime}`;
    const look = async (): Promise<Agent> => Agent.parse(await rest.ok('GET', `/agents/${id}`));
    const held = (): Promise<Agent> =>
      vi.waitFor(async () => {
        const agent = await look();
        expect(agent.state).toMatchObject({ status: 'paused', evidence: { source: 'runtime' } });
        return agent;
      }, PATIENCE);

    it('is paused with the reason, and goes on once there is room', { timeout: JOURNEY_MS }, async () => {
      const started = Agent.parse(
        await rest.ok('POST', '/agents', {
          id,
          type: 'command',
          runtime,
          command: ['sh', '-c', FILLER],
          projectFolder: folder,
          workspace: { mode: 'own' },
          resourceLimits: { disk: '20MB' },
        }),
      );
      expect(started.boundary).toBe(runtime === 'docker' ? 'container' : 'host');
      expect(started.boundaryNote).toMatch(/disk is watched/);
      const full = await held();
      const { detail } = full.state.evidence;
      expect(detail).toMatch(
        /^It uses [\d.]+ MB of disk, and its limit is 20 MB\. Delete files in .*, or raise its disk limit, then resume it\.$/,
      );
      // The operator is told, in the window and on the desktop.
      expect(attentionOf({ agents: { [id]: full }, inbox: [], now: Date.now() })).toMatchObject([
        { kind: 'held', agentId: id, needsOperator: true },
      ]);
      expect(JSON.stringify(await rest.ok('GET', '/journal?limit=100'))).toContain('of disk, and its limit is 20 MB');

      const workspace = /Delete files in (\S+) or /.exec(detail)?.[1] ?? '';
      rmSync(join(workspace, 'one'));
      writeFileSync(join(workspace, 'again'), '');
      await rest.ok('POST', `/agents/${id}/resume`);
      const again = await held();
      expect(again.state.since).toBeGreaterThan(full.state.since);

      // More room is given instead: it is let go on at once, and stays so.
      await rest.ok('PATCH', `/agents/${id}`, { changes: { resourceLimits: { disk: '1GB' } } });
      await rest.ok('POST', `/agents/${id}/resume`);
      expect((await look()).state.status).toBe('working');
    });
  });
}
