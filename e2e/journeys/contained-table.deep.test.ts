/**
 * No way of starting, changing or finding an agent again loses its boundary: a table over all of them. What cannot keep it fails
 * with the reason, and no process of the agent is ever seen outside of its box.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { BOXES, HOST_SPACES, noting, processesOfAgent, startsNoted } from '#e2e/support/box-witness.ts';
import { containerOf, docker, removeContainers } from '#e2e/support/containers.ts';
import type { StartCoreOptions, TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { Agent } from '#shared/agents/model.ts';
import { pathsOf } from '#core/paths.ts';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';

const ROW_MS = 120_000;
const WITHIN = { timeout: 30_000, interval: 50 };

const Inspected = z
  .tuple([
    z.object({
      State: z.object({ Pid: z.number() }),
      HostConfig: z.object({
        NetworkMode: z.string(),
        PidMode: z.string(),
        IpcMode: z.string(),
        Privileged: z.boolean(),
        ReadonlyRootfs: z.boolean(),
        CapAdd: z.array(z.string()).nullable(),
        CapDrop: z.array(z.string()),
        SecurityOpt: z.array(z.string()),
      }),
      Mounts: z.array(z.object({ Source: z.string(), Destination: z.string(), RW: z.boolean() })),
    }),
  ])
  .transform(([one]) => one);

/** Changes of a running agent's configuration, one for each field that may be changed then. */
const CHANGES = {
  capabilities: ['typescript'],
  maxConcurrentTasks: 2,
  resourceLimits: { memory: '256MB' },
  environment: { SOME_NAME: 'some value' },
  workspace: { mode: 'shared' },
  login: 'subscription',
  modelApis: ['anthropic'],
  egress: { mode: 'learn', rules: ['example.org:443:tls'] },
  setup: 'true',
  description: 'changed',
} as const;
/** Fields that make the box: changed only while nothing runs, and never by another command. */
const FIXED = {
  docker: [{ runtime: 'tmux' }, { runtime: 'pty' }, { image: 'another:1' }],
  bubblewrap: [{ sandbox: 'none' }, { runtime: 'docker', sandbox: 'none' }, { runtime: 'pty' }],
} as const;
/** Fields that are no setting. */
const NO_SETTINGS = ['id', 'projectId', 'type', 'command', 'runtime', 'sandbox'];

