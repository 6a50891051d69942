/**
 * Workspaces: what of its project each agent works on. Made at an agent's first start, kept over its restarts.
 * Invariant: a folder that holds work which is nowhere else is never removed or replaced without being told to.
 */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agent } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import { BOX } from '#shared/box/places.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import type { Project } from '#shared/projects/model.ts';
import { boundaryOf } from '#shared/runtimes/model.ts';
import type { AgentWorkspace } from '#shared/workspaces/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { BranchState, Fetched } from './workspace-maker.ts';
import { branchOf, kindOf, ownerOf, WorkspaceMaker } from './workspace-maker.ts';
import { allWorkspaces, findWorkspace, forgetWorkspace, saveWorkspace } from './workspaces-repository.ts';

/** Whom contained agents run as where the files are root's: nobody's uid 0 is given away (the agent image's own user). */
const BOX_USER = { uid: 1_000, gid: 1_000 } as const;

/** As whom an agent in a box runs, and on what. */
export interface PreparedWorkspace {
  readonly workspace: AgentWorkspace;
  /** Whose files it works on. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** Inside the workspace, must not be written by a contained agent; absolute paths on the host. */
  readonly readOnly: readonly string[];
}

/** What the service is made of. */
export interface WorkspacesOptions {
  readonly store: AppStore;
  /** Where programs are found. */
  readonly env: NodeJS.ProcessEnv;
  /** Folder `projects` of the data folder. */
  readonly projectsDir: string;
  readonly projectOf: (id: ProjectId) => Project;
  readonly agentOf: (id: AgentId) => Agent;
  readonly now: () => number;
  readonly log: (message: string, error: unknown) => void;
}

/** Owns workspaces. */
export class WorkspacesService {
  readonly #o: WorkspacesOptions;
  readonly #maker: WorkspaceMaker;
  readonly #users = new Map<AgentId, number>();

  constructor(options: WorkspacesOptions) {
    this.#o = options;
    this.#maker = new WorkspaceMaker({ env: options.env });
  }

  /** The workspace of an agent before its start: the one it has, or a new one. */
  async prepare(agent: Agent): Promise<PreparedWorkspace> {
    const project = this.#o.projectOf(agent.projectId);
    const isBoxed = boundaryOf(agent.config) !== 'host';
    const mode = await this.#modeOf(agent, project);
    const kind = kindOf({ mode, isBoxed });
    const folder = kind === 'shared' ? project.folder : this.#folderOf(agent);
    const owner = await ownerOf(project.folder).catch(() => undefined);
    if (!owner) throw new AppError('UNAVAILABLE', `The project folder ${project.folder} is gone.`, { retryable: false });
    // Root's files are worked on as root without capabilities where they are shared; a clone is given to somebody else.
    const user = kind === 'clone' && owner.uid === 0 ? BOX_USER : owner;
    const present = this.#find(agent.id);
    const isThere = present && present.kind === kind && present.folder === folder && (await isFolder(folder));
    const workspace = isThere ? present : await this.#make(agent, project, { kind, folder, isBoxed, user, present });
    const gitPath = join(project.folder, '.git');
    if (isBoxed) this.#users.set(agent.id, user.uid);
    else this.#users.delete(agent.id);
    return { workspace, user, readOnly: kind === 'shared' && project.isGitRepository ? [gitPath] : [] };
  }

  /** As whom an agent works in a box, by its last start. */
  userOf(id: AgentId): number | undefined {
    return this.#users.get(id);
  }

  /** The folder that an agent has for itself; undefined where it works in the project's. */
  ownFolderOf(id: AgentId): string | undefined {
    const workspace = this.#find(id);
    return workspace === undefined || workspace.kind === 'shared' ? undefined : workspace.folder;
  }

  /** The folders that agents in boxes work on, also of those that do not run or were removed. */
  boxed(): AgentWorkspace[] {
    return this.#o.store.peek(allWorkspaces).filter(({ inside }) => inside === BOX.workspace);
  }

