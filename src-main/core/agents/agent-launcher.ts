/** Makes everything an agent's process needs: folders, token, environment, command line. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agent } from '#shared/agents/model.ts';
import type { GatewayLine } from '#shared/gateway/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { RUN_VARIABLE } from '#core/runtimes/process-table.ts';
import type { BoxSpec, LaunchDesk, LaunchSpec, SideWindow } from '#core/runtimes/runtime.ts';
import type { BoxLaunch } from '#core/boundary/boundary-service.ts';
import { giveFolder } from '#core/workspaces/workspace-maker.ts';
import type { PreparedWorkspace } from '#core/workspaces/workspaces-service.ts';
import { BOX } from '#shared/box/places.ts';
import { boundaryOf } from '#shared/runtimes/model.ts';
import { BOX_AGENT_URL, BOX_OWN, boxEnvironment, boxMounts, boxPrograms } from './box-plan.ts';
import { setupOnce, withSetup } from './setup-script.ts';
import type { AgentDriver, Programs } from './types/agent-driver.ts';

/** Size of a terminal that nobody looks at yet. */
const DEFAULT_SIZE = { cols: 120, rows: 32 };

/** How much of its last screen and history a box keeps when its agent has ended, in lines. */
const KEPT_LINES = 2_000;

/** What of the core's own environment an agent gets. Everything else (keys, tokens, settings of other tools) stays out. */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
  'XDG_CONFIG_HOME',
  'XDG_CACHE_HOME',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
];

/** What agents have of an environment. */
export function inheritedEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = env[name];
    if (value !== undefined && value !== '') inherited[name] = value;
  }
  return inherited;
}

/** What the launcher is made of. */
export interface LauncherOptions {
  readonly programs: Programs;
  /** `agents/` in the data folder. */
  readonly agentsDir: string;
  readonly socketDir: string;
  /** The core's environment, with the PATH of a login shell. */
  readonly env: NodeJS.ProcessEnv;
  /** Address of the agent interface. */
  readonly agentUrl: () => string;
  readonly mintToken: (agent: Agent) => Promise<string>;
  readonly sideWindows: (agent: Agent, files: AgentFiles) => readonly SideWindow[];
  readonly workspaceOf: (agent: Agent) => Promise<PreparedWorkspace>;
  /** What agents in boxes need besides. */
  readonly boxes: BoxServices;
}

/** What puts an agent into a box, and serves it there. */
export interface BoxServices {
  /** Folder of the built guests, mounted into boxes. */
  readonly guestsDir: string;
  /** Has its sockets made and served. Fails with UNAVAILABLE: then it must not start. */
  readonly serve: (
    agent: Agent,
    options: { socketDir: string; owner: { uid: number; gid: number }; line?: GatewayLine | undefined },
  ) => Promise<void>;
  /** Has the sockets of an agent that is served brought into its container by a line. */
  readonly openLine: (id: AgentId, line: GatewayLine) => Promise<void>;
  /** What the gateway adds to the environment inside. */
  readonly environmentOf: (agent: Agent) => Record<string, string>;
  readonly openDesk: (launch: BoxLaunch) => Promise<LaunchDesk>;
}

/** Files of one agent outside its workspace. */
export interface AgentFiles {
  readonly home: string;
  readonly settings: string;
  readonly socketDir: string;
  /** Writable by an agent in a box, which sees nothing else of `socketDir` so. */
  readonly own: string;
  readonly healthSocket: string;
  readonly queueFile: string;
}