for (const { kind, boundary, draft, missing } of BOXES) {
  describe.skipIf(missing)(`an agent in ${kind}${missing ? ` (${missing})` : ''}`, () => {
    // Other specs run beside this one, and their agents have names, too.
    const id = `kept-${Math.random().toString(36).slice(2, 8)}`;
    let dataDir: string;
    let folder: string;
    let core: TestCore;
    let rest: RestClient;
    const others: string[] = [];

    const agentOf = async (name: string): Promise<Agent> => Agent.parse(await rest.ok('GET', `/agents/${name}`));
    const boxed = (name: string, more: object = {}): object => ({
      id: name,
      type: 'command',
      command: noting(name),
      projectFolder: folder,
      ...draft,
      ...more,
    });
    const next = (name: string): string => {
      others.push(`${id}-${name}`);
      return `${id}-${name}`;
    };
    const begin = async (options: StartCoreOptions = {}): Promise<void> => {
      core = await startCore({ dataDir, ...options });
      rest = new RestClient(core);
    };

    /** Nothing of an agent is, or ever was, outside of its box. Those that make the box from outside are no part of it. */
    const expectNothingOutside = async (name: string): Promise<void> => {
      const seen = processesOfAgent(name);
      expect(seen.filter(({ pidSpace, netSpace }) => pidSpace === HOST_SPACES[0] || netSpace === HOST_SPACES[1])).toEqual([]);
      for (const start of startsNoted(folder, name)) for (const space of HOST_SPACES) expect(start).not.toContain(space);
      if (kind !== 'docker' || seen.length === 0) return;
      const { State, HostConfig, Mounts } = Inspected.parse(
        JSON.parse((await docker('inspect', await containerOf(dataDir, name))).stdout),
      );
      const [spaces] = processesOfAgent(name).map(({ pidSpace }) => pidSpace);
      expect(new Set(seen.map(({ pidSpace }) => pidSpace))).toEqual(new Set([spaces]));
      expect(State.Pid).toBeGreaterThan(0);
      expect(HostConfig).toMatchObject({ NetworkMode: 'none', PidMode: '', IpcMode: 'private', Privileged: false });
      expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapAdd: null, CapDrop: ['ALL'] });
      expect(HostConfig.SecurityOpt).toEqual(['no-new-privileges:true']);
      const writable = Mounts.filter(({ RW }) => RW).map(({ Destination }) => Destination);
      expect(writable.toSorted()).toEqual(['/home/agent', '/run/agent', '/workspace']);
      const sockets = join(pathsOf(dataDir, process.env).socketDir, name);
      const allowed = [folder, join(dataDir, 'agents', name, 'home'), sockets, join(sockets, 'own')];
      for (const { Source, Destination } of Mounts.filter(({ Destination: at }) => !at.startsWith('/opt/')))
        expect([Destination, allowed.includes(Source)]).toEqual([Destination, true]);
    };

    /** The agent runs, in its box. */
    const expectKept = async (name: string): Promise<void> => {
      const agent = await agentOf(name);
      expect([agent.boundary, agent.state.status]).toEqual([boundary, 'working']);
      await vi.waitFor(() => expect(processesOfAgent(name).length).toBeGreaterThan(0), WITHIN);
      await expectNothingOutside(name);
    };

    /** It does not start, says why, and nothing of it runs anywhere. */
    const expectRefused = async (name: string, answer: { status: number; body: unknown }, reason: RegExp): Promise<void> => {
      expect([answer.status, JSON.stringify(answer.body)]).toEqual([503, expect.stringMatching(reason)]);
      const agent = await agentOf(name);
      expect(agent.boundary).toBe(boundary);
      expect(agent.state).toMatchObject({ status: 'failed' });
      expect(JSON.stringify(agent.state)).toMatch(reason);
      expect(processesOfAgent(name)).toEqual([]);
      expect(startsNoted(folder, name)).toEqual([]);
    };

    beforeAll(async () => {
      if (kind === 'docker') await ensureTestKit();
      dataDir = makeDataDir();
      folder = mkdtempSync(join(tmpdir(), 'qd-table-'));
      await begin();
      await rest.ok('POST', '/agents', boxed(id));
    }, 240_000);

    afterEach(async () => {
      for (const name of others) await expectNothingOutside(name);
    });

    afterAll(async () => {
      expect(await core.stop()).toBe(0);
      expect(processesOfAgent(id)).toEqual([]);
      if (kind === 'docker') await removeContainers(dataDir);
      removeDataDir(dataDir);
      rmSync(folder, { recursive: true, force: true });
    }, 60_000);

    const steps: Record<string, () => Promise<unknown>> = {
      'a start': () => Promise.resolve(),
      'a start of one that runs': () => rest.ok('POST', `/agents/${id}/start`, {}),
      'a stop and a start': async () => {
        await rest.ok('POST', `/agents/${id}/stop`, { graceMs: 0 });
        expect(processesOfAgent(id)).toEqual([]);
        await rest.ok('POST', `/agents/${id}/start`, {});
      },
      'a restart': () => rest.ok('POST', `/agents/${id}/restart`, { graceMs: 0 }),
      'a pause and its end': async () => {
        await rest.ok('POST', `/agents/${id}/pause`, {});
        await expectNothingOutside(id);
        await rest.ok('POST', `/agents/${id}/resume`, {});
      },
      'a change of every setting, and a restart with all of them': async () => {
        const { config } = await agentOf(id);
        const settings = Object.keys(config).filter((name) => !NO_SETTINGS.includes(name));
        expect(Object.keys(CHANGES)).toEqual(expect.arrayContaining(settings));
        for (const [name, value] of Object.entries(CHANGES)) {
          await rest.ok('PATCH', `/agents/${id}`, { changes: { [name]: value } });
          expect([name, (await agentOf(id)).boundary]).toEqual([name, boundary]);
        }
        await expectKept(id);
        await rest.ok('POST', `/agents/${id}/restart`, { graceMs: 0 });
      },
      'a change of what makes its box, which is refused while it runs': async () => {
        for (const change of FIXED[kind]) {
          const { status } = await rest.call('PATCH', `/agents/${id}`, { changes: change });
          expect([change, status]).toEqual([change, expect.toBeOneOf([400, 409])]);
        }
      },
      'the death of the core': async () => {
        const before = processesOfAgent(id).map(({ pid }) => pid);
        await core.kill();
        await expectNothingOutside(id);
        await begin();
        expect(processesOfAgent(id).map(({ pid }) => pid)).toEqual(before);
      },
      'the death of the core while it is paused': async () => {
        await rest.ok('POST', `/agents/${id}/pause`, {});
        await core.kill();
        await begin();
        expect((await agentOf(id)).state.status).toBe('paused');
        await rest.ok('POST', `/agents/${id}/resume`, {});
      },
      'a spawn of its id with another place to run': async () => {
        const answer = await rest.call('POST', '/agents', { ...boxed(id), runtime: 'tmux', sandbox: 'none' });
        expect(answer.status).toBe(409);
      },
    };
    it.each(Object.entries(steps))('is kept by %s', { timeout: ROW_MS }, async (_what, step) => {
      await step();
      await expectKept(id);
      expect((await agentOf(id)).config).toMatchObject(draft);
    });

    it('is kept by templates and teams that say something else', { timeout: ROW_MS }, async () => {
      await rest.ok('POST', `/agents/${id}/stop`, { graceMs: 0 });
      const [stated, templated, member] = [next('stated'), next('templated'), next('member')];
      mkdirSync(join(dataDir, 'templates'), { recursive: true });
      const write = (name: string, fields: object): void =>
        writeFileSync(
          join(dataDir, 'templates', `${name}.yaml`),
          JSON.stringify({ name, title: name, agent: { type: 'command', command: ['true'], ...fields } }),
        );
      write('on-the-host', { runtime: 'tmux' });
      write('in-the-box', draft);
      // What is stated wins over the template.
      await rest.ok('POST', '/agents', { ...boxed(stated), template: 'on-the-host' });
      await expectKept(stated);
      // A template without a word beside it, and then another one for the same id.
      const spawn = { id: templated, command: noting(templated), projectFolder: folder };
      await rest.ok('POST', '/agents', { ...spawn, template: 'in-the-box' });
      expect((await rest.call('POST', '/agents', { ...spawn, template: 'on-the-host' })).status).toBe(409);
      await expectKept(templated);
      // A changed template changes no agent that was made from it.
      write('in-the-box', { runtime: 'tmux' });
      await rest.ok('POST', `/agents/${templated}/restart`, { graceMs: 0 });
      await expectKept(templated);
      const team = (fields: object): object => ({
        team: { name: 'kept', agents: [{ id: member, type: 'command', command: noting(member), ...fields }] },
        projectFolder: folder,
      });
      await rest.ok('POST', '/teams', team(draft));
      expect((await rest.call('POST', '/teams', team({ runtime: 'tmux' }))).status).toBe(409);
      await expectKept(member);
      for (const name of [stated, templated, member]) await rest.ok('POST', `/agents/${name}/stop`, { graceMs: 0 });
    });

    const engineSteps: Record<string, () => Promise<unknown>> = {
      'its image is missing': async () => {
        const name = next('imageless');
        const answer = await rest.call('POST', '/agents', boxed(name, { image: 'qd-no-such-image:1' }));
        await expectRefused(name, answer, /the image qd-no-such-image:1 is not there/);
        expect((await rest.call('POST', `/agents/${name}/start`, {})).status).toBe(503);
      },

      'the engine is away, or comes back': async () => {
        const name = next('engineless');
        const alive = next('alive');
        await rest.ok('POST', '/agents', boxed(alive));
        await core.kill();
        await begin({ env: { DOCKER_HOST: `unix://${folder}/no-engine.sock` } });
        await expectRefused(name, await rest.call('POST', '/agents', boxed(name)), /container/);
        // One that runs and cannot be reached is lost, and starting it starts nothing elsewhere.
        expect((await agentOf(alive)).state.status).toBe('lost');
        expect((await rest.call('POST', `/agents/${alive}/start`, {})).status).toBe(503);
        await expectNothingOutside(alive);
        await core.kill();
        await begin();
        await rest.ok('POST', `/agents/${alive}/start`, {});
        await expectKept(alive);
        expect(startsNoted(folder, name)).toEqual([]);
        await rest.ok('POST', `/agents/${name}/start`, {});
        await expectKept(name);
        for (const one of [name, alive]) await rest.ok('POST', `/agents/${one}/stop`, { graceMs: 0 });
      },
    };
    it.each(kind === 'docker' ? Object.entries(engineSteps) : [])(
      'is not given up where %s',
      { timeout: ROW_MS },
      async (_what, step) => {
        await step();
        expect((await agentOf(id)).boundary).toBe(boundary);
      },
    );
  });
}