  /** Brings in what a contained agent has committed, at the end of its run. Never fails: what could not be taken over is told. */
  async collect(id: AgentId): Promise<void> {
    if (this.#find(id)?.kind !== 'clone') return;
    await this.fetch(id, CORE).catch((error: unknown) => this.#o.log(`the commits of agent ${id} were not taken over`, error));
  }

  /** The workspace of an agent and what is new in it. */
  async get(id: AgentId): Promise<{ workspace: AgentWorkspace | null; state: BranchState | null }> {
    const agent = this.#o.agentOf(id);
    const workspace = this.#find(id) ?? null;
    if (!workspace?.branch) return { workspace, state: null };
    const project = this.#o.projectOf(agent.projectId);
    return { workspace, state: await this.#maker.stateOf(project.folder, workspace, await this.#scratch()) };
  }

  /** Brings a contained agent's commits into the project. */
  async fetch(id: AgentId, caller: Caller): Promise<Fetched> {
    const agent = this.#o.agentOf(id);
    const workspace = this.#find(id);
    if (!workspace || workspace.branch === null || workspace.base === null)
      throw new AppError('CONFLICT', `Agent "${id}" has no branch of its own: it works in the project folder.`, { data: { id } });
    const project = this.#o.projectOf(agent.projectId);
    if (workspace.kind === 'worktree') {
      const { head, ahead } = await this.#maker.stateOf(project.folder, workspace, await this.#scratch());
      return { branch: workspace.branch, commit: head ?? workspace.base, commits: ahead };
    }
    const fetched = await this.#maker.fetch(project.folder, workspace);
    if (fetched.commits > 0)
      await this.#o.store.write((tx) => tx.record(event({ ...about(agent), ...who(caller) }, 'workspace.fetched', fetched)));
    return fetched;
  }

  /** Removes the folder of an agent that does not run. */
  async remove(id: AgentId, force: boolean, caller: Caller): Promise<{ folder: string }> {
    const agent = this.#o.agentOf(id);
    const workspace = this.#find(id);
    if (!workspace || workspace.kind === 'shared')
      throw new AppError('CONFLICT', `Agent "${id}" has no folder of its own to remove.`, { data: { id } });
    if (isAlive(agent.state.status))
      throw new AppError('CONFLICT', `Agent "${id}" is ${agent.state.status}. Stop it first, then remove its workspace.`, {
        data: { id },
      });
    if (!force) await this.#secure(agent, workspace, caller);
    await this.#drop(agent, workspace, caller);
    return { folder: workspace.folder };
  }

  /** A folder for git's own use; empty again after each call. */
  async #scratch(): Promise<string> {
    const folder = join(this.#o.projectsDir, '.inspect');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  #find(id: AgentId): AgentWorkspace | undefined {
    return this.#o.store.peek((db) => findWorkspace(db, id));
  }

  #folderOf(agent: Agent): string {
    return join(this.#o.projectsDir, agent.projectId, 'workspaces', agent.id);
  }

  async #modeOf(agent: Agent, project: Project): Promise<'own' | 'shared'> {
    const { mode } = agent.config.workspace;
    if (mode === 'shared') return 'shared';
    const canBeOwn = project.isGitRepository && (await this.#maker.headOf(project.folder)) !== undefined;
    if (canBeOwn) return 'own';
    if (mode === 'auto') return 'shared';
    throw new AppError(
      'CONFLICT',
      project.isGitRepository
        ? `The repository ${project.folder} has no commit yet, so there is nothing that agent "${agent.id}" could have a copy of. Commit once, or set workspace.mode to "shared".`
        : `${project.folder} is no git repository, so agent "${agent.id}" can have no branch of its own. Set workspace.mode to "shared", or make it a repository.`,
      { retryable: false, data: { field: 'workspace.mode' } },
    );
  }

  async #make(
    agent: Agent,
    project: Project,
    plan: {
      kind: AgentWorkspace['kind'];
      folder: string;
      isBoxed: boolean;
      user: { uid: number; gid: number };
      present: AgentWorkspace | undefined;
    },
  ): Promise<AgentWorkspace> {
    const { kind, folder, isBoxed, user, present } = plan;
    // What it has is of another kind: it goes only if all that is in it is in the project, too.
    if (present && present.kind !== 'shared' && (await isFolder(present.folder))) {
      await this.#secure(agent, present, CORE);
      await this.#drop(agent, present, CORE);
    }
    const branch = kind === 'shared' ? null : branchOf(agent.id);
    const base = kind === 'shared' ? null : ((await this.#maker.headOf(project.folder)) ?? null);
    if (branch !== null && base !== null) {
      if (kind === 'clone') await this.#maker.makeClone(project.folder, folder, branch, base, user);
      else await this.#maker.makeWorktree(project.folder, folder, branch, base);
    }
    const workspace: AgentWorkspace = {
      agentId: agent.id,
      projectId: project.id,
      kind,
      folder,
      inside: isBoxed ? BOX.workspace : folder,
      branch,
      base,
      createdAt: this.#o.now(),
    };
    await this.#o.store.write((tx) => {
      saveWorkspace(tx, workspace);
      tx.record(event({ ...about(agent), ...CORE }, 'workspace.created', { workspace }));
    });
    return workspace;
  }

  /** Fails with CONFLICT while a workspace holds what is nowhere else; commits of a clone are brought into the project first. */
  async #secure(agent: Agent, workspace: AgentWorkspace, caller: Caller): Promise<void> {
    if (workspace.kind === 'clone') await this.fetch(agent.id, caller);
    const project = this.#o.projectOf(agent.projectId);
    const { changedFiles } = await this.#maker.stateOf(project.folder, workspace, await this.#scratch());
    if (changedFiles === 0) return;
    throw new AppError(
      'CONFLICT',
      `The workspace of agent "${agent.id}" holds ${changedFiles} ${changedFiles === 1 ? 'file' : 'files'} that no commit has (${workspace.folder}). Commit them there, or remove the workspace with force.`,
      { retryable: false, data: { id: agent.id, changedFiles } },
    );
  }

  async #drop(agent: Agent, workspace: AgentWorkspace, caller: Caller): Promise<void> {
    await this.#maker.remove(this.#o.projectOf(agent.projectId).folder, workspace);
    await this.#o.store.write((tx) => {
      forgetWorkspace(tx, agent.id);
      tx.record(event({ ...about(agent), ...who(caller) }, 'workspace.removed', { folder: workspace.folder }));
    });
  }
}

function about(agent: Agent): { projectId: ProjectId; subject: string } {
  return { projectId: agent.projectId, subject: agent.id };
}

function who(caller: Caller): Pick<Caller, 'actor' | 'door'> {
  return { actor: caller.actor, door: caller.door };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
