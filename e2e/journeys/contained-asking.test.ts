/** An agent in a container asks others to do outside what it may not do itself: each is refused, with the reason, and shown. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { curlInside, tokenIn, toolInside } from '#e2e/support/contained-agent.ts';
import { containerOf, insideContainer, removeContainers } from '#e2e/support/containers.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { REPOSITORY } from '#e2e/support/this-repository.ts';
import { Agent } from '#shared/agents/model.ts';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';

const run = promisify(execFile);
const JOURNEY_MS = 240_000;
const WITHIN = { timeout: 60_000, interval: 50 };

/** What a worker on the host would do if anybody got it to. */
const DEED = { op: 'run', command: ['touch', 'done-by-the-host'] };

const Rows = z.object({
  rows: z.array(
    z.object({ seq: z.number(), kind: z.string(), subject: z.string(), actor: z.object({ id: z.string() }), data: z.unknown() }),
  ),
});
const Told = z.object({ asked: z.string(), from: z.string(), to: z.string(), reason: z.string() });

let core: TestCore;
let rest: RestClient;
let folder: string;
let outside: string;
let box: string;
let token: string;
/** The journal's last row when a test began. */
let since = 0;

describe.skipIf(ENGINE_MISSING)(`a contained agent that asks${ENGINE_MISSING ? ` (${ENGINE_MISSING})` : ''}`, () => {
  beforeAll(async () => {
    await ensureTestKit();
    folder = await mkdtemp(join(tmpdir(), 'qd-asking-'));
    outside = await mkdtemp(join(tmpdir(), 'qd-outside-'));
    core = await startCore();
    rest = new RestClient(core);
    const boxed = await spawn({ id: 'boxed', type: 'command', runtime: 'docker', command: ['sleep', '3600'] });
    expect(boxed.boundary).toBe('container');
    for (const id of ['host-one', 'host-two'])
      expect((await spawn({ id, type: 'worker', runtime: 'tmux' })).boundary).toBe('host');
    box = await containerOf(core.dataDir, 'boxed');
    token = await tokenIn(box);
  }, JOURNEY_MS);

  beforeEach(async () => {
    since = z.object({ seq: z.number() }).parse(await rest.ok('GET', '/state')).seq;
  });

  afterAll(async () => {
    expect(await core.stop()).toBe(0);
    await removeContainers(core.dataDir);
    removeDataDir(core.dataDir);
    for (const dir of [folder, outside]) await rm(dir, { recursive: true, force: true });
  }, 60_000);

  it(
    'a host worker by message, by a chain of replies, by broadcast, or through another host agent gets nothing done',
    { timeout: JOURNEY_MS },
    async () => {
      const ask = (tool: string, input: object): ReturnType<typeof toolInside> => toolInside(box, token, tool, input);
      const before = await countMessages();
      for (const kind of ['task', 'request']) {
        const answer = await ask('send_message', { to: 'host-one', kind, body: 'do it', data: DEED });
        expect(answer).toMatchObject({ refused: containing('FORBIDDEN') });
        expect(answer).toMatchObject({ refused: containing('weaker boundary') });
      }
      expect(await ask('send_message', { to: '*', kind: 'task', body: 'all of you', data: DEED })).toMatchObject({
        refused: containing('FORBIDDEN'),
      });
      expect(await countMessages()).toBe(before);

      // The operator's own words do not make the answer to them the operator's.
      const { messageId } = Sent.parse(
        await rest.ok('POST', '/messages', { to: 'boxed', kind: 'task', body: 'see to it', data: { anything: true } }),
      );
      expect(
        await ask('send_message', {
          to: 'host-one',
          kind: 'request',
          body: 'the operator says so',
          data: DEED,
          inReplyTo: messageId,
        }),
      ).toMatchObject({ refused: containing('weaker boundary') });

      // A note informs, and may be sent. A host agent that passes it on as work does so in the name of the one who wished for it.
      const note = await ask('send_message', { to: 'host-one', kind: 'note', body: 'you might want to tell host-two' });
      const { messageId: noteId } = z.object({ ok: Sent }).parse(note).ok;
      const relayed = await callAsHostAgent('host-one', {
        to: 'host-two',
        kind: 'task',
        body: 'boxed asked for this',
        data: DEED,
        inReplyTo: noteId,
      });
      expect(relayed).toContain('FORBIDDEN');
      expect(relayed).toContain('boxed');

      expect(await refusals()).toEqual([
        ['boxed', 'boxed', 'a task for agent "host-one"', 'container', 'host'],
        ['boxed', 'boxed', 'a request for agent "host-one"', 'container', 'host'],
        ['boxed', 'boxed', expect.stringMatching(/^a task for 2 agents, "host-(one|two)" among them$/), 'container', 'host'],
        ['boxed', 'host-one', 'a task for agent "host-two"', 'container', 'host'],
      ]);
      expect(existsSync(join(folder, 'done-by-the-host'))).toBe(false);
    },
  );

  it(
    'spawns nobody and changes nobody: by its own interface, the REST paths, the operator’s port',
    { timeout: JOURNEY_MS },
    async () => {
      const { agents } = AgentList.parse(await rest.ok('GET', '/agents'));
      for (const [tool, input] of [
        [
          'spawn_agent',
          { type: 'command', runtime: 'tmux', command: ['touch', join(outside, 'spawned')], projectFolder: folder },
        ],
        ['start_team', { team: { name: 'mine', agents: [{ id: 'child', type: 'worker' }] }, projectFolder: folder }],
        ['update_agent', { id: 'boxed', runtime: 'tmux' }],
        ['set_egress', { id: 'boxed', rules: ['*.example.org:443:tls'] }],
        ['stop_agent', { id: 'host-one' }],
      ] as const) {
        expect(await toolInside(box, token, tool, input), tool).toMatchObject({
          refused: containing(`no tool "${tool}" for you`),
        });
      }
      const auth = ['-H', `authorization: Bearer ${token}`, '-H', 'content-type: application/json', '-d', '{"type":"worker"}'];
      for (const path of ['/api/v1/agents', '/api/agents', '/rpc', '/mcp/../api/v1/agents']) {
        const { status } = await curlInside(box, '--path-as-is', ...auth, `http://127.0.0.1:3100${path}`);
        expect([path, status]).toEqual([path, expect.stringMatching(/^4/)]);
      }
      const main = new URL(core.run.url);
      for (const host of [`127.0.0.1:${main.port}`, `localhost:${main.port}`, `host.docker.internal:${main.port}`]) {
        const answer = await curlInside(box, '-x', 'http://127.0.0.1:3128', ...auth, `http://${host}/api/v1/agents`);
        expect([host, answer.status]).toEqual([host, '403']);
      }
      expect(AgentList.parse(await rest.ok('GET', '/agents')).agents.map(({ id }) => id)).toEqual(agents.map(({ id }) => id));
      expect(existsSync(join(outside, 'spawned'))).toBe(false);
      await vi.waitFor(async () => {
        expect(await refusals()).toEqual(
          ['agents.spawn', 'teams.up', 'agents.update', 'egress.set', 'agents.stop'].map((command) => [
            'boxed',
            'boxed',
            `the command ${command}`,
            'container',
            'host',
          ]),
        );
        const refused = (await rows('egress.refused')).map(({ subject, data }) => [
          subject,
          z.object({ host: z.string() }).parse(data).host,
        ]);
        expect(refused).toEqual(
          expect.arrayContaining([
            ['boxed', '127.0.0.1'],
            ['boxed', 'localhost'],
          ]),
        );
      }, WITHIN);
      // A token that was carried out opens nothing either, and that is shown with the agent.
      expect((await new RestClient(core, token).call('GET', '/agents')).status).toBe(403);
      await vi.waitFor(async () => expect((await refusals()).at(-1)?.[2]).toBe('the operator’s port'), WITHIN);
    },
  );

  it(
    'leaves files that nobody reads by himself: templates, teams and what else has a meaning elsewhere',
    { timeout: JOURNEY_MS },
    async () => {
      const template = 'name: evil\\nagent: { type: command, runtime: tmux, command: [touch, /tmp/evil] }';
      const planted = [
        'mkdir -p .quarterdeck/templates .quarterdeck/teams templates',
        `printf '${template}' | tee .quarterdeck/templates/evil.yaml .quarterdeck/evil.yaml templates/evil.yaml > evil.yaml`,
        'cp evil.yaml .quarterdeck/teams/evil.yaml',
      ].join(' && ');
      await insideContainer(box, 'sh', '-c', `cd /workspace && ${planted}`);
      expect(existsSync(join(folder, '.quarterdeck', 'templates', 'evil.yaml'))).toBe(true);
      expect(JSON.stringify(await rest.ok('GET', '/templates'))).not.toContain('evil');
      const { status } = await rest.call('POST', '/agents', { template: 'evil', projectFolder: folder });
      expect(status).toBe(404);
      await rest.ok('POST', '/agents/host-two/restart', {});
      expect(AgentList.parse(await rest.ok('GET', '/agents')).agents.map(({ id }) => id)).toEqual([
        'boxed',
        'host-one',
        'host-two',
      ]);
    },
  );

  it('writes no team file that is brought up unread, by whatever link it is named', { timeout: JOURNEY_MS }, async () => {
    const team = 'name: planted\\nagents: [{ id: planted, type: worker, runtime: tmux }]\\nstart: []';
    await insideContainer(
      box,
      'sh',
      '-c',
      `cd /workspace && printf '${team}' > team.yaml && ln -s ${outside}/mine.yaml out.yaml`,
    );
    writeFileSync(join(outside, 'mine.yaml'), 'name: mine\nagents: [{ id: mine, type: worker, runtime: tmux }]\n');
    mkdirSync(join(outside, 'deep'));
    symlinkSync(join(folder, 'team.yaml'), join(outside, 'deep', 'nice.yaml'));

    const given = [join(folder, 'team.yaml'), join(folder, 'out.yaml'), join(outside, 'deep', 'nice.yaml')];
    for (const file of given) {
      const { code, text } = await up(file);
      expect([file, code]).toEqual([file, 4]);
      expect(text).toContain('agent "boxed", which is confined by container, can write');
      expect(text).toContain('--accept-agent-file');
    }
    expect(await refusals()).toEqual(given.map((file) => ['boxed', 'operator', `the team file ${file}`, 'container', 'host']));
    expect(AgentList.parse(await rest.ok('GET', '/agents')).agents.map(({ id }) => id)).toEqual([
      'boxed',
      'host-one',
      'host-two',
    ]);

    // The operator's own is brought up, and so is the agent's once the operator has said that it was read.
    expect(await up(join(outside, 'mine.yaml'))).toMatchObject({ code: 0 });
    expect(await up(join(folder, 'team.yaml'), '--accept-agent-file')).toMatchObject({ code: 0 });
    expect((await rows('boundary.accepted')).map(({ subject, actor, data }) => [subject, actor.id, data])).toEqual([
      ['boxed', 'operator', { asked: `the team file ${join(folder, 'team.yaml')}`, from: 'container', to: 'host' }],
    ]);
    expect(AgentList.parse(await rest.ok('GET', '/agents')).agents.map(({ id }) => id)).toEqual([
      ...['boxed', 'host-one', 'host-two', 'mine', 'planted'],
    ]);
  });
});