const ready = BOXES.filter(({ missing }) => missing === undefined);
const left = BOXES.flatMap(({ kind, missing }) => (missing === undefined ? [] : `${kind}: ${missing}`)).join(', ');

describe.skipIf(ready.length === 0)(`agents in any box${left === '' ? '' : ` (${left})`}`, () => {
  it('are not started where the gateway cannot start', { timeout: ROW_MS }, async () => {
    const dataDir = makeDataDir();
    const folder = mkdtempSync(join(tmpdir(), 'qd-gateless-'));
    const { socketDir } = pathsOf(dataDir, process.env);
    mkdirSync(join(socketDir, 'gateway.sock', 'taken'), { recursive: true, mode: 0o700 });
    const core = await startCore({ dataDir });
    try {
      const rest = new RestClient(core);
      // Side by side: each waits for the gateway as long as it is waited for at all.
      await Promise.all(
        ready.map(async ({ kind, boundary, draft }) => {
          const id = `gateless-${kind}-${Math.random().toString(36).slice(2, 8)}`;
          const agent = { id, type: 'command', command: noting(id), projectFolder: folder, ...draft };
          const answer = await rest.call('POST', '/agents', agent);
          expect([answer.status, JSON.stringify(answer.body)]).toEqual([503, expect.stringMatching(/gateway/)]);
          expect(Agent.parse(await rest.ok('GET', `/agents/${id}`))).toMatchObject({ boundary, state: { status: 'failed' } });
          expect(processesOfAgent(id)).toEqual([]);
          expect(startsNoted(folder, id)).toEqual([]);
        }),
      );
    } finally {
      await core.stop();
      removeDataDir(dataDir);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
