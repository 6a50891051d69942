/** For tests: the agents feature with a real store and real runtimes, in a temporary folder. The agent interface is not there. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CORE } from '#core/caller.ts';
import { ProjectsService } from '#core/projects/projects-service.ts';
import { HostLimits } from '#core/runtimes/limits/host-limits.ts';
import { PtyRuntime } from '#core/runtimes/pty/pty-runtime.ts';
import { DockerRuntime } from '#core/runtimes/docker/docker-runtime.ts';
import { IMAGE_SOURCE } from '#core/runtimes/docker/testing/agent-image.ts';
import { TmuxRuntime } from '#core/runtimes/tmux/tmux-runtime.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { NO_BOXES, sharedWorkspace } from './no-boxes.ts';
import { AgentLauncher } from '../agent-launcher.ts';
import { AgentRegistry } from '../agent-registry.ts';
import { AgentRuns } from '../agent-runs.ts';
import { AgentsService } from '../agents-service.ts';
import { Templates } from '../templates.ts';

/** The agents feature to be tested with. */
export interface TestAgents extends TestStore {
  readonly agents: AgentsService;
  readonly registry: AgentRegistry;
  readonly runs: AgentRuns;
  readonly projects: ProjectsService;
  readonly folder: string;
  /** Ids whose tokens were revoked, in order. */
  readonly revoked: string[];
  readonly log: string[];
  /** Closes everything as a core that is killed would leave it: agents go on, states stay. */
  abandon(): Promise<void>;
}

/** Opens the feature in `dir`, or in a new temporary folder. */
export function openTestAgents(options: { dir?: string } = {}): TestAgents {
  const test = openTestStore(options.dir === undefined ? {} : { dir: options.dir });
  const folder = join(test.dir, 'project');
  mkdirSync(folder, { recursive: true });
  const socketDir = join(test.dir, 's');
  mkdirSync(socketDir, { recursive: true });
  const now = Date.now;
  const log: string[] = [];
  const revoked: string[] = [];
  const projects = new ProjectsService({ store: test.store });
  projects.open();
  const registry = new AgentRegistry({ store: test.store, now });
  registry.open();
  const runs = new AgentRuns({
    registry,
    now,
    log: (message) => log.push(message),
    onEnded: (agent) => {
      revoked.push(agent.id);
      return Promise.resolve();
    },
  });
  const limits = new HostLimits({ instanceId: test.dir, log: (message) => log.push(message) });
  const runtimes = {
    docker: new DockerRuntime({ instanceId: test.dir, source: IMAGE_SOURCE, log: (message) => log.push(message) }),
    tmux: new TmuxRuntime({ socketDir, instanceId: test.dir, log: (message) => log.push(message), limits }),
    pty: new PtyRuntime({ log: (message) => log.push(message), limits }),
  };
  const agents = new AgentsService({
    registry,
    runs,
    runtimes,
    launcher: new AgentLauncher({
      programs: { guest: () => ['sleep', '1000'] },
      agentsDir: join(test.dir, 'agents'),
      socketDir,
      env: process.env,
      agentUrl: () => 'http://127.0.0.1:9/mcp',
      mintToken: (agent) => Promise.resolve(`token-of-${agent.id}`),
      sideWindows: () => [],
      workspaceOf: (agent) => sharedWorkspace(projects.get(agent.projectId).folder)(agent),
      boxes: NO_BOXES,
    }),
    templates: new Templates({
      builtInDir: new URL('../../../../assets/templates', import.meta.url).pathname,
      ownDir: join(test.dir, 'templates'),
    }),
    resolveProject: (stated, caller) =>
      projects.resolve(
        stated.projectId === undefined && stated.projectFolder === undefined ? { projectFolder: folder } : stated,
        caller,
      ),
    userOf: () => undefined,
    endAccess: (id) => {
      revoked.push(id);
      return Promise.resolve();
    },
    onAdopted: () => Promise.resolve(),
    heldBy: () => 0,
    now,
    log: (message) => log.push(message),
  });
  return {
    ...test,
    agents,
    registry,
    runs,
    projects,
    folder,
    revoked,
    log,
    abandon: async () => {
      runs.dispose();
      for (const runtime of Object.values(runtimes)) await runtime.close();
      limits.dispose();
      await test.close();
    },
    dispose: async () => {
      await agents.close({ stopAgents: true });
      // A core leaves its tmux to the next one; here there is none.
      spawnSync('tmux', ['-S', join(socketDir, 'tmux.sock'), 'kill-server'], { stdio: 'ignore' });
      limits.dispose();
      // What runs left that an earlier feature in this folder had abandoned.
      await new HostLimits({ instanceId: test.dir, log: () => undefined }).sweep();
      await test.dispose();
    },
  };
}

/** A new temporary folder, short enough for sockets in it. */
export function shortDir(): string {
  return mkdtempSync(join(tmpdir(), 'qd-a-'));
}

/** The core as caller. */
export const caller = CORE;
