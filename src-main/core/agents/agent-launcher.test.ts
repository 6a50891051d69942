import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Agent } from '#shared/agents/model.ts';
import { AgentConfig } from '#shared/agents/model.ts';
import { mintId } from '#shared/kernel/ids.ts';
import { AgentLauncher } from './agent-launcher.ts';
import { NO_BOXES, sharedWorkspace } from './testing/no-boxes.ts';
import { commandDriver } from './types/command.ts';
import { workerDriver } from './types/worker.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-launch-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const SECRETS = {
  QUARTERDECK_PASSPHRASE: 'passphrase',
  QUARTERDECK_HOME: '/home/of/the/core',
  ANTHROPIC_API_KEY: 'sk-ant',
  GITHUB_TOKEN: 'ghp',
  AWS_SECRET_ACCESS_KEY: 'aws',
  SSH_AUTH_SOCK: '/agent',
  NODE_OPTIONS: '--inspect',
  LD_PRELOAD: '/x.so',
  GIT_DIR: '/elsewhere',
  TMUX: '/own/tmux,1,0',
  npm_config_registry: 'http://registry',
};

function launcher(env: NodeJS.ProcessEnv): AgentLauncher {
  return new AgentLauncher({
    programs: { guest: (name) => ['node', `${name}.js`] },
    agentsDir: join(dir, 'agents'),
    socketDir: join(dir, 's'),
    env,
    agentUrl: () => 'http://127.0.0.1:3100/mcp',
    mintToken: (agent) => Promise.resolve(`token-of-${agent.id}`),
    sideWindows: () => [{ name: 'monitor', argv: ['top'] }],
    workspaceOf: sharedWorkspace('/work'),
    boxes: NO_BOXES,
  });
}

function agentOf(config: Record<string, unknown>): Agent {
  const projectId = mintId('prj');
  const whole = AgentConfig.parse({ id: 'one.two', projectId, ...config });
  const state = { status: 'created', since: 0, evidence: { source: 'command', detail: '', at: 0 } } as const;
  return {
    id: whole.id,
    projectId: whole.projectId,
    config: whole,
    template: null,
    state,
    says: null,
    run: null,
    boundary: 'host',
    boundaryNote: '',
    starts: 0,
    createdAt: 0,
  };
}

it('gives an agent what it needs and what was configured, and none of the secrets of the core', async () => {
  const env = { PATH: '/bin', HOME: '/home/me', LANG: '', TZ: 'UTC', ...SECRETS };
  const agent = agentOf({
    type: 'worker',
    environment: { BATCH_SIZE: '50', PATH: '/opt/bin' },
    maxConcurrentTasks: 3,
    resourceLimits: { timeout: '2m' },
  });
  const spec = await launcher(env).prepare(agent, workerDriver, 'run_1');
  expect(spec.env).toEqual({
    PATH: '/opt/bin',
    HOME: '/home/me',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    TERM: 'xterm-256color',
    COLORTERM: 'truecolor',
    BATCH_SIZE: '50',
    QUARTERDECK_AGENT_ID: 'one.two',
    QUARTERDECK_AGENT_URL: 'http://127.0.0.1:3100/mcp',
    QUARTERDECK_AGENT_TOKEN: 'token-of-one.two',
    QUARTERDECK_HEALTH_SOCKET: join(dir, 's', 'one.two', 'health.sock'),
    QUARTERDECK_QUEUE_FILE: join(dir, 'agents', 'one.two', 'home', 'queue.txt'),
    QUARTERDECK_MAX_CONCURRENT_TASKS: '3',
    QUARTERDECK_TASK_TIMEOUT_MS: '120000',
    QUARTERDECK_RUN_ID: 'run_1',
  });
  expect(spec).toMatchObject({
    agentId: 'one.two',
    runId: 'run_1',
    argv: ['node', 'worker.js'],
    cwd: '/work',
    sideWindows: [{ name: 'monitor' }],
  });
  // A process list is readable by everybody on the machine.
  expect(spec.argv.join(' ')).not.toContain('token-of');
});

it('lets no configuration take the names that tell an agent who it is', async () => {
  for (const name of ['QUARTERDECK_AGENT_TOKEN', 'QUARTERDECK_X', 'LD_PRELOAD', 'NODE_OPTIONS', 'with space', '1X', '']) {
    expect(
      AgentConfig.safeParse({ id: 'a', type: 'worker', projectId: mintId('prj'), environment: { [name]: 'x' } }).success,
      name,
    ).toBe(false);
  }
  // One that got into the table in some other way is overruled.
  const agent = agentOf({ type: 'command', command: ['true'] });
  const smuggled = { ...agent, config: { ...agent.config, environment: { QUARTERDECK_AGENT_TOKEN: 'mine' } } };
  const { env } = await launcher({}).prepare(smuggled, commandDriver, 'run_1');
  expect(env['QUARTERDECK_AGENT_TOKEN']).toBe('token-of-one.two');
});

it('makes the folders of an agent for its owner only, and finds them again', async () => {
  const agent = agentOf({ type: 'command', command: ['bash', '-l'] });
  const one = launcher({});
  for (let time = 0; time < 2; time += 1) {
    expect((await one.prepare(agent, commandDriver, 'run_1')).argv).toEqual(['bash', '-l']);
    const { home, settings, socketDir } = one.filesOf(agent.id);
    for (const path of [home, settings, socketDir]) expect((statSync(path).mode & 0o777).toString(8)).toBe('700');
  }
});
