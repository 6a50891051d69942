/** Which workspace an agent gets, keeps and loses: over a real store and real git. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Agent, AgentConfig } from '#shared/agents/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { boundaryOf } from '#shared/runtimes/model.ts';
import { AgentRegistry } from '#core/agents/agent-registry.ts';
import { completeConfig } from '#core/agents/agent-draft.ts';
import { CORE } from '#core/caller.ts';
import { ProjectsService } from '#core/projects/projects-service.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { WorkspacesService } from './workspaces-service.ts';

let test: TestStore;
let folder: string;
let registry: AgentRegistry;
let projects: ProjectsService;
let workspaces: WorkspacesService;

function sh(cwd: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@localhost', '-c', 'safe.directory=*', ...args], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: test.dir, GIT_CONFIG_NOSYSTEM: '1' },
  }).trim();
}

function commitIn(cwd: string, name: string): string {
  writeFileSync(join(cwd, name), `${name}\n`);
  sh(cwd, 'add', name);
  sh(cwd, 'commit', '--quiet', '-m', `write ${name}`);
  return sh(cwd, 'rev-parse', 'HEAD');
}

/** An agent that does not run. */
async function agentWith(id: string, config: Partial<AgentConfig>): Promise<Agent> {
  const project = await projects.resolve({ projectFolder: folder }, CORE);
  const agentId = AgentId.parse(id);
  const whole = completeConfig({ type: 'command', command: ['true'], runtime: 'tmux', ...config }, agentId, project.id);
  await registry.add(
    {
      id: agentId,
      projectId: project.id,
      config: whole,
      template: null,
      state: { status: 'created', since: 0, evidence: { source: 'command', detail: 'created', at: 0 } },
      says: null,
      run: null,
      boundary: boundaryOf(whole),
      boundaryNote: '',
      starts: 0,
      createdAt: 0,
    },
    CORE,
  );
  return registry.get(agentId);
}

beforeEach(() => {
  test = openTestStore();
  folder = join(test.dir, 'project');
  mkdirSync(folder);
  sh(folder, 'init', '--quiet', '--initial-branch=main');
  projects = new ProjectsService({ store: test.store });
  projects.open();
  registry = new AgentRegistry({ store: test.store, now: Date.now });
  registry.open();
  workspaces = new WorkspacesService({
    store: test.store,
    env: process.env,
    projectsDir: join(test.dir, 'projects'),
    projectOf: (id) => projects.get(id),
    agentOf: (id) => registry.get(id),
    now: Date.now,
    log: () => undefined,
  });
});

afterEach(() => test.dispose());

it('is a worktree on the host, a clone in a box, and the folder itself where that is stated', async () => {
  commitIn(folder, 'a.txt');
  const host = await workspaces.prepare(await agentWith('host', { workspace: { mode: 'own' } }));
  expect(host).toMatchObject({ workspace: { kind: 'worktree', branch: 'quarterdeck/host' }, readOnly: [] });
  expect(host.workspace.inside).toBe(host.workspace.folder);
  const boxed = await workspaces.prepare(await agentWith('boxed', { runtime: 'docker' }));
  expect(boxed).toMatchObject({ workspace: { kind: 'clone', inside: '/workspace' }, readOnly: [] });
  const shared = await workspaces.prepare(await agentWith('shared', { runtime: 'docker', workspace: { mode: 'shared' } }));
  expect(shared).toMatchObject({ workspace: { kind: 'shared', folder, branch: null }, readOnly: [join(folder, '.git')] });
});

it('says why there can be none of its own, and shares the folder where nothing was stated', async () => {
  const own = await agentWith('own', { workspace: { mode: 'own' } });
  await expect(workspaces.prepare(own)).rejects.toThrow(/has no commit yet.*Commit once/);
  rmSync(join(folder, '.git'), { recursive: true });
  const auto = await workspaces.prepare(await agentWith('auto', { runtime: 'docker' }));
  expect(auto.workspace.kind).toBe('shared');
});

it('is kept, its commits are brought in, and it goes only when nothing is lost with it', async () => {
  commitIn(folder, 'a.txt');
  const agent = await agentWith('boxed', { runtime: 'docker' });
  const { workspace } = await workspaces.prepare(agent);
  const commit = commitIn(workspace.folder, 'b.txt');
  expect((await workspaces.prepare(agent)).workspace).toEqual(workspace);
  expect((await workspaces.get(agent.id)).state).toMatchObject({ ahead: 1, changedFiles: 0, head: commit });
  await workspaces.collect(agent.id);
  expect(sh(folder, 'rev-parse', 'quarterdeck/boxed')).toBe(commit);
  const later = commitIn(workspace.folder, 'c.txt');
  writeFileSync(join(workspace.folder, 'loose.txt'), 'in no commit\n');
  await expect(workspaces.remove(agent.id, false, CORE)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringMatching(/holds 1 file that no commit has/) as string,
  });
  expect(readFileSync(join(workspace.folder, 'loose.txt'), 'utf8')).toBe('in no commit\n');
  rmSync(join(workspace.folder, 'loose.txt'));
  expect(await workspaces.remove(agent.id, false, CORE)).toEqual({ folder: workspace.folder });
  expect(existsSync(workspace.folder)).toBe(false);
  expect(sh(folder, 'rev-parse', 'quarterdeck/boxed')).toBe(later);
  await expect(workspaces.remove(agent.id, true, CORE)).rejects.toMatchObject({ code: 'CONFLICT' });
});

it('becomes another kind with its agent’s boundary, and takes no loose work away', async () => {
  commitIn(folder, 'a.txt');
  const { workspace } = await workspaces.prepare(await agentWith('mover', { runtime: 'docker' }));
  const commit = commitIn(workspace.folder, 'b.txt');
  writeFileSync(join(workspace.folder, 'loose.txt'), 'in no commit\n');
  const { config, projectId, id } = registry.get(AgentId.parse('mover'));
  const { id: _id, projectId: _project, ...draft } = config;
  await registry.configure(id, completeConfig({ ...draft, runtime: 'tmux', workspace: { mode: 'own' } }, id, projectId), CORE);
  await expect(workspaces.prepare(registry.get(id))).rejects.toThrow(/loose|no commit has/);
  rmSync(join(workspace.folder, 'loose.txt'));
  const next = await workspaces.prepare(registry.get(id));
  expect(next.workspace).toMatchObject({ kind: 'worktree', branch: 'quarterdeck/mover' });
  expect(sh(next.workspace.folder, 'rev-parse', 'HEAD')).toBe(commit);
});