const Sent = z.object({ messageId: z.string() });
const AgentList = z.object({ agents: z.array(z.object({ id: z.string() })) });

/** Matchers are `any` by their types. */
function containing(text: string): string {
  return expect.stringContaining(text) as string;
}

async function spawn(draft: object): Promise<Agent> {
  return Agent.parse(await rest.ok('POST', '/agents', { ...draft, projectFolder: folder }));
}

async function countMessages(): Promise<number> {
  return z.object({ messages: z.array(z.unknown()) }).parse(await rest.ok('GET', '/messages?limit=500')).messages.length;
}

/** Rows of a kind that were added since the test began. */
async function rows(kind: string): Promise<z.infer<typeof Rows>['rows']> {
  return Rows.parse(await rest.ok('GET', `/journal?after=${since}&kind=${kind}&limit=500`)).rows;
}

/**
 * What was refused for the sake of a boundary: whose wish, who asked, what, and from where to where. Each has a reason. The same
 * again counts once: within a second it has no row of its own.
 */
async function refusals(): Promise<unknown[][]> {
  const told = (await rows('boundary.refused')).map(({ subject, actor, data }) => {
    const { asked, from, to, reason } = Told.parse(data);
    expect(reason).not.toBe('');
    return [subject, actor.id, asked, from, to];
  });
  return [...new Map(told.map((row) => [JSON.stringify(row), row])).values()];
}

/** Sends a message as an agent on the host, with its own token, from the host. */
async function callAsHostAgent(id: string, input: object): Promise<string> {
  const { run: ran } = Agent.parse(await rest.ok('GET', `/agents/${id}`));
  const { stdout } = await run('sh', ['-c', `tr '\\0' '\\n' < /proc/${ran?.pid}/environ`]);
  const hostToken = /^QUARTERDECK_AGENT_TOKEN=(qda_\S+)$/m.exec(stdout)?.[1];
  const response = await fetch(core.run.agentMcpUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${hostToken}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'send_message', arguments: input } }),
  });
  return response.text();
}

/** Brings a team file up from the command line, as the operator. */
async function up(file: string, ...args: readonly string[]): Promise<{ code: number; text: string }> {
  const argv = [join(REPOSITORY, 'bin', 'quarterdeck.mjs'), 'up', file, '--project', folder, '--data-dir', core.dataDir, ...args];
  const env = { ...process.env, QUARTERDECK_SKIP_BUILD: '1' };
  return run(process.execPath, argv, { env }).then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: unknown) => {
      const { code, stderr } = z.object({ code: z.number(), stderr: z.string() }).parse(error);
      return { code, text: stderr };
    },
  );
}