/** Prepares launches. */
export class AgentLauncher {
  readonly #options: LauncherOptions;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  /** Where the files of an agent are. */
  filesOf(id: AgentId): AgentFiles {
    const socketDir = join(this.#options.socketDir, id);
    const home = join(this.#options.agentsDir, id, 'home');
    return {
      home,
      settings: join(this.#options.agentsDir, id, 'settings'),
      socketDir,
      own: join(socketDir, 'own'),
      healthSocket: join(socketDir, 'health.sock'),
      queueFile: join(home, 'queue.txt'),
    };
  }

  /** Where an agent's health endpoint listens, on the host. */
  healthSocketOf(agent: Agent): string {
    const files = this.filesOf(agent.id);
    return agent.boundary === 'host' ? files.healthSocket : join(files.own, 'health.sock');
  }

  /** Makes workspace, folders and token, and says how to launch the agent. */
  async prepare(agent: Agent, driver: AgentDriver, runId: string): Promise<LaunchSpec> {
    const files = this.filesOf(agent.id);
    const prepared = await this.#options.workspaceOf(agent);
    for (const dir of [files.home, files.settings, files.socketDir]) await mkdir(dir, { recursive: true, mode: 0o700 });
    const token = await this.#options.mintToken(agent);
    const boundary = boundaryOf(agent.config);
    const common = { agentId: agent.id, runId, size: DEFAULT_SIZE, limits: agent.config.resourceLimits };
    return boundary === 'host'
      ? { ...common, ...this.#onHost(agent, driver, prepared, token, files, runId) }
      : { ...common, ...(await this.#inBox(agent, driver, boundary, prepared, token, files, runId)) };
  }

  /** What the box of an agent is made of now; undefined without a box. Where a line brings its sockets in, none are mounted. */
  async boxOf(agent: Agent, options: { hasLine: boolean }): Promise<Pick<BoxSpec, 'mounts' | 'user'> | undefined> {
    if (boundaryOf(agent.config) === 'host') return undefined;
    const prepared = await this.#options.workspaceOf(agent);
    const mounts = boxMounts(prepared, { ...this.filesOf(agent.id), guests: this.#options.boxes.guestsDir });
    return {
      user: prepared.user,
      mounts: options.hasLine ? mounts.filter(({ target }) => target !== BOX.sockets) : mounts,
    };
  }

  /** Has the sockets of an agent that was found running served again, through the line that its run has. */
  async serveAgain(agent: Agent, line: GatewayLine | undefined): Promise<void> {
    if (agent.boundary === 'host') return;
    const { user } = await this.#options.workspaceOf(agent);
    await this.#options.boxes.serve(agent, { socketDir: this.filesOf(agent.id).socketDir, owner: user, line });
  }

  #onHost(
    agent: Agent,
    driver: AgentDriver,
    { workspace }: PreparedWorkspace,
    token: string,
    files: AgentFiles,
    runId: string,
  ): Omit<LaunchSpec, 'agentId' | 'runId' | 'size' | 'limits'> {
    const argv = driver.argv(agent.config, this.#options.programs);
    const { setup } = agent.config;
    return {
      argv: setup === undefined ? argv : withSetup(argv, setupOnce(setup, join(files.settings, 'setup-done'), workspace.folder)),
      cwd: workspace.folder,
      env: {
        LANG: 'C.UTF-8',
        ...inheritedEnvironment(this.#options.env),
        ...this.#environment(agent, token, runId),
        QUARTERDECK_AGENT_URL: this.#options.agentUrl(),
        QUARTERDECK_HEALTH_SOCKET: files.healthSocket,
        QUARTERDECK_QUEUE_FILE: files.queueFile,
      },
      sideWindows: this.#options.sideWindows(agent, files),
      setup: undefined,
      box: undefined,
    };
  }

  async #inBox(
    agent: Agent,
    driver: AgentDriver,
    boundary: 'container' | 'bubblewrap',
    prepared: PreparedWorkspace,
    token: string,
    files: AgentFiles,
    runId: string,
  ): Promise<Omit<LaunchSpec, 'agentId' | 'runId' | 'size' | 'limits'>> {
    const { boxes } = this.#options;
    const { user } = prepared;
    // Folders of the product's own; never one of the operator's.
    for (const dir of [files.home, files.socketDir, files.own]) await giveFolder(dir, user);
    await boxes.serve(agent, { socketDir: files.socketDir, owner: user });
    const argv = driver.argv(agent.config, boxPrograms(process.arch === 'arm64' ? 'arm64' : 'x64'));
    const env = {
      ...boxEnvironment(),
      ...boxes.environmentOf(agent),
      ...this.#environment(agent, token, runId),
      QUARTERDECK_AGENT_URL: BOX_AGENT_URL,
      QUARTERDECK_HEALTH_SOCKET: join(BOX_OWN, 'health.sock'),
      QUARTERDECK_QUEUE_FILE: join(BOX.home, 'queue.txt'),
    };
    const setup =
      agent.config.setup === undefined
        ? undefined
        : setupOnce(agent.config.setup, join(BOX.home, '.quarterdeck-setup-done'), prepared.workspace.folder);
    const mounts = boxMounts(prepared, { ...files, guests: boxes.guestsDir });
    const cwd = BOX.workspace;
    const openDesk = (): Promise<LaunchDesk> =>
      boxes.openDesk({
        agentId: agent.id,
        projectId: agent.projectId,
        runId,
        boundary,
        socketDir: files.socketDir,
        user,
        mounts,
        limits: boundary === 'container' ? agent.config.resourceLimits : null,
        start: {
          argv: [...argv],
          cwd,
          env,
          size: { ...DEFAULT_SIZE },
          sideWindows: [],
          setup: setup ?? null,
          keptLines: KEPT_LINES,
        },
      });
    const openLine = (line: GatewayLine): Promise<void> => boxes.openLine(agent.id, line);
    const box: BoxSpec = { boundary, image: agent.config.image, user, mounts, openDesk, openLine };
    return { argv, cwd, env, sideWindows: [], setup, box };
  }

  #environment(agent: Agent, token: string, runId: string): Record<string, string> {
    return {
      TERM: 'xterm-256color',
      COLORTERM: 'truecolor',
      ...agent.config.environment,
      QUARTERDECK_AGENT_ID: agent.id,
      QUARTERDECK_AGENT_TOKEN: token,
      QUARTERDECK_MAX_CONCURRENT_TASKS: String(agent.config.maxConcurrentTasks),
      QUARTERDECK_TASK_TIMEOUT_MS: String(agent.config.resourceLimits.timeout),
      [RUN_VARIABLE]: runId,
    };
  }
}
