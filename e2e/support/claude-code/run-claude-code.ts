/**
 * Runs the real Claude Code CLI once, headless, against a scripted model: own config folder, own
 * environment, nothing reachable but loopback. The CLI's whole process group ends with the run.
 */

import { spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { CLAUDE_CODE_MISSING, findClaudeCode } from './find-claude-code.ts';

/** One server of an MCP configuration, as Claude Code reads it. */
export type McpServerConfig =
  | { readonly type: 'http' | 'sse' | 'ws'; readonly url: string; readonly headers?: Readonly<Record<string, string>> }
  | {
      readonly type: 'stdio';
      readonly command: string;
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
    };

export interface McpConfig {
  readonly mcpServers: Readonly<Record<string, McpServerConfig>>;
}

export interface ClaudeCodeRun {
  readonly prompt: string;
  /** The configuration, or the path of a file that holds one. */
  readonly mcpConfig: McpConfig | string;
  /** `ModelServer.url`. */
  readonly modelUrl: string;
  /** Folder for the CLI's own state; made and seeded if it is not there. One per agent. */
  readonly configDir: string;
  readonly cwd: string;
  /** Tools that need no question. Default: all of the server `quarterdeck`. */
  readonly allowedTools?: readonly string[];
  /** The run is killed and fails after this time. */
  readonly timeoutMs: number;
  /** Stops the run: it is killed and fails. */
  readonly signal?: AbortSignal;
  /** Further variables, for example one that the MCP configuration expands. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further arguments, for example `--resume`, `<id>`. */
  readonly extraArgs?: readonly string[];
  /** Executable; default `findClaudeCode()`. */
  readonly claudeBin?: string;
}

/** A line of the CLI's stream-json output; the kinds that are read here, and any other by its type. */
export type ClaudeCodeEvent = z.infer<typeof streamEvent>;

export interface ClaudeCodeResult {
  readonly events: readonly ClaudeCodeEvent[];
  readonly exitCode: number | null;
  readonly stderr: string;
  /** Last text of the model, or the error that ended the run. */
  readonly text: string;
  readonly isError: boolean;
  readonly sessionId: string;
  readonly totalCostUsd: number;
  /** State of each MCP server at the start, for example `connected`. */
  readonly mcpServers: Readonly<Record<string, string>>;
}

/** A key that is none; the CLI asks for one before it talks to any server. */
const API_KEY = 'sk-ant-api03-dummy-000000000000000000';

const initEvent = z.looseObject({
  type: z.literal('system'),
  subtype: z.literal('init'),
  session_id: z.string(),
  tools: z.array(z.string()),
  mcp_servers: z.array(z.looseObject({ name: z.string(), status: z.string() })),
});

const resultEvent = z.looseObject({
  type: z.literal('result'),
  subtype: z.string(),
  is_error: z.boolean(),
  result: z.string().default(''),
  session_id: z.string(),
  total_cost_usd: z.number(),
  num_turns: z.number(),
});

const streamEvent = z.union([initEvent, resultEvent, z.looseObject({ type: z.string() })]);

/** Writes what an offline first start needs; without it the CLI shows its welcome and trust dialogs. */
export async function seedConfigDir(configDir: string, cwd: string): Promise<void> {
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  const state = {
    hasCompletedOnboarding: true,
    theme: 'dark',
    customApiKeyResponses: { approved: [API_KEY.slice(-20)], rejected: [] },
    projects: { [cwd]: { hasTrustDialogAccepted: true } },
  };
  await writeFile(join(configDir, '.claude.json'), JSON.stringify(state), { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    // A second run with the same folder goes on with what the first one left there.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
}

/** Environment of the CLI: nothing of the caller's but the path, and every way out leads to the model server. */
export function claudeCodeEnv(modelUrl: string, configDir: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: configDir,
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
    CLAUDE_CONFIG_DIR: configDir,
    ANTHROPIC_BASE_URL: modelUrl,
    ANTHROPIC_API_KEY: API_KEY,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    HTTP_PROXY: modelUrl,
    HTTPS_PROXY: modelUrl,
    NO_PROXY: '127.0.0.1,localhost,::1',
  };
}

/** Runs the CLI to its end. Rejects when it is missing, runs out of time or ends without a result. */
export async function runClaudeCode(run: ClaudeCodeRun): Promise<ClaudeCodeResult> {
  const claudeBin = run.claudeBin ?? findClaudeCode();
  if (claudeBin === undefined) throw new Error(CLAUDE_CODE_MISSING);
  await seedConfigDir(run.configDir, run.cwd);
  const mcpConfigPath = await writeMcpConfig(run);
  const { stdout, stderr, exitCode, killedBecause } = await runToEnd(claudeBin, run, [
    '-p',
    run.prompt,
    '--output-format',
    'stream-json',
    '--verbose',
    '--mcp-config',
    mcpConfigPath,
    '--strict-mcp-config',
    '--allowedTools',
    (run.allowedTools ?? ['mcp__quarterdeck__*']).join(','),
    ...(run.extraArgs ?? []),
  ]);

  const events = stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => parseEvent(line));
  const result = events.map((event) => resultEvent.safeParse(event).data).findLast((event) => event !== undefined);
  if (killedBecause !== undefined || result === undefined) {
    const what = killedBecause ?? `ended with ${exitCode ?? 'a signal'} and no result`;
    throw new Error(`Claude Code ${what}\nstdout: ${stdout.slice(-4_000)}\nstderr: ${stderr.slice(-2_000)}`);
  }
  const init = events.map((event) => initEvent.safeParse(event).data).find((event) => event !== undefined);
  return {
    events,
    exitCode,
    stderr,
    text: result.result,
    isError: result.is_error,
    sessionId: result.session_id,
    totalCostUsd: result.total_cost_usd,
    mcpServers: Object.fromEntries((init?.mcp_servers ?? []).map((server) => [server.name, server.status])),
  };
}

async function writeMcpConfig(run: ClaudeCodeRun): Promise<string> {
  if (typeof run.mcpConfig === 'string') return run.mcpConfig;
  const path = join(run.configDir, 'mcp.json');
  await writeFile(path, JSON.stringify(run.mcpConfig), { mode: 0o600 });
  await chmod(path, 0o600);
  return path;
}

/** The CLI prints one JSON value a line; a line that is none (cut off by a kill) is left out. */
function parseEvent(line: string): ClaudeCodeEvent[] {
  try {
    const event = streamEvent.safeParse(JSON.parse(line));
    return event.success ? [event.data] : [];
  } catch {
    return [];
  }
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
  /** Why the run was killed, if it was. */
  readonly killedBecause: string | undefined;
}

async function runToEnd(claudeBin: string, run: ClaudeCodeRun, args: readonly string[]): Promise<Ended> {
  const child = spawn(claudeBin, args, {
    cwd: run.cwd,
    env: { ...claudeCodeEnv(run.modelUrl, run.configDir), ...run.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that the stdio servers that it starts can be ended with it.
    detached: true,
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => stdout.push(piece));
  child.stderr.on('data', (piece: Buffer) => stderr.push(piece));
  let killedBecause: string | undefined;
  const kill = (reason: string): void => {
    killedBecause ??= reason;
    killGroup(child.pid);
  };
  const timer = setTimeout(kill, run.timeoutMs, `ran longer than ${run.timeoutMs} ms`);
  const stop = (): void => kill('was stopped');
  run.signal?.addEventListener('abort', stop, { once: true });
  if (run.signal?.aborted === true) stop();
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code));
    });
    return {
      stdout: Buffer.concat(stdout).toString('utf8'),
      stderr: Buffer.concat(stderr).toString('utf8'),
      exitCode,
      killedBecause,
    };
  } finally {
    clearTimeout(timer);
    run.signal?.removeEventListener('abort', stop);
    killGroup(child.pid);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has ended already.
  }
}
