/** For tests: the messages feature on a real store, with a project, a session and agents that exist only in memory. */
import type { Boundary } from '#shared/runtimes/model.ts';
import { AgentId, mintId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import type { MessagesOptions } from '#core/messages/messages-options.ts';
import { MessagesService } from '#core/messages/messages-service.ts';
import type { AgentDirectory, KnownAgent } from '#core/messages/resolve-recipients.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';

/** The feature and what it stands on. */
export interface TestMessages {
  readonly service: MessagesService;
  readonly test: TestStore;
  readonly projectId: ProjectId;
  /** Agents by id; tests add, change and remove entries. */
  readonly agents: Map<string, KnownAgent>;
  /** Adds an agent to the first project, on the host unless stated. */
  addAgent(id: string, options?: { boundary?: Boundary; projectId?: ProjectId }): Caller;
  /** Adds a project. */
  addProject(): Promise<ProjectId>;
  /** Ends waits and closes the store; keeps the folder. */
  close(): Promise<void>;
  /** The same, and removes the folder. */
  dispose(): Promise<void>;
}

/** The operator, through REST. */
export const OPERATOR_CALLER: Caller = { actor: { kind: 'operator', id: 'operator' }, role: 'operator', door: 'rest' };

/** An agent's caller. */
export function agentCaller(id: string): Caller {
  return { actor: { kind: 'agent', id }, role: 'agent', door: 'agent-mcp', agentId: AgentId.parse(id) };
}

/** A named token's caller. */
export function tokenCaller(name: string, role: 'operator' | 'automation' | 'observer' = 'automation'): Caller {
  return { actor: { kind: 'token', id: name }, role, door: 'rest' };
}

/** Opens the feature in `dir`, or in a new temporary folder. A folder that was used before keeps its project. Messages expire by `steadyNow`, else by `now`. */
export async function openMessages(
  options: {
    dir?: string;
    now?: () => number;
    steadyNow?: () => number;
    /** See StoreOptions. */
    maxBatchMs?: number;
    subscribersOf?: AgentDirectory['subscribersOf'];
    /** What else the service is made with, from its store and session. */
    extend?: (test: TestStore, sessionId: SessionId) => Promise<Partial<MessagesOptions>>;
  } = {},
): Promise<TestMessages> {
  const test = openTestStore(options);
  const { projectId, sessionId } = await prepare(test);
  const agents = new Map<string, KnownAgent>();
  const extension = await options.extend?.(test, sessionId);
  const service = new MessagesService({
    store: test.store,
    resolveAgent: (id) => agents.get(id),
    agentsOfProject: (project) => [...agents.values()].filter((agent) => agent.projectId === project).map((agent) => agent.id),
    membersOf: () => [],
    subscribersOf: options.subscribersOf ?? (() => []),
    currentSession: () => sessionId,
    defaultProject: () => projectId,
    ...(options.now ? { now: options.now, steadyNow: options.steadyNow ?? options.now } : {}),
    ...extension,
  });
  service.open();
  return {
    service,
    test,
    projectId,
    agents,
    addAgent: (id, { boundary = 'host', projectId: project = projectId } = {}) => {
      agents.set(id, { id: AgentId.parse(id), projectId: project, boundary, isRemoved: false });
      return agentCaller(id);
    },
    addProject: async () => addProject(test),
    close: async () => {
      service.dispose();
      await test.close();
    },
    dispose: async () => {
      service.dispose();
      await test.dispose();
    },
  };
}

async function prepare({ store }: TestStore): Promise<{ projectId: ProjectId; sessionId: SessionId }> {
  const row = store.peek((db) => db.prepare('SELECT id, project_id FROM sessions ORDER BY id LIMIT 1').get()) as
    | { id: SessionId; project_id: ProjectId }
    | undefined;
  if (row) return { projectId: row.project_id, sessionId: row.id };
  const projectId = ProjectId.parse(mintId('prj'));
  const sessionId = SessionId.parse(mintId('ses'));
  await store.write((tx) => {
    tx.prepare('INSERT INTO projects (id, name, folder, is_git_repository, created_at, opened_at) VALUES (?, ?, ?, 0, 0, 0)').run(
      projectId,
      'test',
      '/test',
    );
    tx.prepare('INSERT INTO sessions (id, project_id, started_at) VALUES (?, ?, 0)').run(sessionId, projectId);
  });
  return { projectId, sessionId };
}

async function addProject({ store }: TestStore): Promise<ProjectId> {
  const projectId = ProjectId.parse(mintId('prj'));
  await store.write((tx) =>
    tx
      .prepare('INSERT INTO projects (id, name, folder, is_git_repository, created_at, opened_at) VALUES (?, ?, ?, 0, 0, 0)')
      .run(projectId, projectId, `/${projectId}`),
  );
  return projectId;
}
