/** Makes everything an agent's process needs: folders, token, environment, command line. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agent } from '#shared/agents/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { RUN_VARIABLE } from '#core/runtimes/process-table.ts';
import type { LaunchSpec, SideWindow } from '#core/runtimes/runtime.ts';
import type { AgentDriver, Programs } from './types/agent-driver.ts';

/** Size of a terminal that nobody looks at yet. */
const DEFAULT_SIZE = { cols: 120, rows: 32 };

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
}

/** Files of one agent outside its workspace. */
export interface AgentFiles {
  readonly home: string;
  readonly settings: string;
  readonly socketDir: string;
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
      healthSocket: join(socketDir, 'health.sock'),
      queueFile: join(home, 'queue.txt'),
    };
  }

  /** Makes folders and token, and says how to launch the agent in `folder`. */
  async prepare(agent: Agent, driver: AgentDriver, folder: string, runId: string): Promise<LaunchSpec> {
    const files = this.filesOf(agent.id);
    for (const dir of [files.home, files.settings, files.socketDir]) await mkdir(dir, { recursive: true, mode: 0o700 });
    const token = await this.#options.mintToken(agent);
    return {
      agentId: agent.id,
      runId,
      argv: driver.argv(agent.config, this.#options.programs),
      cwd: folder,
      env: { ...this.#environment(agent, token, files), [RUN_VARIABLE]: runId },
      size: DEFAULT_SIZE,
      sideWindows: this.#options.sideWindows(agent, files),
      limits: agent.config.resourceLimits,
      setup: agent.config.setup,
      box: undefined,
    };
  }

  #environment(agent: Agent, token: string, files: AgentFiles): Record<string, string> {
    return {
      LANG: 'C.UTF-8',
      ...inheritedEnvironment(this.#options.env),
      TERM: 'xterm-256color',
      COLORTERM: 'truecolor',
      ...agent.config.environment,
      QUARTERDECK_AGENT_ID: agent.id,
      QUARTERDECK_AGENT_URL: this.#options.agentUrl(),
      QUARTERDECK_AGENT_TOKEN: token,
      QUARTERDECK_HEALTH_SOCKET: files.healthSocket,
      QUARTERDECK_QUEUE_FILE: files.queueFile,
      QUARTERDECK_MAX_CONCURRENT_TASKS: String(agent.config.maxConcurrentTasks),
      QUARTERDECK_TASK_TIMEOUT_MS: String(agent.config.resourceLimits.timeout),
    };
  }
}
