/**
 * The agent CLIs of this machine: installed, in which version, logged in. Whether one is logged in is asked of itself, by the
 * status command that it has for this, in the environment that agents get: a key in the core's own environment helps none.
 * Status commands as of Claude Code 2.1.329 and Codex 0.169.0, both tried; Gemini CLI has none.
 */
import * as z from 'zod';
import type { SystemCheck } from '#shared/system/model.ts';
import type { Probe } from './probe.ts';
import { ask, firstLine, line, locate, problemOf, versionIn } from './probe.ts';

/** What an agent CLI says about its login. */
interface Login {
  readonly state: 'in' | 'out' | 'unknown';
  /** In a few words. */
  readonly detail: string;
}

interface AgentCli {
  readonly id: string;
  readonly title: string;
  readonly program: string;
  readonly install: string;
  /** The command that logs in. */
  readonly logIn: string;
  readonly askLogin: (file: string, probe: Probe) => Promise<Login>;
}

const CLIS: readonly AgentCli[] = [
  {
    id: 'claude-code',
    title: 'Claude Code',
    program: 'claude',
    install: 'npm install -g @anthropic-ai/claude-code',
    logIn: 'claude auth login',
    askLogin: askClaude,
  },
  {
    id: 'codex',
    title: 'Codex',
    program: 'codex',
    install: 'npm install -g @openai/codex',
    logIn: 'codex login',
    askLogin: askCodex,
  },
  {
    id: 'gemini',
    title: 'Gemini CLI',
    program: 'gemini',
    install: 'npm install -g @google/gemini-cli',
    logIn: 'gemini',
    askLogin: () => Promise.resolve({ state: 'unknown', detail: 'has no command that tells whether it is logged in' }),
  },
];

/** Looks at all of them, side by side. `probe` makes a probe with a deadline of its own. Never rejects. */
export async function checkAgentClis(probe: () => Probe): Promise<SystemCheck[]> {
  const checks = await Promise.all(CLIS.map((cli) => check(cli, probe())));
  // One that is logged in is enough: then no other waits for the operator.
  if (!checks.some((one) => one.loginState === 'in')) return checks;
  return checks.map((one) => (one.state === 'needs' ? { ...one, state: 'optional' } : one));
}

async function check(cli: AgentCli, probe: Probe): Promise<SystemCheck> {
  const base = { id: cli.id, title: cli.title, group: 'agents' as const, loginState: null, path: null, version: null };
  const path = await locate(cli.program, probe);
  if (path === undefined) return { ...base, state: 'optional', detail: 'Optional, not found', remedy: cli.install };
  // Asked for its version, Claude Code looks for a newer one of itself and counts the visit, unless told not to.
  const quiet: Probe = {
    ...probe,
    env: { ...probe.env, DISABLE_AUTOUPDATER: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
  };
  const answer = await ask(path, ['--version'], quiet);
  const version = versionIn(answer);
  if (version === undefined)
    return {
      ...base,
      state: 'failed',
      detail: line(`Found, but it does not answer: ${problemOf(answer)}`, path),
      path,
      remedy: cli.install,
    };
  const login = await cli.askLogin(path, quiet);
  const found = { ...base, path, version, loginState: login.state, detail: line(version, login.detail, path) };
  if (login.state !== 'out') return { ...found, state: 'ok', remedy: null };
  return { ...found, state: 'needs', detail: line(`${version} is installed, but ${login.detail}`, path), remedy: cli.logIn };
}

const ClaudeStatus = z.object({
  loggedIn: z.boolean(),
  authMethod: z.string().optional(),
  email: z.string().optional(),
  loginExpiresAt: z.union([z.string(), z.number()]).nullish(),
});

/**
 * `claude auth status` prints JSON and ends with 1 when nobody is logged in. A version that does not know it takes the words
 * for a prompt and would ask its model: so it is asked first whether it knows them.
 */
async function askClaude(file: string, probe: Probe): Promise<Login> {
  const help = await ask(file, ['auth', '--help'], probe);
  if (help.kind !== 'ended' || !/\bclaude auth\b/.test(help.stdout) || !/^\s*status\b/m.test(help.stdout))
    return { state: 'unknown', detail: 'this version has no command that tells whether it is logged in' };
  const answer = await ask(file, ['auth', 'status', '--json'], probe);
  const status = answer.kind === 'ended' ? ClaudeStatus.safeParse(parseJson(answer.stdout)).data : undefined;
  if (!status) return unclear(problemOf(answer));
  const expiresAt = status.loginExpiresAt ? new Date(status.loginExpiresAt) : undefined;
  if (expiresAt && expiresAt.getTime() < Date.now()) return { state: 'out', detail: `its login expired on ${dayOf(expiresAt)}` };
  if (!status.loggedIn) return { state: 'out', detail: 'nobody is logged in' };
  const how = [status.email, status.authMethod?.replaceAll('_', ' ')].filter((text) => text !== undefined).join(', ');
  return { state: 'in', detail: how === '' ? 'logged in' : `logged in (${how})` };
}

/** `codex login status` says it in a line and ends with 1 when nobody is logged in. */
async function askCodex(file: string, probe: Probe): Promise<Login> {
  const answer = await ask(file, ['login', 'status'], probe);
  if (answer.kind !== 'ended') return unclear(problemOf(answer));
  const text = `${answer.stdout}\n${answer.stderr}`
    .split('\n')
    .filter((one) => !one.startsWith('WARNING'))
    .join('\n');
  if (/not logged in/i.test(text)) return { state: 'out', detail: 'nobody is logged in' };
  if (answer.code !== 0) return unclear(firstLine(text) || `it ends with code ${answer.code}`);
  // The line may show the ends of a key: not for a page that people share.
  return { state: 'in', detail: /api key/i.test(text) ? 'logged in (API key)' : 'logged in' };
}

function unclear(problem: string): Login {
  return { state: 'unknown', detail: `did not tell whether it is logged in: ${problem}` };
}

function dayOf(date: Date): string {
  return Number.isNaN(date.getTime())
    ? 'an unknown day'
    : date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
